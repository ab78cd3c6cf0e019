//! S9: a start ends by serving, or by saying why not.

use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct EveryStartEndsWell;

/// What S9 claims.
const CLAIM: Claim = Claim {
    id: "S9",
    sentence: "A start never panics; it refuses only a disk that something damaged, and says why.",
    source: "RocketMQ #9728, #10108: an empty last queue file makes the start throw",
    limits: "Any damage of the node's disk before excuses a refusal, whether it is the cause or \
             not. A start that never ends is the runner's to notice.",
};

impl Invariant for EveryStartEndsWell {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        let wrong = match &recovery.end {
            RecoveryEnd::Started => None,
            RecoveryEnd::Panicked { message } => Some(format!("the start panicked: {message}")),
            RecoveryEnd::Refused { error } if error.trim().is_empty() => {
                Some("the start was refused without a word".to_owned())
            }
            RecoveryEnd::Refused { error } => {
                let excuse = world.ledger.of(recovery.node()).find(|entry| damages(entry));
                excuse.is_none().then(|| format!("nothing damaged the disk, and yet: {error}"))
            }
        };
        found.check(wrong.is_none(), [], || wrong.unwrap_or_default());
    }
}

/// Whether a fault may leave a disk that no start can use, or keep a start from using it. A kill or
/// a power loss may not: every disk that they leave must start.
fn damages(entry: &Entry) -> bool {
    match &entry.fault {
        Fault::DiskLost
        | Fault::BitRot { .. }
        | Fault::Misdirected { .. }
        | Fault::SyncError { .. }
        | Fault::InputOutputError { .. }
        | Fault::NoSpace => true,
        Fault::ProcessKill
        | Fault::PowerLoss
        | Fault::PagesEvicted
        | Fault::Stall { .. }
        | Fault::Network { .. }
        | Fault::Clock { .. }
        | Fault::Deleted(_)
        | Fault::Started
        | Fault::Stopped
        | Fault::GaveUp => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, disk};

    fn ended(run: &mut Run, fault: Fault, end: RecoveryEnd) {
        let (before, after, again) = (disk(&[]), disk(&[]), None);
        run.recover(fault, Recovery { end, before, after, again });
    }

    fn refused(error: &str) -> RecoveryEnd {
        RecoveryEnd::Refused { error: error.into() }
    }

    #[test]
    fn serving_is_fine_and_so_is_refusing_a_damaged_disk() {
        let mut run = Run::new(EveryStartEndsWell, Flush::Sync);
        ended(&mut run, Fault::PowerLoss, RecoveryEnd::Started);
        let rot = Fault::BitRot { path: LOG.into(), offset: 3, len: 1 };
        ended(&mut run, rot, refused("the log is damaged at 0; restore it"));
        run.assert_green();
    }

    #[test]
    fn a_panic_a_silent_refusal_and_one_without_damage_are_caught() {
        let mut run = Run::new(EveryStartEndsWell, Flush::Sync);
        let message = "index out of bounds".to_owned();
        ended(&mut run, Fault::DiskLost, RecoveryEnd::Panicked { message });
        run.assert_red(&[]);
        let mut run = Run::new(EveryStartEndsWell, Flush::Sync);
        ended(&mut run, Fault::DiskLost, refused(" "));
        run.assert_red(&[]);
        let mut run = Run::new(EveryStartEndsWell, Flush::Sync);
        ended(&mut run, Fault::PowerLoss, refused("the last queue file is empty"));
        run.assert_red(&[]);
    }
}
