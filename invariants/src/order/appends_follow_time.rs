//! O3: whoever is answered before another begins stands before it.

use message::MessageQueue;

use super::answered::Answered;
use crate::history::{Event, Sent};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AppendsFollowTime(Answered<MessageQueue>);

/// What O3 claims.
const CLAIM: Claim = Claim {
    id: "O3",
    sentence: "If any producer was answered for a before another began to send b to the same \
               queue, a stands before b.",
    source: "linearizability of an append-only queue: one sweep over starts and ends decides it",
    limits: "Plain messages with an offset in their answer. An a whose loss the ledger excuses \
             may stand anywhere: its place was given away. One producer's own order is O2's.",
};

impl Invariant for AppendsFollowTime {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let by_queue = |sent: &Sent| Some(sent.placed()?.queue.clone());
        self.0.take((world, event, found), by_queue, |a, b| a.producer != b.producer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Kind, Outcome, What};
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, message, placed};

    /// A producer of that number sends and is answered with this offset.
    fn send(run: &mut Run, producer: u32, offset: u64) {
        let id = begin(run, producer, offset);
        run.end(id, Outcome::Ok(placed(offset)));
    }

    fn begin(run: &mut Run, producer: u32, op: u64) -> Identity {
        let id = Identity::new(producer, op as u32, 0);
        run.event(What::send_started(&message(id), Kind::Plain));
        id
    }

    #[test]
    fn behind_at_the_same_time_and_after_an_excused_loss_are_fine() {
        let mut run = Run::new(AppendsFollowTime::default(), Flush::Async);
        send(&mut run, 1, 0);
        let slow = begin(&mut run, 2, 1);
        send(&mut run, 1, 3);
        run.end(slow, Outcome::Ok(placed(1)));
        run.fault(Fault::PowerLoss);
        run.fault(Fault::Started);
        send(&mut run, 3, 2);
        run.assert_green();
    }

    #[test]
    fn before_what_was_answered_already_is_caught() {
        let mut run = Run::new(AppendsFollowTime::default(), Flush::Sync);
        send(&mut run, 1, 5);
        send(&mut run, 2, 4);
        run.assert_red(&[0, 1, 2, 3]);
    }
}
