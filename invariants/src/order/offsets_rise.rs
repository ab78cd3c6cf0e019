//! O1: a consumer goes forward.

use std::collections::BTreeMap;

use message::MessageQueue;

use crate::history::{Event, Seen, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// Group, consumer, queue.
type Reader = (String, String, MessageQueue);

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct OffsetsRise {
    /// The last message that a reader saw: the event, when, what.
    last: BTreeMap<Reader, (usize, u64, Seen)>,
}

/// What O1 claims.
const CLAIM: Claim = Claim {
    id: "O1",
    sentence: "Within one queue a consumer sees strictly rising offsets, between rewinds that it \
               was told of.",
    source: "Jepsen's non-monotonic poll",
    limits: "Only deliveries that are recorded as in order. A step back behind a loss that the \
             ledger excuses is none: the offsets are other messages' by then.",
};

impl Invariant for OffsetsRise {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Rewound { group, consumer, queue, .. } => {
                self.last.remove(&(group.clone(), consumer.clone(), queue.clone()));
            }
            What::Rebalanced { group, consumer, queues } => {
                let keeps = |reader: &Reader| {
                    (&reader.0, &reader.1) != (group, consumer) || queues.contains(&reader.2)
                };
                self.last.retain(|reader, _| keeps(reader));
            }
            What::Delivered { group, consumer, in_order: true, seen } => {
                let reader = (group.clone(), consumer.clone(), seen.queue.clone());
                let now = (event.index, event.at_ms, seen.clone());
                let Some((index, at_ms, last)) = self.last.insert(reader, now) else { return };
                let rises = seen.offset > last.offset;
                let is_excused = !rises && !world.owed_to_reader(&last, at_ms).is_must();
                found.check(rises || is_excused, [index, event.index], || {
                    let (from, to) = (last.offset, seen.offset);
                    format!("{consumer} of {group} went from {from} to {to} of {}", seen.queue)
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, queue, seen};
    use message::QueueOffset;

    fn id(op: u32) -> Identity {
        Identity::new(1, op, 0)
    }

    fn rebalanced(run: &mut Run, queues: Vec<MessageQueue>) {
        run.event(What::Rebalanced { group: "g".into(), consumer: "c".into(), queues });
    }

    #[test]
    fn forward_with_gaps_and_back_after_being_told_are_fine() {
        let mut run = Run::new(OffsetsRise::default(), Flush::Sync);
        run.deliver(seen(id(0), 0));
        run.deliver(seen(id(5), 5));
        let (group, consumer) = ("g".to_owned(), "c".to_owned());
        run.event(What::Rewound { group, consumer, queue: queue(), to: QueueOffset(1) });
        run.deliver(seen(id(1), 1));
        rebalanced(&mut run, vec![]);
        rebalanced(&mut run, vec![queue()]);
        run.deliver(seen(id(1), 1));
        run.assert_green();
    }

    #[test]
    fn back_after_an_excused_loss_is_fine() {
        let mut run = Run::new(OffsetsRise::default(), Flush::Async);
        run.deliver(seen(id(5), 5));
        run.fault(Fault::PowerLoss);
        run.deliver(seen(id(6), 3));
        run.assert_green();
    }

    #[test]
    fn back_and_twice_are_caught() {
        for to in [3, 5] {
            let mut run = Run::new(OffsetsRise::default(), Flush::Sync);
            run.deliver(seen(id(5), 5));
            rebalanced(&mut run, vec![queue()]);
            run.fault(Fault::PowerLoss);
            run.deliver(seen(id(to), u64::from(to)));
            run.assert_red(&[0, 2]);
        }
    }
}
