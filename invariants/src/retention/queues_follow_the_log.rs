//! E2: the queues follow what was deleted of the log.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
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
             error. What was deleted in the last two seconds, by the ledger, need not be followed \
             yet. The index is not judged.",
};

/// How long after a deletion the queues have followed, in ms: the pass goes on for at most ten
/// segments with 100 ms behind each, and the queues come then.
const FOLLOW_MAX_MS: u64 = 2_000;

/// Entries in a file of a simulated queue.
const FILE_ENTRIES: u64 = 20;

impl Invariant for QueuesFollowTheLog {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let now_ms = world.now_ms();
        for disk in disks.iter().filter(|disk| world.ledger.down(&disk.node).is_none()) {
            let since = world.ledger.since_start(&disk.node, u64::MAX);
            if since.iter().any(|entry| entry.fault.is_disk_error()) {
                continue;
            }
            let deletions = since.iter().filter_map(|entry| match &entry.fault {
                Fault::Deleted(deletion) if entry.at_ms + FOLLOW_MAX_MS <= now_ms => {
                    Some(deletion.end)
                }
                _ => None,
            });
            let Some(log_start) = deletions.max() else { continue };
            found.about(Some(&disk.node));
            for (key, queue) in &disk.queues {
                let last = queue.max().saturating_sub(1) / FILE_ENTRIES;
                let stale = queue.entries.iter().take_while(|at| at.address < log_start);
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

    /// A run that deleted what lies below 1,000, so long before its end, and left this.
    fn run(since_ms: u64, left: NodeDisk) -> Run {
        let mut run = Run::new(QueuesFollowTheLog, Flush::Sync);
        run.fault(Fault::Deleted(deletion()));
        run.pass(since_ms - 1);
        run.begin(0);
        run.quiet(&[left]);
        run
    }

    #[test]
    fn a_part_of_the_first_file_and_all_of_the_last_may_be_stale() {
        for (first, stale, count) in [(0, 19, 45), (20, 20, 20), (40, 0, 7)] {
            run(FOLLOW_MAX_MS, left(first, stale, count)).assert_green();
        }
    }

    #[test]
    fn a_file_that_nobody_needs_is_caught_once_there_was_time() {
        run(FOLLOW_MAX_MS, left(0, 21, 45)).assert_red(&[]);
        run(FOLLOW_MAX_MS - 1, left(0, 21, 45)).assert_no_violation();
    }
}
