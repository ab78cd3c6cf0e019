//! D7: a failed sync is final until the node starts anew.

use message::PhysicalOffset;

use crate::history::{Event, Outcome, Sent, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::outcome::Class;
use crate::promise::{Broker, Flush};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct NoAckAfterFailedSync;

/// What D7 claims.
const CLAIM: Claim = Claim {
    id: "D7",
    sentence: "After a failed sync of its log a node acknowledges nothing that began later, until \
               it was restarted.",
    source: "the kernel drops the pages and calls them clean; a retried sync proves nothing \
             (PostgreSQL's fsync-gate)",
    limits: "Only syncs of CommitLog files, and only messages at or behind the file. A send that \
             began before the failure is not judged: its answer may have been on its way. An \
             answer that does not wait for the flush may also be given until the program has \
             heard of the failure, at most a horizon and all stalls later.",
};

impl Invariant for NoAckAfterFailedSync {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::SendEnded { id, outcome } = &event.what else { return };
        let Some(sent) = world.history.sent(*id) else { return };
        let Some((broker, address)) = answered_by(world, outcome) else { return };
        // What stands at or behind the file whose sync failed depends on it.
        let is_it = |failed: &&&Entry| {
            let base = failed.fault.failed_log_sync_base();
            base.is_some_and(|base| address.is_none_or(|address| base <= address.0))
        };
        // Only what failed is worth a check: without it there is nothing to be wrong.
        let since = world.ledger.since_start(&broker.node, event.at_ms);
        let Some(failed) = since.iter().find(is_it) else { return };
        let heard_ms = failed.at_ms.saturating_add(grace_ms(broker, sent, &since));
        if address.is_none() && sent.started_ms <= heard_ms {
            return;
        }
        let holds = address.is_none() || sent.started_ms <= heard_ms;
        found.check(holds, sent.indices(), || {
            format!(
                "{id} began at {} ms and was OK, after a sync failed at {} ms (ledger {})",
                sent.started_ms, failed.at_ms, failed.index
            )
        });
    }
}

/// The broker that answered, and where it says that it stored; without a place when it did not say
/// `OK`. A refusal does not name its broker: it is known where there is only one.
fn answered_by<'a>(
    world: &World<'a>,
    outcome: &Outcome,
) -> Option<(&'a Broker, Option<PhysicalOffset>)> {
    match (outcome.placed(), outcome.class()) {
        (Some(placed), Class::Ok) => {
            Some((world.cluster.get(&placed.queue.broker_name)?, Some(placed.address()?)))
        }
        _ if world.cluster.len() == 1 => Some((world.cluster.values().next()?, None)),
        _ => None,
    }
}

/// How long after the failure an answer may still be given that promises nothing about the flush:
/// as long as the program may not have heard of it.
fn grace_ms(broker: &Broker, sent: &Sent, since: &[&Entry]) -> u64 {
    if broker.flush == Flush::Sync && sent.waits {
        return 0;
    }
    let stall_ms = since.iter().map(|entry| match entry.fault {
        Fault::Stall { for_ms } => for_ms,
        _ => 0,
    });
    stall_ms.fold(broker.horizon_ms, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{HORIZON_MS, LOG, Run, placed};

    fn failed() -> Fault {
        Fault::SyncError { path: LOG.into() }
    }

    #[test]
    fn an_answer_on_its_way_and_answers_after_a_restart_are_fine() {
        let mut run = Run::new(NoAckAfterFailedSync, Flush::Sync);
        let a = run.begin(0);
        run.fault(failed());
        run.end(a, Outcome::Ok(placed(0)));
        let b = run.begin(1);
        run.end(b, Outcome::Rejected { code: 14 });
        run.fault(Fault::ProcessKill);
        run.fault(Fault::Started);
        run.send(2, 1);
        run.assert_green();
    }

    #[test]
    fn under_async_flush_answers_are_fine_until_the_failure_must_have_been_heard() {
        let mut run = Run::new(NoAckAfterFailedSync, Flush::Async);
        run.fault(failed());
        run.send(0, 0);
        run.assert_green();
        run.pass(HORIZON_MS);
        run.send(1, 1);
        run.assert_red(&[2, 3]);
    }

    #[test]
    fn an_answer_that_trusts_a_second_sync_is_caught() {
        let mut run = Run::new(NoAckAfterFailedSync, Flush::Sync);
        run.send(0, 0);
        run.fault(failed());
        run.send(1, 1);
        run.assert_red(&[2, 3]);
    }
}
