//! O3: whoever is answered before another begins stands before it.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Kind, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AppendsFollowTime {
    /// By queue, the answers in the order they came.
    acked: BTreeMap<MessageQueue, Vec<Acked>>,
}

#[derive(Debug)]
struct Acked {
    event: usize,
    offset: QueueOffset,
    id: Identity,
    /// The highest offset of this answer and all before it.
    highest: QueueOffset,
}

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
        let What::SendEnded { id, .. } = &event.what else { return };
        let Some(sent) = world.history.sent(*id).filter(|sent| sent.kind == Kind::Plain) else {
            return;
        };
        let Some(placed) = sent.placed() else { return };
        let acked = self.acked.entry(placed.queue.clone()).or_default();
        let before = &acked[..acked.partition_point(|acked| acked.event < sent.started)];
        let others = |acked: &&Acked| acked.id.producer != id.producer;
        if let Some(last) = before.last() {
            // Most come behind everything.
            let wrong = (last.highest >= placed.offset)
                .then(|| {
                    let behind = before.iter().filter(|acked| acked.offset >= placed.offset);
                    let sents = behind.filter(others).filter_map(|at| world.history.sent(at.id));
                    sents.into_iter().find(|sent| world.owed(sent).is_must())
                })
                .flatten();
            let events = wrong.map(Sent::indices).unwrap_or_default();
            found.check(wrong.is_none(), events.into_iter().chain(sent.indices()), || {
                let (offset, queue) = (placed.offset, &placed.queue);
                let first = wrong.map(|sent| sent.id);
                format!("{id} got offset {offset} of {queue}, not behind {first:?}")
            });
        }
        let highest = acked.last().map_or(placed.offset, |last| last.highest.max(placed.offset));
        acked.push(Acked { event: event.index, offset: placed.offset, id: *id, highest });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
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
