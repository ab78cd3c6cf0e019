//! S4: no queue knows more than the log.

use crate::disk::{NodeDisk, QueueEntry, QueueKey};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// How long an entry of a ConsumeQueue is.
const ENTRY_LEN: u64 = 20;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct NoDanglingEntry;

/// What S4 claims.
const CLAIM: Claim = Claim {
    id: "S4",
    sentence: "In a store that serves no queue entry reaches past the log's end, and behind a \
               queue's last entry there are zeros only.",
    source: "internals.md 4.4: entries past the cut; RocketMQ #495",
    limits: "After each start, and at the end on nodes that run and whose log met no error since. \
             That an entry points to a record, or fills a place \
             rightly, is S2's. Where a log that rotted ends is not known. An entry of which the \
             ledger says that its bits turned may lead anywhere until it is made anew, which a \
             start without a clean end before it does in the last file.",
};

impl NoDanglingEntry {
    fn check(
        world: &World<'_>,
        disk: &NodeDisk,
        is_excused: impl Fn(&QueueKey, &QueueEntry) -> bool,
        found: &mut Found,
    ) {
        // Where the log ends is not known behind damage.
        let is_known = world.readable_to(disk) == u64::MAX;
        for (key, queue) in &disk.queues {
            // Entries stand in the log's order (S2), so the last reaches furthest, where it is so.
            let real = queue.entries.iter().filter(|entry| !entry.is_filler());
            let real = real.filter(|entry| !is_excused(key, entry));
            let furthest = real.max_by_key(|entry| entry.end());
            let end = furthest.map_or(0, QueueEntry::end);
            found.check(end <= disk.log.end || !is_known, [], || {
                let log_end = disk.log.end;
                format!("{furthest:?} of queue {key:?} ends at {end}, the log at {log_end}")
            });
            found.check(queue.residue.is_none(), [], || {
                let (max, residue) = (queue.max(), queue.residue);
                format!("queue {key:?} ends at offset {max} and byte {residue:?} is not zero")
            });
        }
    }
}

/// Whether an entry stands in the last file of its queue.
fn is_in_last_file(disk: &NodeDisk, (topic, queue_id): &QueueKey, entry: &QueueEntry) -> bool {
    let directory = format!("consumequeue/{topic}/{queue_id}/");
    let files = disk.image.keys().filter_map(|path| Some(path.split_once(&directory)?.1));
    let last = files.filter_map(|name| name.parse::<u64>().ok()).max();
    last.is_some_and(|base| entry.offset * ENTRY_LEN >= base)
}

impl Invariant for NoDanglingEntry {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            // A start that follows no clean end looks at the last entries that it trusts, so those
            // of the last file lead into the log, or are made anew.
            let (ledger, node) = (world.ledger, recovery.node());
            let is_excused = |key: &QueueKey, entry: &QueueEntry| {
                let queue = (key.0.as_str(), key.1);
                ledger.is_entry_struck_since_end(node, queue, entry.offset)
                    || ledger.is_entry_struck(node, queue, entry.offset)
                        && !(recovery.before.abort && is_in_last_file(&recovery.after, key, entry))
            };
            Self::check(world, &recovery.after, is_excused, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.serves_soundly(&disk.node)) {
            found.about(Some(&disk.node));
            let is_excused = |(topic, queue_id): &QueueKey, entry: &QueueEntry| {
                world.ledger.is_entry_struck(&disk.node, (topic, *queue_id), entry.offset)
            };
            Self::check(world, disk, is_excused, found);
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, QUEUE, Run, address, changed, disk, image};

    fn ids() -> [Identity; 2] {
        [Identity::new(1, 0, 0), Identity::new(1, 1, 0)]
    }

    #[test]
    fn a_queue_that_ends_with_its_log_is_fine() {
        let mut run = Run::new(NoDanglingEntry, Flush::Sync);
        run.restart(Fault::PowerLoss, disk(&ids()[..1]), disk(&ids()));
        run.quiet(&[disk(&ids())]);
        run.assert_green();
    }

    #[test]
    fn an_entry_past_the_logs_end_is_caught() {
        let mut run = Run::new(NoDanglingEntry, Flush::Sync);
        let cut = changed(image(&ids()), LOG, |bytes| bytes[address(1) as usize..].fill(0));
        run.restart(Fault::PowerLoss, disk(&ids()), cut);
        run.assert_red(&[]);
    }

    #[test]
    fn an_entry_whose_bits_turned_may_lead_anywhere_until_a_start_that_looks_at_it() {
        let astray = || changed(image(&ids()), QUEUE, |bytes| bytes[20] ^= 1);
        let run_of = |byte: u64, is_clean: bool| {
            let mut run = Run::new(NoDanglingEntry, Flush::Sync);
            run.fault(Fault::BitRot { path: QUEUE.into(), offset: byte, len: 1 });
            let mut before = astray();
            before.abort = !is_clean;
            run.restart(Fault::ProcessKill, before, astray());
            run
        };
        run_of(20, true).assert_green();
        run_of(20, false).assert_red(&[]);
        run_of(19, true).assert_red(&[]);
    }

    #[test]
    fn an_entry_that_stands_behind_the_queues_end_is_caught() {
        let mut run = Run::new(NoDanglingEntry, Flush::Sync);
        run.quiet(&[changed(image(&ids()), QUEUE, |bytes| bytes[20 * 7 + 11] = 1)]);
        run.assert_red(&[]);
    }
}
