//! S2: the ConsumeQueues say what the CommitLog says.

use std::collections::{BTreeMap, BTreeSet};

use message::topic;

use crate::disk::{NodeDisk, QueueEntry, QueueKey, Record};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct QueuesMirrorTheLog;

/// What S2 claims.
const CLAIM: Claim = Claim {
    id: "S2",
    sentence: "The ConsumeQueues hold exactly the log's records, in order, each with its address, \
               size, offset and tag's code.",
    source: "RocketMQ #467, #495, #1434, #7355, #8032: undispatched tails, wrong entries",
    limits: "After a start, records that were not on the disk before may lack their entries still. \
             At the end, nodes that are down are not judged, and entries may be missing where a \
             sync, write or read of the log failed. The schedule topic's codes are times, not \
             compared; light queues of a multi-dispatch are not known. Nothing is judged behind \
             bytes that are no record in a log that rotted.",
};

impl Invariant for QueuesMirrorTheLog {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            let before = &recovery.before.log;
            let was_there = |record: &Record| {
                before.at(record.address).is_some_and(|before| before.bytes == record.bytes)
            };
            check(world, &recovery.after, was_there, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.ledger.down(&disk.node).is_none()) {
            let failed = world.ledger.failed_log(&disk.node).is_some();
            found.about(Some(&disk.node));
            check(world, disk, |_| !failed, found);
            found.about(None);
        }
    }
}

/// Checks every entry, and that every record has one that `must_have` one.
fn check(
    world: &World<'_>,
    disk: &NodeDisk,
    must_have: impl Fn(&Record) -> bool,
    found: &mut Found,
) {
    let readable = disk.log.start..world.readable_to(disk);
    let mut named: BTreeSet<u64> = BTreeSet::new();
    for (key, queue) in &disk.queues {
        found.check(queue.damage.is_none(), [], || {
            format!("in queue {key:?}: {}", queue.damage.as_deref().unwrap_or_default())
        });
        for entry in queue.entries.iter().filter(|entry| readable.contains(&entry.address)) {
            named.insert(entry.address);
            let wrong = wrong(disk, key, entry);
            found.check(wrong.is_none(), [], || {
                format!("in queue {key:?}, {entry:?}: {}", wrong.unwrap_or(""))
            });
        }
    }
    let mut lacking: BTreeMap<QueueKey, &Record> = BTreeMap::new();
    for record in disk.log.records.iter().filter(|record| record.is_queued()) {
        if named.contains(&record.address) {
            continue;
        }
        if must_have(record) {
            lacking.entry((record.topic.clone(), record.queue_id)).or_insert(record);
        }
    }
    for (key, record) in lacking {
        found.check(false, [], || {
            format!("queue {key:?} lacks the record at {} (and perhaps later)", record.address)
        });
    }
}

/// What is wrong with an entry.
fn wrong(disk: &NodeDisk, key: &QueueKey, entry: &QueueEntry) -> Option<&'static str> {
    let Some(record) = disk.log.at(entry.address) else {
        return Some("no record starts at its address");
    };
    if (&record.topic, record.queue_id) != (&key.0, key.1) || !record.is_queued() {
        return Some("the record belongs to another queue");
    }
    if record.queue_offset != entry.offset {
        return Some("the record has another offset");
    }
    if record.size() != entry.size {
        return Some("the record has another size");
    }
    let has_code = record.topic != topic::SCHEDULE;
    (has_code && record.tags_code != entry.tags_code).then_some("the record has another tag")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, QUEUE, Run, address, changed, disk, image};

    fn ids() -> [Identity; 3] {
        [0, 1, 2].map(|op| Identity::new(1, op, 0))
    }

    /// The whole log, and only the first entry of the queue.
    fn lagging() -> NodeDisk {
        changed(image(&ids()), QUEUE, |bytes| bytes[20..].fill(0))
    }

    #[test]
    fn behind_damage_nothing_is_judged_if_the_log_rotted_and_everything_if_not() {
        let gone = changed(image(&ids()[..2]), LOG, |bytes| bytes[address(1) as usize + 4] ^= 1);
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.fault(Fault::BitRot { path: LOG.into(), offset: address(1) + 4, len: 1 });
        run.quiet(std::slice::from_ref(&gone));
        run.assert_green();
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.quiet(&[gone]);
        run.assert_red(&[]);
    }

    #[test]
    fn a_queue_that_mirrors_its_log_is_fine_and_new_records_may_lag_after_a_start() {
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.restart(Fault::ProcessKill, lagging(), disk(&ids()));
        run.restart(Fault::ProcessKill, disk(&ids()[..1]), lagging());
        run.quiet(&[disk(&ids())]);
        run.assert_green();
    }

    #[test]
    fn a_tail_that_is_not_dispatched_is_caught() {
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.restart(Fault::ProcessKill, lagging(), lagging());
        run.assert_red(&[]);
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.quiet(&[lagging()]);
        run.assert_red(&[]);
    }

    #[test]
    fn a_failed_sync_excuses_what_is_not_dispatched_and_nothing_else() {
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.fault(Fault::SyncError { path: LOG.into() });
        run.quiet(&[lagging()]);
        run.assert_green();
        run.quiet(&[disk_with(27)]);
        run.assert_red(&[]);
    }

    /// The second entry, wrong in its byte `at`.
    fn disk_with(at: usize) -> NodeDisk {
        changed(image(&ids()), QUEUE, |bytes| bytes[at] ^= 1)
    }

    #[test]
    fn each_field_of_an_entry_is_compared() {
        // Size, tag's code.
        for at in [31, 39] {
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            run.quiet(&[disk_with(at)]);
            run.assert_red(&[]);
        }
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        let twice = changed(image(&ids()), QUEUE, |bytes| bytes.copy_within(40..60, 60));
        run.quiet(&[twice]);
        run.assert_red(&[]);
    }
}
