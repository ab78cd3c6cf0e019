//! E1: nothing goes before its time, unless the disk has no room for it.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Deletion, Fault};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct DeletionIsDue;

/// What E1 claims.
const CLAIM: Claim = Claim {
    id: "E1",
    sentence: "A file of the log is deleted only when its newest record is older than what is \
               kept, or when the disk is too full.",
    source: "fileReservedTime, diskSpaceCleanForciblyRatio; RocketMQ judges by the file's own \
             time, which a copy resets",
    limits: "The hour of deleteWhen is not judged. Nodes whose clock the ledger says was touched \
             are not judged. How full the disk was is taken at the removal, with some room for \
             what came and went since the decision.",
};

/// Percent of the disk by which it may have emptied between the decision and the removal: other
/// files, and the earlier files of the same pass.
const USED_SLACK_PERCENT: u64 = 3;

impl Invariant for DeletionIsDue {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            let is_clock = |fault: &Fault| matches!(fault, Fault::Clock { .. });
            if world.ledger.of(&disk.node).any(|entry| is_clock(&entry.fault)) {
                continue;
            }
            found.about(Some(&disk.node));
            for deletion in world.ledger.deletions(&disk.node) {
                found.check(is_due(deletion), [], || format!("{deletion:?} was not due"));
            }
            found.about(None);
        }
    }
}

fn is_due(deletion: &Deletion) -> bool {
    let newest_ms = deletion.newest_ms;
    let is_old = newest_ms.is_some_and(|newest| newest + deletion.kept_ms <= deletion.at_ms);
    is_old || deletion.used_percent + USED_SLACK_PERCENT > deletion.forcible_percent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, deletion, disk};

    #[test]
    fn what_is_old_and_what_has_no_room_may_go() {
        let mut run = Run::new(DeletionIsDue, Flush::Sync);
        run.fault(Fault::Deleted(deletion()));
        run.fault(Fault::Deleted(Deletion { at_ms: 2, used_percent: 86, ..deletion() }));
        run.quiet(&[disk(&[])]);
        run.assert_green();
    }

    #[test]
    fn a_young_file_on_a_roomy_disk_is_caught() {
        let mut run = Run::new(DeletionIsDue, Flush::Sync);
        run.fault(Fault::Deleted(Deletion { at_ms: 2, ..deletion() }));
        run.quiet(&[disk(&[])]);
        run.assert_red(&[]);
    }
}
