//! I3: in one log, store times do not fall.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct StoreTimeRises;

/// What I3 claims.
const CLAIM: Claim = Claim {
    id: "I3",
    sentence: "Store times in one log do not fall from record to record, also across restarts, \
               unless the node's clock was wrong.",
    source: "lookup by time is a binary search over them (internals.md 5.5)",
    limits: "On the raw disk, after each start and at the end. A node whose clock ever jumped or \
             drifted is not judged: the ledger does not say which way each record saw it.",
};

impl StoreTimeRises {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        let is_clock = |fault: &Fault| matches!(fault, Fault::Clock { .. });
        if world.ledger.of(&disk.node).any(|entry| is_clock(&entry.fault)) {
            return;
        }
        for pair in disk.log.sound_prefix().windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            found.check(before.store_timestamp <= after.store_timestamp, [], || {
                format!(
                    "the record at {} was stored at {} ms and the next at {} ms",
                    before.address, before.store_timestamp, after.store_timestamp
                )
            });
        }
    }
}

impl Invariant for StoreTimeRises {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            Self::check(world, &recovery.after, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            found.about(Some(&disk.node));
            Self::check(world, disk, found);
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, changed, disk, image};

    fn ids() -> [Identity; 2] {
        [Identity::new(1, 0, 0), Identity::new(1, 1, 0)]
    }

    /// The second record was stored a millisecond before the first.
    fn fallen() -> NodeDisk {
        changed(image(&ids()), LOG, |bytes| bytes[address(1) as usize + 63] = 6)
    }

    #[test]
    fn equal_times_are_fine_and_a_clock_that_jumped_excuses() {
        let mut run = Run::new(StoreTimeRises, Flush::Sync);
        run.restart(Fault::ProcessKill, disk(&ids()), disk(&ids()));
        run.fault(Fault::Clock { off_by_ms: -1 });
        run.quiet(&[fallen()]);
        run.assert_green();
    }

    #[test]
    fn a_time_that_falls_is_caught() {
        let mut run = Run::new(StoreTimeRises, Flush::Sync);
        run.quiet(&[fallen()]);
        run.assert_red(&[]);
        let mut run = Run::new(StoreTimeRises, Flush::Sync);
        run.restart(Fault::PowerLoss, disk(&ids()), fallen());
        run.assert_red(&[]);
    }
}
