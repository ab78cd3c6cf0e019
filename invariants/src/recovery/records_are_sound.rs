//! S5: every record is whole, and nothing stands behind the last.

use crate::disk::{NodeDisk, Stop};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct RecordsAreSound;

/// What S5 claims.
const CLAIM: Claim = Claim {
    id: "S5",
    sentence: "In a log that serves, every record's magic, size, address and checksum hold, and \
               behind the last there are zeros only.",
    source: "internals.md §1.2 and §4.5 W2: stale bytes behind the end come back to life",
    limits: "After a start, and at the end on nodes that run and whose log met no error since. Not \
             judged on a node whose log the ledger says has rotted. What stands behind the end is \
             judged after a start only.",
};

impl RecordsAreSound {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) -> bool {
        if world.ledger.log_rot(&disk.node).is_some() {
            return false;
        }
        let log = &disk.log;
        found.check(log.stop == Stop::Clean, [], || {
            format!("the log ends at {} with {:?}", log.end, log.stop)
        });
        for record in &log.records {
            found.check(record.is_sound(), [], || {
                let (at, stated) = (record.address, record.stated_address);
                let crc = if record.crc_holds { "holds" } else { "does not hold" };
                format!("the record at {at} says it stands at {stated} and its checksum {crc}")
            });
        }
        true
    }
}

impl Invariant for RecordsAreSound {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end != RecoveryEnd::Started || !Self::check(world, &recovery.after, found) {
            return;
        }
        let log = &recovery.after.log;
        // Damage at the end is told already.
        if log.stop == Stop::Clean {
            found.check(log.residue.is_none(), [], || {
                format!("the log ends at {} and old bytes stand at {:?}", log.end, log.residue)
            });
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let serves = |disk: &&NodeDisk| {
            let (ledger, node) = (world.ledger, &disk.node);
            ledger.down(node).is_none() && ledger.failed_log(node).is_none()
        };
        for disk in disks.iter().filter(serves) {
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
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, changed, disk, image};

    fn ids() -> [Identity; 2] {
        [Identity::new(1, 0, 0), Identity::new(1, 1, 0)]
    }

    #[test]
    fn a_sound_log_is_fine_and_rot_is_not_the_stores_fault() {
        let mut run = Run::new(RecordsAreSound, Flush::Sync);
        let flipped = || changed(image(&ids()), LOG, |bytes| bytes[88] ^= 1);
        run.restart(Fault::ProcessKill, flipped(), disk(&ids()));
        run.fault(Fault::BitRot { path: LOG.into(), offset: 88, len: 1 });
        run.quiet(&[flipped()]);
        run.assert_green();
    }

    #[test]
    fn a_wrong_checksum_address_and_tail_are_caught() {
        // The body's first byte, the last of the physical offset, and a stale byte behind the end.
        for at in [88, 35, address(2) as usize + 90] {
            let mut run = Run::new(RecordsAreSound, Flush::Sync);
            let wrong = changed(image(&ids()), LOG, |bytes| bytes[at] ^= 1);
            run.restart(Fault::PowerLoss, disk(&ids()), wrong);
            run.assert_red(&[]);
        }
    }

    #[test]
    fn a_log_that_ends_in_damage_is_caught() {
        let mut run = Run::new(RecordsAreSound, Flush::Sync);
        run.quiet(&[changed(image(&ids()), LOG, |bytes| bytes[4] ^= 1)]);
        run.assert_red(&[]);
    }
}
