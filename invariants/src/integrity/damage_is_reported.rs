//! D9: a record that rotted is reported, and never delivered.

use std::collections::BTreeSet;

use message::MessageQueue;

use crate::disk::{NodeDisk, QueueKey};
use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{World, key_of};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct DamageIsReported {
    /// The queues that somebody read from end to end at the end.
    read_back: BTreeSet<(String, QueueKey)>,
}

/// What D9 claims.
const CLAIM: Claim = Claim {
    id: "D9",
    sentence: "A record whose body rotted is never delivered; once a reader has come to it, the \
               node's quarantine.json names its place.",
    source: "internals.md §3: RocketMQ checks no CRC when it reads; a deviation of the store",
    limits: "Logs of which the ledger says that they rotted. What no checksum of the format covers \
             (flag, times, hosts, properties) is not struck, and misdirected pages excuse it. One \
             copy: nothing is repaired.",
};

impl Invariant for DamageIsReported {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        if let What::ReadBack { queue, .. } = &event.what {
            self.read_back.extend(world.node_of(queue).map(|node| (node.into(), key_of(queue))));
        }
        let is_struck = |queue: &MessageQueue| {
            world.node_of(queue).is_some_and(|node| world.ledger.log_rot(node).is_some())
        };
        for seen in event.what.seen().iter().filter(|seen| is_struck(&seen.queue)) {
            let Some(sent) = seen.id.and_then(|id| world.history.sent(id)) else { continue };
            if world.is_beyond_checksums(seen) {
                continue;
            }
            found.check(seen.digest == sent.digest, [sent.started, event.index], || {
                format!("{} was handed out from a log that rotted, and is not whole", sent.id)
            });
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let is_struck = |disk: &&NodeDisk| world.ledger.log_rot(&disk.node).is_some();
        let serves = |disk: &&NodeDisk| world.serves_soundly(&disk.node);
        for disk in disks.iter().filter(is_struck).filter(serves) {
            found.about(Some(&disk.node));
            let reported = reported(disk);
            for record in disk.log.records.iter().filter(|record| !record.crc_holds) {
                let key = (record.topic.clone(), record.queue_id);
                let leads = |queue: &crate::disk::QueueScan| {
                    queue.entries.iter().any(|entry| entry.address == record.address)
                };
                let is_read = self.read_back.contains(&(disk.node.clone(), key.clone()));
                if !is_read || !disk.queues.get(&key).is_some_and(leads) {
                    continue;
                }
                let is_named =
                    reported.iter().any(|(from, to)| (*from..*to).contains(&record.address));
                found.check(is_named, [], || {
                    format!("the record at {} is damaged and not on record", record.address)
                });
            }
            found.about(None);
        }
    }
}

/// The ranges that the node's quarantine.json names.
fn reported(disk: &NodeDisk) -> Vec<(u64, u64)> {
    let file = disk.image.iter().find(|(path, _)| path.ends_with("quarantine.json"));
    let text = file.map(|(_, bytes)| String::from_utf8_lossy(bytes)).unwrap_or_default();
    let numbers = |name: &str| -> Vec<u64> {
        let after = text.split(name).skip(1);
        let digits = after.map(|rest| rest.trim_start_matches([':', ' ']));
        let ends = |rest: &str| rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        digits.filter_map(|rest| rest[..ends(rest)].parse().ok()).collect()
    };
    numbers("\"from\"").into_iter().zip(numbers("\"to\"")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::history::Seen;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, changed, image, queue, seen};

    fn struck() -> (Run, Identity) {
        let mut run = Run::new(DamageIsReported::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.fault(Fault::BitRot { path: LOG.into(), offset: 88, len: 1 });
        (run, a)
    }

    /// A disk with the damaged message, and what its list says.
    fn left(a: Identity, list: &str) -> NodeDisk {
        let mut files = image(&[a]);
        files.insert("store/quarantine.json".into(), list.to_owned().into());
        changed(files, LOG, |bytes| bytes[88] ^= 1)
    }

    #[test]
    fn damage_that_is_on_record_and_skipped_is_fine() {
        let (mut run, a) = struck();
        run.event(What::ReadBack { queue: queue(), seen: vec![] });
        run.quiet(&[left(a, r#"{"ranges": [{"from": 0, "to": 300, "cause": "rot"}]}"#)]);
        run.assert_green();
    }

    #[test]
    fn damage_that_nobody_met_need_not_be_known() {
        let (mut run, a) = struck();
        run.quiet(&[left(a, "")]);
        run.assert_no_violation();
    }

    #[test]
    fn damage_that_was_passed_over_in_silence_is_caught() {
        for list in ["", r#"{"ranges": [{"from": 999, "to": 1300, "cause": "rot"}]}"#] {
            let (mut run, a) = struck();
            run.event(What::ReadBack { queue: queue(), seen: vec![] });
            run.quiet(&[left(a, list)]);
            run.assert_red(&[]);
        }
    }

    #[test]
    fn damage_that_is_handed_out_is_caught() {
        let (mut run, a) = struck();
        run.deliver(Seen { digest: Digest(1), ..seen(a, 0) });
        run.assert_red(&[0, 2]);
    }
}
