//! Q6: the offset of a time lies where the times say.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::disk::NodeDisk;
use crate::history::{Asked, Boundary, Event, Question, Seen, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct SearchBrackets {
    /// By queue, each message with when a client first and last saw it, in ms of true time.
    seen: BTreeMap<MessageQueue, BTreeMap<QueueOffset, (Seen, u64, u64)>>,
    /// By queue, the highest offset that it was ever said to begin at.
    begins: BTreeMap<MessageQueue, QueueOffset>,
    /// The searches, by event.
    asked: Vec<(usize, u64, Asked)>,
}

/// What Q6 claims.
const CLAIM: Claim = Claim {
    id: "Q6",
    sentence: "The offset of a time brackets it: everything before is older, everything from there \
               on is not, LOWER and UPPER, also before the first and past the last; and a later \
               time never gives a lower offset.",
    source: "RocketMQ #8736, #4890, #5752, #2661: past the end, and off by one at the bounds",
    limits: "Judged at the end, by what was seen of the queue. Not where the node's clock was ever \
             wrong, nor an answer from before a loss that the ledger excuses.",
};

/// When each message of a queue was stored, by the broker's clock, and when a client first saw it,
/// of true time, in ms.
type Stored = BTreeMap<QueueOffset, (u64, u64)>;

/// What is wrong with an answer.
fn wrong(asked: &Asked, stored: &Stored, min: QueueOffset) -> Option<String> {
    let Question::Time(time_ms, boundary) = asked.question else { return None };
    let answer = asked.answer;
    stored.iter().find_map(|(offset, (stored_ms, seen_ms))| {
        let was_there = *seen_ms < asked.started_ms;
        let is_wrong = match boundary {
            // Whatever lies below the answer was there, and older.
            Boundary::Lower if *offset < answer => *stored_ms >= time_ms,
            Boundary::Lower => was_there && *stored_ms < time_ms,
            Boundary::Upper if *offset < answer => *stored_ms > time_ms,
            Boundary::Upper if *offset == answer => answer > min && *stored_ms > time_ms,
            Boundary::Upper => was_there && *stored_ms <= time_ms,
        };
        is_wrong.then(|| format!("the message at {offset} was stored at {stored_ms} ms"))
    })
}

impl Invariant for SearchBrackets {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, _found: &mut Found) {
        for seen in event.what.seen() {
            if !self.seen.contains_key(&seen.queue) {
                self.seen.insert(seen.queue.clone(), BTreeMap::new());
            }
            let queue = self.seen.get_mut(&seen.queue).expect("it was made");
            // What was seen later stands: an earlier message at the place was lost.
            match queue.get_mut(&seen.offset) {
                Some((known, _, last_ms)) if known == seen => *last_ms = event.at_ms,
                _ => {
                    queue.insert(seen.offset, (seen.clone(), event.at_ms, event.at_ms));
                }
            }
        }
        if let Some(told) = event.what.bounds()
            && let Some(min) = told.min
        {
            let begins = self.begins.entry(told.queue.clone()).or_default();
            *begins = min.max(*begins);
        }
        if let What::Asked(asked) = &event.what
            && matches!(asked.question, Question::Time(..))
        {
            self.asked.push((event.index, event.at_ms, asked.clone()));
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, _disks: &[NodeDisk], found: &mut Found) {
        let mut before: Vec<&(usize, u64, Asked)> = Vec::new();
        let stored = self.stored(world);
        for this in &self.asked {
            let (event, at_ms, asked) = this;
            let node = world.node_of(&asked.queue).unwrap_or_default();
            let is_clock = |fault: &Fault| matches!(fault, Fault::Clock { .. });
            let is_lost =
                !world.owed_to_reader_of(&asked.queue, asked.started_ms, *at_ms).is_must();
            if is_lost || world.ledger.of(node).any(|entry| is_clock(&entry.fault)) {
                continue;
            }
            let none = Stored::new();
            let stored = stored.get(&asked.queue).unwrap_or(&none);
            let min = stored.first_key_value().map_or(asked.answer, |(min, _)| *min);
            let wrong = wrong(asked, stored, min);
            found.check(wrong.is_none(), [*event], || {
                let told = format!("{:?} of {} is {}", asked.question, asked.queue, asked.answer);
                format!("{told} and {}", wrong.unwrap_or_default())
            });
            let falls = before.iter().find(|earlier| falls(earlier, asked));
            let events = falls.map(|earlier| earlier.0).into_iter().chain([*event]);
            found.check(falls.is_none(), events, || {
                format!("{:?} of {} gives less than an earlier time", asked.question, asked.queue)
            });
            before.push(this);
        }
    }
}

impl SearchBrackets {
    /// What of all that was seen is still there for sure, and never was below a queue's start.
    fn stored(&self, world: &World<'_>) -> BTreeMap<&MessageQueue, Stored> {
        let mut stored: BTreeMap<&MessageQueue, Stored> = BTreeMap::new();
        for (queue, places) in &self.seen {
            let begins = self.begins.get(queue).copied().unwrap_or_default();
            let is_there = |(at, (seen, _, last_ms)): &(&QueueOffset, &(Seen, u64, u64))| {
                **at >= begins && world.owed_to_reader(seen, *last_ms).is_must()
            };
            let there = places.iter().filter(is_there);
            let times = there.map(|(at, (seen, ms, _))| (*at, (seen.store_timestamp, *ms)));
            stored.insert(queue, times.collect());
        }
        stored
    }
}

/// Whether a question that was answered before this one was asked got more for less.
fn falls((_, at_ms, earlier): &(usize, u64, Asked), asked: &Asked) -> bool {
    let (Question::Time(first_ms, first), Question::Time(then_ms, then)) =
        (earlier.question, asked.question)
    else {
        return false;
    };
    earlier.queue == asked.queue
        && first == then
        && *at_ms < asked.started_ms
        && first_ms <= then_ms
        && earlier.answer > asked.answer
}

#[cfg(test)]
#[path = "../../tests/within/search_brackets.rs"]
mod tests;
