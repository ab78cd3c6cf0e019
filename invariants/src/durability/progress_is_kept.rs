//! D11: a committed offset outlives a crash if it is old enough, and a topic in any case.

use std::collections::{BTreeMap, BTreeSet};

use message::MessageQueue;

use crate::disk::{DiskImage, NodeDisk, consumer_offsets};
use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::outcome::Class;
use crate::world::{Recovery, World};

/// The longest time until an offset is on the disk, in ms: `flushConsumerOffsetInterval`, and what
/// the disk takes.
const PERSIST_MS_MAX: u64 = 5_000 + 5_000;

/// A commit that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Commit {
    at_ms: u64,
    offset: u64,
    event: usize,
}

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ProgressIsKept {
    /// The commits of each group and queue since the node last started, oldest first.
    commits: BTreeMap<(String, MessageQueue), Vec<Commit>>,
}

/// What D11 claims.
const CLAIM: Claim = Claim {
    id: "D11",
    sentence: "After any crash a group's offset is not behind what it was 10 s before, and every \
               topic is known that holds a message that is owed.",
    source: "RocketMQ #5905, #2708; internals.md 1.6 (flushConsumerOffsetInterval); a topic is \
             written before it is in force",
    limits: "The files as the start finds them, each or the version before where it is missing. \
             Offsets not where a stall, an error or a lack of space may have kept the file from \
             being written, nor when a disk was lost or rots.",
};

impl Invariant for ProgressIsKept {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, _found: &mut Found) {
        let What::Committed { group, queue, offset } = &event.what else { return };
        let commit = Commit { at_ms: event.at_ms, offset: offset.0, event: event.index };
        self.commits.entry((group.clone(), queue.clone())).or_default().push(commit);
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        let disk = &recovery.before;
        let lost = |fault: &Fault| matches!(fault, Fault::DiskLost | Fault::BitRot { .. });
        if !world.ledger.of(&disk.node).any(|entry| lost(&entry.fault)) {
            self.check_offsets(world, disk, found);
            check_topics(world, disk, found);
        }
        self.commits.retain(|(_, queue), _| world.node_of(queue) != Some(&disk.node));
    }
}

impl ProgressIsKept {
    fn check_offsets(&self, world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        let image = with_backup(disk, "consumerOffset.json");
        // What cannot be read is S14's.
        let Ok(table) = consumer_offsets(&image) else { return };
        let table = table.unwrap_or_default();
        let entries: Vec<&Entry> = world.ledger.of(&disk.node).collect();
        for ((group, queue), commits) in &self.commits {
            if world.node_of(queue) != Some(&disk.node) {
                continue;
            }
            let Some(due) = commits.iter().rposition(|commit| is_due(commit, &entries)) else {
                continue;
            };
            let stored = table
                .get(&(queue.topic.clone(), group.clone()))
                .and_then(|queues| queues.get(&queue.queue_id));
            // A group may have gone back since.
            let least = commits[due..].iter().map(|commit| commit.offset).min().unwrap_or(0);
            let holds = stored.is_some_and(|stored| *stored >= least);
            found.check(holds, [commits[due].event], || {
                format!("{group} had committed {least} of {queue}, and {stored:?} is stored")
            });
        }
    }
}

/// Whether this commit must be on the disk: so long ago was the end of its process, and nothing
/// kept the file from being written.
fn is_due(commit: &Commit, entries: &[&Entry]) -> bool {
    let mut later = entries.iter().filter(|entry| entry.at_ms >= commit.at_ms);
    let ends = |fault: &Fault| {
        matches!(fault, Fault::ProcessKill | Fault::PowerLoss | Fault::Stopped | Fault::GaveUp)
    };
    let Some(end) = later.find(|entry| ends(&entry.fault)) else { return false };
    let hinders = |entry: &&&Entry| match entry.fault {
        Fault::Stall { for_ms } => entry.at_ms.saturating_add(for_ms) >= commit.at_ms,
        _ => entry.fault.is_disk_error() || entry.fault == Fault::NoSpace,
    };
    let is_hindered = entries.iter().filter(|entry| entry.at_ms <= end.at_ms).any(|e| hinders(&e));
    !is_hindered && commit.at_ms + PERSIST_MS_MAX < end.at_ms
}

/// Every topic that holds a message which is owed stands in the table.
fn check_topics(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
    let image = with_backup(disk, "topics.json");
    let text = image.values().next().map(|text| String::from_utf8_lossy(text).into_owned());
    let mut known = BTreeSet::new();
    for (sent, placed) in world.stored_on(&disk.node) {
        let topic = &placed.queue.topic;
        if sent.class() != Class::Ok || known.contains(topic) || !world.owed(sent).is_must() {
            continue;
        }
        known.insert(topic.clone());
        let holds = text.as_ref().is_some_and(|text| text.contains(&format!("\"{topic}\"")));
        found.check(holds, sent.indices(), || format!("topics.json does not know {topic}"));
    }
}

/// That table under its own name: the version before where it is missing.
fn with_backup(disk: &NodeDisk, name: &str) -> DiskImage {
    let find = |end: &str| disk.image.iter().find(|(path, _)| path.ends_with(end));
    let (main, backup) = (format!("/config/{name}"), format!("/config/{name}.bak"));
    let (_, bytes) = match find(&main).or_else(|| find(&backup)) {
        Some(found) => found,
        None => return DiskImage::new(),
    };
    DiskImage::from([(format!("store{main}"), bytes.clone())])
}

#[cfg(test)]
mod tests {
    use message::QueueOffset;

    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, queue};

    fn commit(run: &mut Run, offset: u64) -> usize {
        let (group, offset) = ("g".to_owned(), QueueOffset(offset));
        run.event(What::Committed { group, queue: queue(), offset })
    }

    /// A disk with these tables.
    fn with(tables: &[(&str, &str)]) -> NodeDisk {
        let mut disk = disk(&[]);
        for (name, text) in tables {
            disk.image.insert(format!("store/config/{name}"), text.as_bytes().to_vec().into());
        }
        disk
    }

    fn offsets(offset: u64) -> String {
        format!("{{\"offsetTable\":{{\"t@g\":{{0:{offset}}}}}}}")
    }

    #[test]
    fn what_is_stored_young_or_could_not_be_written_is_fine() {
        let mut run = Run::new(ProgressIsKept::default(), Flush::Sync);
        run.fault(Fault::Started);
        commit(&mut run, 7);
        run.pass(PERSIST_MS_MAX);
        commit(&mut run, 9);
        let bak = with(&[("consumerOffset.json.bak", &offsets(7))]);
        run.restart(Fault::PowerLoss, bak, disk(&[]));
        commit(&mut run, 12);
        run.fault(Fault::NoSpace);
        run.pass(PERSIST_MS_MAX);
        run.restart(Fault::ProcessKill, with(&[]), disk(&[]));
        run.assert_green();
    }

    #[test]
    fn an_old_commit_that_is_gone_is_caught() {
        for tables in [&[("consumerOffset.json", &*offsets(6))][..], &[]] {
            let mut run = Run::new(ProgressIsKept::default(), Flush::Sync);
            run.fault(Fault::Started);
            let event = commit(&mut run, 7);
            run.pass(PERSIST_MS_MAX);
            run.restart(Fault::PowerLoss, with(tables), disk(&[]));
            run.assert_red(&[event]);
        }
    }

    #[test]
    fn a_topic_that_is_forgotten_is_caught() {
        let mut run = Run::new(ProgressIsKept::default(), Flush::Sync);
        run.send(0, 0);
        let known = with(&[("topics.json", "{\"topicConfigTable\":{\"t\":{}}}")]);
        run.restart(Fault::PowerLoss, known, disk(&[]));
        run.assert_green();
        run.restart(Fault::PowerLoss, with(&[("topics.json", "{\"tt\":{}}")]), disk(&[]));
        run.assert_red(&[0, 1]);
    }
}
