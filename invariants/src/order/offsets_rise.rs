//! O1: a consumer goes forward.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

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
    limits: "Only deliveries that are recorded as in order, and the messages within one pull. A \
             step back behind a loss that the ledger excuses is none: the offsets are other \
             messages' by then.",
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
                let is_lost = |seen, at_ms| !world.owed_to_reader(seen, at_ms).is_must();
                let is_excused = !rises && (is_lost(&last, at_ms) || is_lost(seen, event.at_ms));
                found.check(rises || is_excused, [index, event.index], || {
                    let (from, to) = (last.offset, seen.offset);
                    format!("{consumer} of {group} went from {from} to {to} of {}", seen.queue)
                });
            }
            What::Pulled(pull) => {
                let ends = pull.seen.iter().map(|seen| seen.offset).chain([pull.next]);
                let starts = [pull.from].into_iter().chain(pull.seen.iter().map(after));
                let rises = pull.seen.is_empty() || starts.zip(ends).all(|(low, at)| low <= at);
                found.check(rises, [event.index], || {
                    let at: Vec<u64> = pull.seen.iter().map(|seen| seen.offset.0).collect();
                    format!("a pull from {} gave {at:?} and goes on at {}", pull.from, pull.next)
                });
            }
            _ => {}
        }
    }
}

/// The lowest offset that may follow a message.
fn after(seen: &Seen) -> QueueOffset {
    QueueOffset(seen.offset.0 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Pull, PullStatus};
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, queue, seen};

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

    fn pulled(offsets: &[u64], next: u64) -> What {
        What::Pulled(Pull {
            started_ms: 0,
            queue: queue(),
            from: QueueOffset(3),
            hold_ms: 0,
            status: PullStatus::Found,
            next: QueueOffset(next),
            min: QueueOffset(0),
            max: QueueOffset(9),
            seen: offsets.iter().map(|at| seen(id(*at as u32), *at)).collect(),
        })
    }

    #[test]
    fn a_pull_that_gives_what_was_not_asked_for_is_caught() {
        for (offsets, next, is_wrong) in [
            (&[3, 4, 7][..], 8, false),
            (&[], 0, false),
            (&[2, 3], 4, true),
            (&[3, 3], 4, true),
            (&[3, 4], 4, true),
        ] {
            let mut run = Run::new(OffsetsRise::default(), Flush::Sync);
            let event = run.event(pulled(offsets, next));
            if is_wrong { run.assert_red(&[event]) } else { run.assert_green() }
        }
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
