//! E2: the queues follow what was deleted of the log.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct QueuesFollowTheLog;

/// What E2 claims.
const CLAIM: Claim = Claim {
    id: "E2",
    sentence: "When all is quiet, no file of a queue but its last points below the log's start \
               only.",
    source: "deleteExpiredFile of RocketMQ's CleanConsumeQueueService",
    limits: "Nodes that run and deleted something since they were started, and whose disk gave no \
             error. The index is not judged.",
};

/// Entries in a file of a simulated queue.
const FILE_ENTRIES: u64 = 20;

impl Invariant for QueuesFollowTheLog {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.ledger.down(&disk.node).is_none()) {
            let since = world.ledger.since_start(&disk.node, u64::MAX);
            let deleted = since.iter().any(|entry| entry.fault.code() == "RT");
            if !deleted || since.iter().any(|entry| entry.fault.code() == "FE") {
                continue;
            }
            found.about(Some(&disk.node));
            for (key, queue) in &disk.queues {
                let last = queue.max().saturating_sub(1) / FILE_ENTRIES;
                let stale = queue.entries.iter().take_while(|at| at.address < disk.log.start);
                let stale_to = stale.last().map_or(0, |entry| entry.offset + 1) / FILE_ENTRIES;
                let first = queue.entries.first().map_or(0, |entry| entry.offset / FILE_ENTRIES);
                let holds = stale_to.min(last) <= first;
                found.check(holds, [], || {
                    format!("queue {key:?} keeps files {first} to {stale_to} of deleted messages")
                });
            }
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::QueueEntry;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, deletion, disk};

    /// A disk whose log starts at 1,000 and whose queue holds so many entries, the first `stale`
    /// of which point below.
    fn left(first: u64, stale: u64, count: u64) -> NodeDisk {
        let mut disk = disk(&[]);
        disk.log.start = 1_000;
        let queue = disk.queues.entry(("t".to_owned(), 0)).or_default();
        queue.entries = (first..first + count)
            .map(|offset| QueueEntry {
                offset,
                address: if offset < first + stale { offset } else { 1_000 + offset },
                size: 100,
                tags_code: 0,
            })
            .collect();
        disk
    }

    #[test]
    fn a_part_of_the_first_file_and_all_of_the_last_may_be_stale() {
        for (first, stale, count) in [(0, 19, 45), (20, 20, 20), (40, 0, 7)] {
            let mut run = Run::new(QueuesFollowTheLog, Flush::Sync);
            run.fault(Fault::Deleted(deletion()));
            run.quiet(&[left(first, stale, count)]);
            run.assert_green();
        }
    }

    #[test]
    fn a_file_that_nobody_needs_is_caught() {
        let mut run = Run::new(QueuesFollowTheLog, Flush::Sync);
        run.fault(Fault::Deleted(deletion()));
        run.quiet(&[left(0, 21, 45)]);
        run.assert_red(&[]);
    }
}
