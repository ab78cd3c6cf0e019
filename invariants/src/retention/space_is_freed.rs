//! E4: what is due goes soon.

use crate::disk::{NodeDisk, Room};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::World;

/// How long a file may stay when it is due, in ms: some passes of the cleaner, of 10 s each.
const FREED_MS_MAX: u64 = 60_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct SpaceIsFreed;

/// By how much of a hundred the disk may be above its ratio: the end of the run itself writes, a
/// table of a group that reads everything back for instance, and the next look is 10 s away.
const OVER_PERCENT_MAX: u64 = 1;

/// What E4 claims.
const CLAIM: Claim = Claim {
    id: "E4",
    sentence: "When all is quiet, a node that deletes at any hour keeps no file of its log, but \
               those that the log ends in, that expired a minute ago, nor any at all while the \
               disk is above the ratio at which it deletes whatever the age.",
    source: "fileReservedTime, diskSpaceCleanForciblyRatio; RocketMQ 28a6b2a (#1778): one file \
             that cannot go keeps all others",
    limits: "The end of a run, on nodes that run since a minute, whose clock nobody touched and \
             whose disk gave no error since they were started. A file whose records are unknown \
             is not judged by its age, nor a disk that is above the ratio by one percent.",
};

impl Invariant for SpaceIsFreed {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let now_ms = world.history.events().last().map_or(0, |event| event.at_ms);
        for disk in disks {
            let Some(room) = disk.room.filter(|_| can_be_judged(world, &disk.node, now_ms)) else {
                continue;
            };
            found.about(Some(&disk.node));
            let files = deletable(disk);
            let expired = |file: &&File| {
                file.newest_ms.is_some_and(|at| at + room.kept_ms + FREED_MS_MAX < now_ms)
            };
            let old = files.first().filter(expired);
            found.check(old.is_none(), [], || {
                format!("the file at {:?} is older than {} ms", old, room.kept_ms)
            });
            let percent = room.forcible_percent + OVER_PERCENT_MAX;
            let is_over = room.used * 100 > room.capacity * percent;
            found.check(!is_over || files.is_empty(), [], || {
                let Room { used, capacity, .. } = room;
                format!("{used} of {capacity} bytes are used, and {} files could go", files.len())
            });
            found.about(None);
        }
    }
}

fn can_be_judged(world: &World<'_>, node: &str, now_ms: u64) -> bool {
    let runs = world.ledger.down(node).is_none();
    let since = world.ledger.since_start(node, u64::MAX);
    let is_calm = since.iter().all(|entry| {
        let at_rest = !entry.fault.is_disk_error();
        at_rest && (entry.fault.code() == "RT" || entry.at_ms + FREED_MS_MAX < now_ms)
    });
    let clock = |fault: &Fault| matches!(fault, Fault::Clock { .. });
    runs && is_calm && !world.ledger.of(node).any(|entry| clock(&entry.fault))
}

/// A file of the log.
#[derive(Debug)]
struct File {
    /// When its newest record was stored, in ms.
    newest_ms: Option<u64>,
}

/// The files that may go, oldest first: all but the one that the log ends in, those behind it, and
/// one before it, of which something may not be vouched for yet.
fn deletable(disk: &NodeDisk) -> Vec<File> {
    let bases = disk.log_files();
    let ends_in = bases.iter().rposition(|base| *base < disk.log.end.max(1)).unwrap_or(0);
    let starts = &bases[..ends_in.saturating_sub(1).min(bases.len())];
    let newest = |(at, base): (usize, &u64)| {
        let own = *base..bases[at + 1];
        let records = disk.log.records.iter().filter(|record| own.contains(&record.address));
        File { newest_ms: records.map(|record| record.store_timestamp).max() }
    };
    starts.iter().enumerate().map(newest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{Run, disk};

    /// A disk with four files of records from the beginning of time.
    fn full(kept_ms: u64, used: u64) -> NodeDisk {
        let ids: Vec<Identity> = (0..17).map(|op| Identity::new(1, op % 10, 0)).collect();
        let room = Room { used, capacity: 100, kept_ms, forcible_percent: 85 };
        disk(&ids).with_room(room)
    }

    fn quiet(disk: NodeDisk) -> Run {
        let mut run = Run::new(SpaceIsFreed, Flush::Sync);
        run.fault(Fault::Started);
        run.pass(5 * FREED_MS_MAX);
        run.send(0, 0);
        run.quiet(&[disk]);
        run
    }

    #[test]
    fn young_files_on_a_roomy_disk_and_the_end_of_a_log_may_stay() {
        quiet(full(u64::MAX / 2, 86)).assert_green();
        let short = disk(&[Identity::new(1, 0, 0)]);
        let room = Room { used: 99, capacity: 100, kept_ms: 1, forcible_percent: 85 };
        quiet(short.with_room(room)).assert_green();
    }

    #[test]
    fn an_expired_file_and_a_full_disk_are_caught() {
        quiet(full(1_000, 10)).assert_red(&[]);
        quiet(full(u64::MAX / 2, 87)).assert_red(&[]);
    }
}
