//! I2: one place of a queue is one message, for everybody and every time.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Seen};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct PlaceReadsTheSame {
    /// What was first seen at a place of each queue, and when.
    first: BTreeMap<MessageQueue, BTreeMap<QueueOffset, (usize, u64, Seen)>>,
}

/// What I2 claims.
const CLAIM: Claim = Claim {
    id: "I2",
    sentence: "Every read of a queue's offset gives the same message, stored at the same place and \
               time.",
    source: "Jepsen's inconsistent offsets; RocketMQ #7689",
    limits: "Compares identity, content, store time and address, not each byte of the record. A \
             place may be used again only after a loss that the ledger excuses.",
};

impl Invariant for PlaceReadsTheSame {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        for seen in event.what.seen() {
            let now = || (event.index, event.at_ms, seen.clone());
            // Nearly all that is seen was seen before: nothing is copied for a look.
            let Some(places) = self.first.get_mut(&seen.queue) else {
                self.first.insert(seen.queue.clone(), BTreeMap::from([(seen.offset, now())]));
                continue;
            };
            let Some((index, at_ms, first)) = places.get(&seen.offset) else {
                places.insert(seen.offset, now());
                continue;
            };
            let is_same = first == seen;
            let is_lost = |seen, at_ms| !is_same && !world.owed_to_reader(seen, at_ms).is_must();
            // A sight may come late: either of the two may be the lost.
            let (first_is_lost, this_is_lost) =
                (is_lost(first, *at_ms), is_lost(seen, event.at_ms));
            let is_excused = first_is_lost || this_is_lost;
            found.check(is_same || is_excused, [*index, event.index], || {
                let at = format!("{} offset {}", seen.queue, seen.offset);
                format!("{at} was {:?} and is {:?}", first.id, seen.id)
            });
            if first_is_lost && !this_is_lost {
                places.insert(seen.offset, now());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, seen};

    #[test]
    fn the_same_again_is_fine_and_so_is_another_after_an_excused_loss() {
        let mut run = Run::new(PlaceReadsTheSame::default(), Flush::Async);
        let (a, b) = (run.begin(0), run.begin(1));
        run.deliver(seen(a, 0));
        run.deliver(seen(a, 0));
        run.fault(Fault::PowerLoss);
        run.deliver(seen(b, 0));
        run.deliver(seen(b, 0));
        run.assert_green();
    }

    #[test]
    fn a_sight_that_comes_after_its_place_was_given_away_is_fine() {
        let mut run = Run::new(PlaceReadsTheSame::default(), Flush::Async);
        let a = run.begin(0);
        run.fault(Fault::PowerLoss);
        run.pass(1);
        let b = run.begin(1);
        run.deliver(seen(b, 0));
        run.deliver(seen(a, 0));
        run.deliver(seen(b, 0));
        run.assert_green();
    }

    #[test]
    fn another_message_at_the_place_and_another_time_are_caught() {
        let mut run = Run::new(PlaceReadsTheSame::default(), Flush::Sync);
        let (a, b) = (run.begin(0), run.begin(1));
        run.deliver(seen(a, 0));
        run.fault(Fault::PowerLoss);
        run.deliver(seen(b, 0));
        run.assert_red(&[2, 3]);
        let mut run = Run::new(PlaceReadsTheSame::default(), Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 0));
        run.deliver(Seen { store_timestamp: 8, ..seen(a, 0) });
        run.assert_red(&[1, 2]);
    }
}
