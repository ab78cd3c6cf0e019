//! D7: a failed sync is final until the node starts anew.

use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Entry;
use crate::outcome::Class;
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
             began before the failure is not judged: its answer may have been on its way.",
};

impl Invariant for NoAckAfterFailedSync {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::SendEnded { id, outcome } = &event.what else { return };
        let (Some(placed), Class::Ok) = (outcome.placed(), outcome.class()) else { return };
        let (Some(node), Some(sent)) = (world.node_of(&placed.queue), world.history.sent(*id))
        else {
            return;
        };
        // What stands at or behind the file whose sync failed depends on it.
        let Some(address) = placed.address() else { return };
        let is_it = |failed: &&&Entry| {
            failed.fault.failed_log_sync_base().is_some_and(|base| base <= address.0)
        };
        // Only what failed is worth a check: without it there is nothing to be wrong.
        let since = world.ledger.since_start(node, event.at_ms);
        let Some(failed) = since.iter().find(is_it) else { return };
        found.check(sent.started_ms <= failed.at_ms, sent.indices(), || {
            format!(
                "{id} began at {} ms and was OK, after a sync failed at {} ms (ledger {})",
                sent.started_ms, failed.at_ms, failed.index
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, placed};

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
    fn an_answer_that_trusts_a_second_sync_is_caught() {
        let mut run = Run::new(NoAckAfterFailedSync, Flush::Sync);
        run.send(0, 0);
        run.fault(failed());
        run.send(1, 1);
        run.assert_red(&[2, 3]);
    }
}
