//! Q4: a queue's lowest offset does not fall, and lies at or below the highest.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::Event;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct MinNeverFalls {
    /// By queue, the answers that raised the lowest offset.
    raised: BTreeMap<MessageQueue, Vec<Raised>>,
}

#[derive(Debug)]
struct Raised {
    event: usize,
    from_ms: u64,
    at_ms: u64,
    min: QueueOffset,
}

/// What Q4 claims.
const CLAIM: Claim = Claim {
    id: "Q4",
    sentence: "The lowest offset of a queue never falls, and is never above the highest.",
    source: "RocketMQ #10417: a truncation to nothing leaves the lowest above the highest",
    limits: "As pulls and questions without a group are answered; one after the other, not two at \
             a time. It may fall with a loss that the ledger excuses.",
};

impl Invariant for MinNeverFalls {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let Some(told) = event.what.bounds() else { return };
        let Some(min) = told.min else { return };
        found.check(told.max.is_none_or(|max| min <= max), [event.index], || {
            format!("{} begins at {min} and ends at {:?}", told.queue, told.max)
        });
        let raised = self.raised.entry(told.queue.clone()).or_default();
        let is_higher = |before: &&Raised| {
            let is_earlier = before.at_ms < told.started_ms && before.min > min;
            let owed = || world.owed_to_reader_of(told.queue, before.from_ms, before.at_ms);
            is_earlier && owed().is_must()
        };
        let first = raised.iter().find(is_higher);
        let events = first.map(|before| before.event).into_iter().chain([event.index]);
        found.check(first.is_none(), events, || {
            format!("{} began at {:?}, now at {min}", told.queue, first.map(|before| before.min))
        });
        // What was just told stands instead of higher answers before.
        raised.retain(|before| before.min <= min || before.at_ms >= told.started_ms);
        if raised.last().is_none_or(|before| before.min < min) {
            let (event, at_ms) = (event.index, event.at_ms);
            raised.push(Raised { event, from_ms: told.started_ms, at_ms, min });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Pull, What};
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, pull};

    fn pulled(run: &mut Run, started_ms: u64, min: u64, max: u64) -> usize {
        let (min, max) = (QueueOffset(min), QueueOffset(max));
        run.event(What::Pulled(Pull { started_ms, min, max, ..pull(0) }))
    }

    #[test]
    fn rising_is_fine_and_so_are_answers_that_overlap_and_an_excused_loss() {
        let mut run = Run::new(MinNeverFalls::default(), Flush::Async);
        let began = run.now_ms();
        for min in [0, 3, 3] {
            let now = run.now_ms();
            run.pass(1);
            pulled(&mut run, now + 1, min, 5);
        }
        pulled(&mut run, began, 0, 5);
        run.fault(Fault::PowerLoss);
        run.fault(Fault::Started);
        let now = run.now_ms();
        pulled(&mut run, now, 0, 0);
        run.assert_green();
    }

    #[test]
    fn falling_and_lying_above_the_highest_are_caught() {
        let mut run = Run::new(MinNeverFalls::default(), Flush::Sync);
        pulled(&mut run, 1_000, 3, 5);
        run.fault(Fault::PowerLoss);
        let now = run.now_ms();
        pulled(&mut run, now, 2, 5);
        run.assert_red(&[0, 1]);
        let mut run = Run::new(MinNeverFalls::default(), Flush::Sync);
        pulled(&mut run, 1_000, 3, 2);
        run.assert_red(&[0]);
    }
}
