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
             bytes that are no record in a log that rotted. Only such a log lets a place be \
             filled, and tags differ only from a record that the ledger says was struck: no \
             checksum of the format covers them. An entry of which the ledger says that its bits \
             turned may lead anywhere until it is made anew.",
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
    let is_struck = world.ledger.log_rot(&disk.node).is_some();
    let is_entry_struck = |(topic, queue_id): &QueueKey, place| {
        world.ledger.is_entry_struck(&disk.node, (topic, *queue_id), place)
    };
    let mut named: BTreeSet<u64> = BTreeSet::new();
    for (key, queue) in &disk.queues {
        found.check(queue.damage.is_none(), [], || {
            format!("in queue {key:?}: {}", queue.damage.as_deref().unwrap_or_default())
        });
        for entry in queue.entries.iter().filter(|entry| readable.contains(&entry.address)) {
            if is_struck && entry.is_filler() {
                continue;
            }
            let wrong = wrong(world, disk, key, entry);
            // Its bits have turned, and no reader came by since who would have it made anew.
            if wrong.is_some() && is_entry_struck(key, entry.offset) {
                continue;
            }
            named.insert(entry.address);
            found.check(wrong.is_none(), [], || {
                format!("in queue {key:?}, {entry:?}: {}", wrong.unwrap_or(""))
            });
        }
    }
    let mut lacking: BTreeMap<QueueKey, &Record> = BTreeMap::new();
    for record in disk.log.records.iter().filter(|record| record.is_queued()) {
        if named.contains(&record.address) || !readable.contains(&record.address) {
            continue;
        }
        // One that is damaged is passed over when its queue is filled again.
        let is_damaged = !record.is_sound() && world.ledger.is_struck(&disk.node, &record.span());
        let key = (record.topic.clone(), record.queue_id);
        let leads_astray = is_entry_struck(&key, record.queue_offset)
            && disk.queues.get(&key).is_some_and(|queue| record.queue_offset < queue.max());
        if must_have(record) && !is_damaged && !leads_astray {
            lacking.entry(key).or_insert(record);
        }
    }
    for (key, record) in lacking {
        found.check(false, [], || {
            format!("queue {key:?} lacks the record at {} (and perhaps later)", record.address)
        });
    }
}

/// What is wrong with an entry.
fn wrong(
    world: &World<'_>,
    disk: &NodeDisk,
    key: &QueueKey,
    entry: &QueueEntry,
) -> Option<&'static str> {
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
    let has_code =
        record.topic != topic::SCHEDULE && !world.ledger.is_struck(&disk.node, &record.span());
    (has_code && record.tags_code != entry.tags_code).then_some("the record has another tag")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::DiskImage;
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

    /// A page of the log that was misdirected, from this byte on.
    fn misdirected(offset: u64) -> Fault {
        Fault::Misdirected { path: LOG.into(), offset, len: 4_096 }
    }

    #[test]
    fn a_place_is_filled_in_a_log_that_was_struck_and_never_over_a_record() {
        let filler = |at: usize| {
            let write = move |bytes: &mut Vec<u8>| {
                bytes.resize(bytes.len().max(20 * (at + 1)), 0);
                bytes[20 * at..20 * (at + 1)].fill(0);
                bytes[20 * at + 8..20 * at + 12].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
            };
            changed(image(&ids()), QUEUE, write)
        };
        let judge = |struck: bool, at: usize| {
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            if struck {
                run.fault(misdirected(address(9)));
            }
            run.quiet(&[filler(at)]);
            run
        };
        judge(true, 3).assert_green();
        judge(false, 3).assert_red(&[]);
        judge(true, 1).assert_red(&[]);
    }

    #[test]
    fn only_a_damaged_record_that_was_struck_may_lack_its_entry() {
        let run_of = |struck: u64, damaged: bool| {
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            run.fault(misdirected(address(struck)));
            let flip = |bytes: &mut Vec<u8>| bytes[address(2) as usize + 88] ^= u8::from(damaged);
            let log = changed(lagging_by_one(), LOG, flip);
            run.quiet(&[log]);
            run
        };
        run_of(2, true).assert_green();
        run_of(2, false).assert_red(&[]);
        run_of(7, true).assert_red(&[]);
    }

    /// The whole log, and all but the last entry of the queue.
    fn lagging_by_one() -> DiskImage {
        changed(image(&ids()), QUEUE, |bytes| bytes[40..].fill(0)).image
    }

    #[test]
    fn only_an_entry_whose_bits_turned_may_lead_astray() {
        let run_of = |struck: u64, wrong: usize| {
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            run.fault(Fault::BitRot { path: QUEUE.into(), offset: struck, len: 1 });
            run.quiet(&[changed(image(&ids()), QUEUE, |bytes| bytes[wrong] ^= 1)]);
            run
        };
        run_of(20, 27).assert_green();
        run_of(20, 31).assert_green();
        run_of(20, 11).assert_red(&[]);
        run_of(40, 31).assert_red(&[]);
    }

    #[test]
    fn only_a_record_that_was_struck_may_have_another_tag() {
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.fault(misdirected(address(2) - 1));
        run.quiet(&[disk_with(39)]);
        run.assert_green();
        let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
        run.fault(misdirected(address(2)));
        run.quiet(&[disk_with(39)]);
        run.assert_red(&[]);
    }

    #[test]
    fn zeros_and_strays_end_a_log_only_where_it_was_struck() {
        let zeros = |bytes: &mut Vec<u8>| bytes[address(2) as usize..].fill(0);
        let stray = |bytes: &mut Vec<u8>| bytes[address(2) as usize + 35] ^= 1;
        let lost = [changed(image(&ids()), LOG, zeros), changed(image(&ids()), LOG, stray)];
        // What stands behind a stray is not judged, either.
        let lost = lost.map(|disk| changed(disk.image, QUEUE, |bytes| bytes[51] ^= 1));
        for disk in &lost {
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            run.fault(misdirected(address(2)));
            run.quiet(std::slice::from_ref(disk));
            run.assert_green();
            let mut run = Run::new(QueuesMirrorTheLog, Flush::Sync);
            run.fault(misdirected(address(7)));
            run.quiet(std::slice::from_ref(disk));
            run.assert_red(&[]);
        }
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
