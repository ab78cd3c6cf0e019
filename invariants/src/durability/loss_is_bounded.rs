//! D4: a restart loses only what was not durable, and of that only what is young.

use crate::disk::{NodeDisk, Record};
use crate::history::{Placed, Sent};
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct LossIsBounded;

/// What D4 claims.
const CLAIM: Claim = Claim {
    id: "D4",
    sentence: "A restart loses no byte below the last durable point, and no OK message older than \
               the horizon.",
    source: "recovery of the CommitLog; RocketMQ's W1 (one bad record takes all later ones)",
    limits: "Of what is durable, only messages that are whole, by comparison with what was sent, \
             and that the device did not strike since, are claimed; compressed ones are not \
             compared; nor what retention deleted meanwhile, by the ledger. One broker without \
             replicas.",
};

impl Invariant for LossIsBounded {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end != RecoveryEnd::Started {
            return;
        }
        // The head that the cleaner deleted while this start was under way; E1 says whether it
        // might.
        let deletions = world.ledger.deletions_since_end(recovery.node());
        let kept_from = deletions.map(|deletion| deletion.end).max().unwrap_or(0);
        for (record, sent) in whole(world, &recovery.before) {
            if record.address < kept_from {
                continue;
            }
            // Byte for byte: damage in front of it hides a record from who reads the log through.
            let kept = recovery.after.log_bytes(record.span());
            let is_kept = kept.as_ref() == Some(&record.bytes)
                || world.ledger.is_struck_since_end(recovery.node(), &record.span());
            found.check(is_kept, sent.indices(), || {
                format!(
                    "{} stood whole at {} when the node started, and its recovery removed it",
                    sent.id, record.address
                )
            });
        }
        for (sent, placed) in world.stored_on(recovery.node()) {
            if sent.class() != Class::Ok || !world.owed(sent).is_must() {
                continue;
            }
            let is_there = holds(world, &recovery.after, sent, placed);
            let stood = holds(world, &recovery.before, sent, placed);
            // What stood there and was removed is told above.
            found.check(is_there || stood, sent.indices(), || {
                format!("{} was OK, no fault excuses its loss, and it is not there", sent.id)
            });
        }
    }
}

/// Whether a log holds a message; of one that rotted, whether it stands at its place, because
/// damage in front of it hides it from who reads the log through.
fn holds(world: &World<'_>, disk: &NodeDisk, sent: &Sent, placed: &Placed) -> bool {
    if disk.log.record_of(sent.id, placed.address()).is_some() {
        return true;
    }
    let Some(address) = placed.address().filter(|_| world.ledger.log_rot(&disk.node).is_some())
    else {
        return false;
    };
    disk.record_at(address.0).is_some_and(|record| record.is_sound() && record.id == Some(sent.id))
}

/// The records that a recovery finds whole before it meets anything that is not.
fn whole<'a>(
    world: &'a World<'_>,
    disk: &'a NodeDisk,
) -> impl Iterator<Item = (&'a Record, &'a Sent)> {
    disk.log.sound_prefix().iter().filter_map(|record| {
        let sent = world.history.sent(record.id?)?;
        (record.digest? == sent.digest).then_some((record, sent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{HORIZON_MS, LOG, Run, address, changed, deletion, disk, image};

    #[test]
    fn losing_nothing_is_fine_and_so_is_losing_what_is_young() {
        let mut run = Run::new(LossIsBounded, Flush::Async);
        let a = run.send(0, 0);
        run.pass(HORIZON_MS);
        let _young = run.send(1, 1);
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[a]));
        run.assert_green();
    }

    #[test]
    fn a_torn_tail_may_be_cut() {
        let mut run = Run::new(LossIsBounded, Flush::Async);
        let (a, b) = (run.send(0, 0), run.send(1, 1));
        let torn = changed(image(&[a, b]), LOG, |bytes| bytes[address(1) as usize + 88] ^= 1);
        run.restart(Fault::PowerLoss, torn, disk(&[a]));
        run.assert_green();
    }

    #[test]
    fn an_old_message_that_is_gone_is_caught() {
        let mut run = Run::new(LossIsBounded, Flush::Async);
        run.send(0, 0);
        run.pass(HORIZON_MS);
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.assert_red(&[0, 1]);
    }

    #[test]
    fn a_recovery_that_cuts_whole_records_is_caught_even_if_nobody_was_told_of_them() {
        let mut run = Run::new(LossIsBounded, Flush::Async);
        let a = run.begin(0);
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[]));
        run.assert_red(&[0]);
    }

    #[test]
    fn what_retention_deleted_during_the_start_is_no_loss_and_a_deletion_before_it_no_excuse() {
        let run_of = |first: Fault, then: Fault| {
            let mut run = Run::new(LossIsBounded, Flush::Async);
            let a = run.begin(0);
            run.fault(first);
            run.restart(then, disk(&[a]), disk(&[]));
            run
        };
        run_of(Fault::ProcessKill, Fault::Deleted(deletion())).assert_no_violation();
        run_of(Fault::Deleted(deletion()), Fault::ProcessKill).assert_red(&[0]);
    }

    #[test]
    fn a_kill_excuses_nothing() {
        let mut run = Run::new(LossIsBounded, Flush::Async);
        run.send(0, 0);
        run.restart(Fault::ProcessKill, disk(&[]), disk(&[]));
        run.assert_red(&[0, 1]);
    }

    #[test]
    fn damage_hides_what_stands_behind_it_and_excuses_what_it_met_and_nothing_else() {
        let struck = |n| Fault::Misdirected { path: LOG.into(), offset: address(n), len: 50 };
        let run_of = |fault: Fault, then: Fault, cut: bool| {
            let mut run = Run::new(LossIsBounded, Flush::Sync);
            let (a, b) = (run.send(0, 0), run.send(1, 1));
            run.fault(fault);
            let after = changed(image(&[a, b]), LOG, |bytes| {
                bytes[4] ^= 1;
                if cut {
                    bytes[address(1) as usize..].fill(0);
                }
            });
            run.restart(then, disk(&[a, b]), after);
            run
        };
        run_of(Fault::ProcessKill, struck(0), false).assert_green();
        // The first is hit while the node starts; the second one's bytes were taken away.
        run_of(Fault::ProcessKill, struck(0), true).assert_red(&[2, 3]);
        // The first was there when the node started, whatever struck it before.
        run_of(struck(0), Fault::ProcessKill, false).assert_red(&[0, 1]);
    }
}
