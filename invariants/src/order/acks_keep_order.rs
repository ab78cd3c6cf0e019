//! O2: a producer's messages stand in the order of its answers.

use message::MessageQueue;

use super::answered::Answered;
use crate::history::{Event, Sent};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AcksKeepOrder(Answered<(u32, MessageQueue)>);

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
        let by_producer = |sent: &Sent| Some((sent.id.producer, sent.placed()?.queue.clone()));
        self.0.take((world, event, found), by_producer, |_, _| true);
    }
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
