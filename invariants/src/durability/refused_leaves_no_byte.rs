//! D3: what was refused was not stored.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::{Recovery, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct RefusedLeavesNoByte;

/// What D3 claims.
const CLAIM: Claim = Claim {
    id: "D3",
    sentence: "A REJECTED message has no byte in any log, ever.",
    source: "the meaning of a refusal; Jepsen's aborted read, one step earlier",
    limits: "Looks for the message's identity in all bytes of CommitLog files, also behind the \
             log's end; other bytes of a message could hide, and so could a compressed property.",
};

impl RefusedLeavesNoByte {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        found.about(Some(&disk.node));
        for sent in world.history.all_sent().filter(|sent| sent.class() == Class::Rejected) {
            found.check(!disk.marks.contains(&sent.id), sent.indices(), || {
                format!("{} was refused and stands in a CommitLog file", sent.id)
            });
        }
    }
}

impl Invariant for RefusedLeavesNoByte {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        Self::check(world, &recovery.before, found);
        Self::check(world, &recovery.after, found);
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        disks.iter().for_each(|disk| Self::check(world, disk, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, changed, disk, image, record};

    #[test]
    fn a_refused_message_that_is_nowhere_is_fine() {
        let mut run = Run::new(RefusedLeavesNoByte, Flush::Sync);
        let stored = run.send(0, 0);
        let refused = run.begin(1);
        run.end(refused, Outcome::Rejected { code: 2 });
        let unknown = run.begin(2);
        run.end(unknown, Outcome::Unknown);
        let both = disk(&[stored, unknown]);
        run.restart(Fault::ProcessKill, both.clone(), both.clone());
        run.quiet(&[both]);
        run.assert_green();
    }

    #[test]
    fn a_refused_message_in_the_log_is_caught() {
        let mut run = Run::new(RefusedLeavesNoByte, Flush::Sync);
        let refused = run.begin(1);
        run.end(refused, Outcome::Rejected { code: 14 });
        run.quiet(&[disk(&[refused])]);
        run.assert_red(&[0, 1]);
    }

    #[test]
    fn a_refused_message_behind_the_logs_end_is_caught() {
        let mut run = Run::new(RefusedLeavesNoByte, Flush::Sync);
        let refused = run.begin(1);
        run.end(refused, Outcome::Rejected { code: 14 });
        let stale = changed(image(&[]), LOG, |bytes| {
            let record = record(refused, 2, address(2));
            bytes[address(2) as usize..address(3) as usize].copy_from_slice(&record);
        });
        assert_eq!(stale.log.records, []);
        run.restart(Fault::ProcessKill, stale, disk(&[]));
        run.assert_red(&[0, 1]);
    }
}
