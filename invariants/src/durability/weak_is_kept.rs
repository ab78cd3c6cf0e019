//! D2: what was stored with less than the promise is owed what its local append owes.

use super::kept::{at, on_disk, owed_on};
use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct WeakIsKept;

/// What D2 claims.
const CLAIM: Claim = Claim {
    id: "D2",
    sentence: "Every WEAK message survives what its local append owes: anything but a power loss.",
    source: "codes 10, 11 and 12 mean stored but not confirmed (internals.md 2.3)",
    limits: "Plain messages, on the raw disk, after each start and at the end. Whether it is \
             visible is not judged here.",
};

impl WeakIsKept {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        for (sent, placed) in owed_on(world, &disk.node, Class::Weak) {
            let missing = on_disk(world, disk, sent, placed).err();
            found.check(missing.is_none(), sent.indices(), || {
                format!("{} was WEAK at {} and {}", sent.id, at(placed), missing.unwrap_or(""))
            });
        }
    }
}

impl Invariant for WeakIsKept {
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
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, placed};

    fn one_weak() -> (Run, crate::identity::Identity) {
        let mut run = Run::new(WeakIsKept, Flush::Sync);
        let weak = run.begin(0);
        run.end(weak, Outcome::Weak(placed(0)));
        (run, weak)
    }

    #[test]
    fn what_a_kill_leaves_and_a_power_loss_takes_is_fine() {
        let (mut run, weak) = one_weak();
        run.restart(Fault::ProcessKill, disk(&[weak]), disk(&[weak]));
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.quiet(&[disk(&[])]);
        run.assert_green();
    }

    #[test]
    fn what_a_kill_takes_is_caught() {
        let (mut run, _) = one_weak();
        run.restart(Fault::ProcessKill, disk(&[]), disk(&[]));
        run.assert_red(&[0, 1]);
        let (mut run, _) = one_weak();
        run.quiet(&[disk(&[])]);
        run.assert_red(&[0, 1]);
    }
}
