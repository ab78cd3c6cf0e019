//! E5: a reader sees whole stretches of a queue, also while its files go.

use crate::history::{Event, PullStatus, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ReaderMeetsNoGap;

/// What E5 claims.
const CLAIM: Claim = Claim {
    id: "E5",
    sentence: "While a node deletes, a pull gives a stretch of its queue that begins where it was \
               asked for, has no gap and ends where the next pull shall begin; or it says that \
               the offset is gone.",
    source: "ROCKETMQ-332: while the head goes, a message that is there is taken for missing \
             (internals.md 15.1 #1)",
    limits: "Readers without a filter, on nodes that have deleted something. What the messages \
             hold is I1's and I2's. Not where the disk rots or gave an error: what is damaged is \
             passed over.",
};

impl Invariant for ReaderMeetsNoGap {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::Pulled(pull) = &event.what else { return };
        let node = world.node_of(&pull.queue).unwrap_or_default();
        let deletes = world.ledger.deletions(node).next().is_some();
        let is_bad = |fault: &Fault| fault.is_disk_error() || matches!(fault, Fault::BitRot { .. });
        if !deletes || world.ledger.of(node).any(|entry| is_bad(&entry.fault)) {
            return;
        }
        let offsets: Vec<u64> = pull.seen.iter().map(|seen| seen.offset.0).collect();
        let holds = match pull.status {
            PullStatus::Found => {
                let stretch = pull.from.0..pull.from.0 + offsets.len() as u64;
                pull.next.0 == stretch.end && offsets.iter().copied().eq(stretch)
            }
            // Nothing is passed over without being shown: there is no filter.
            PullStatus::NoMatch => false,
            PullStatus::NotFound | PullStatus::Illegal => offsets.is_empty(),
        };
        found.check(holds, [event.index], || {
            let (from, next, status) = (pull.from, pull.next, pull.status);
            format!("a pull of {} at {from}: {status:?} {offsets:?}, then {next}", pull.queue)
        });
    }
}

#[cfg(test)]
mod tests {
    use message::QueueOffset;

    use super::*;
    use crate::history::Pull;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{Run, deletion, pull, seen};

    fn found(from: u64, offsets: &[u64], next: u64) -> What {
        let seen = offsets.iter().map(|at| seen(Identity::new(1, 0, 0), *at)).collect();
        let (status, next) = (PullStatus::Found, QueueOffset(next));
        What::Pulled(Pull { status, seen, next, ..pull(from) })
    }

    #[test]
    fn stretches_without_a_gap_are_fine() {
        let mut run = Run::new(ReaderMeetsNoGap, Flush::Sync);
        run.event(found(0, &[4], 9));
        run.fault(Fault::Deleted(deletion()));
        run.event(found(4, &[4, 5, 6], 7));
        run.event(What::Pulled(pull(7)));
        run.assert_green();
    }

    #[test]
    fn a_gap_at_the_start_within_and_at_the_end_is_caught() {
        for (offsets, next) in [(&[5, 6][..], 7), (&[4, 6], 7), (&[4, 5], 7)] {
            let mut run = Run::new(ReaderMeetsNoGap, Flush::Sync);
            run.fault(Fault::Deleted(deletion()));
            let event = run.event(found(4, offsets, next));
            run.assert_red(&[event]);
        }
    }
}
