//! O2: a producer's messages stand in the order of its answers.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Kind, Placed, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AcksKeepOrder {
    /// By producer and queue, the answers in the order they came.
    acked: BTreeMap<(u32, MessageQueue), Vec<Acked>>,
}

#[derive(Debug)]
struct Acked {
    event: usize,
    offset: QueueOffset,
    id: Identity,
    /// The highest offset of this answer and all before it.
    highest: QueueOffset,
}

/// What O2 claims.
const CLAIM: Claim = Claim {
    id: "O2",
    sentence: "If a producer was answered for a before it began to send b to the same queue, a \
               stands before b.",
    source: "Jepsen's non-monotonic send; RocketMQ's promise of local order",
    limits: "Plain messages with an offset in their answer. An a whose loss the ledger excuses may \
             stand anywhere: its place was given away.",
};

impl Invariant for AcksKeepOrder {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::SendEnded { id, .. } = &event.what else { return };
        let Some(sent) = world.history.sent(*id).filter(|sent| sent.kind == Kind::Plain) else {
            return;
        };
        let Some(placed) = sent.placed() else { return };
        let acked = self.acked.entry((id.producer, placed.queue.clone())).or_default();
        let before = acked.partition_point(|acked| acked.event < sent.started);
        if let Some(last) = before.checked_sub(1).map(|last| &acked[last]) {
            let wrong = (last.highest >= placed.offset)
                .then(|| unexcused(world, &acked[..before], placed))
                .flatten();
            let events = wrong.map(Sent::indices).unwrap_or_default();
            let events = events.into_iter().chain(sent.indices());
            found.check(wrong.is_none(), events, || {
                let (offset, queue) = (placed.offset, &placed.queue);
                let first = wrong.map(|sent| sent.id);
                format!("{id} got offset {offset} of {queue}, not behind {first:?}")
            });
        }
        let highest = acked.last().map_or(placed.offset, |last| last.highest.max(placed.offset));
        acked.push(Acked { event: event.index, offset: placed.offset, id: *id, highest });
    }
}

/// The first of `before` that stands behind `placed` and is still owed.
fn unexcused<'a>(world: &World<'a>, before: &[Acked], placed: &Placed) -> Option<&'a Sent> {
    let behind = before.iter().filter(|acked| acked.offset >= placed.offset);
    behind.filter_map(|acked| world.history.sent(acked.id)).find(|sent| world.owed(sent).is_must())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, placed};

    #[test]
    fn rising_offsets_are_fine_and_sends_that_overlap_may_stand_either_way() {
        let mut run = Run::new(AcksKeepOrder::default(), Flush::Sync);
        run.send(0, 0);
        let (a, b) = (run.begin(1), run.begin(2));
        run.end(a, Outcome::Ok(placed(2)));
        run.end(b, Outcome::Weak(placed(1)));
        run.assert_green();
    }

    #[test]
    fn an_offset_that_was_lost_with_an_excuse_may_be_given_again() {
        let mut run = Run::new(AcksKeepOrder::default(), Flush::Async);
        run.send(0, 3);
        run.fault(Fault::PowerLoss);
        run.send(1, 3);
        run.send(2, 4);
        run.assert_green();
    }

    #[test]
    fn a_later_send_with_a_lower_offset_is_caught() {
        let mut run = Run::new(AcksKeepOrder::default(), Flush::Sync);
        run.send(0, 5);
        run.send(1, 6);
        run.fault(Fault::PowerLoss);
        run.send(2, 6);
        run.assert_red(&[2, 3, 4, 5]);
    }
}
