//! Q3: a queue's highest offset does not fall.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::Event;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct MaxNeverFalls {
    /// By queue, the answers that raised the highest offset.
    raised: BTreeMap<MessageQueue, Vec<Raised>>,
}

#[derive(Debug)]
struct Raised {
    event: usize,
    from_ms: u64,
    at_ms: u64,
    max: QueueOffset,
}

/// What Q3 claims.
const CLAIM: Claim = Claim {
    id: "Q3",
    sentence: "The highest offset of a queue never falls, except by a loss that the ledger \
               excuses.",
    source: "what is visible is owed; RocketMQ #3503 (not ready, answered as an empty queue)",
    limits: "As pulls and questions without a group are answered; one after the other, \
             not two at a time.",
};

impl Invariant for MaxNeverFalls {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let Some(told) = event.what.bounds() else { return };
        let Some(max) = told.max else { return };
        let raised = self.raised.entry(told.queue.clone()).or_default();
        let is_higher = |before: &&Raised| {
            let is_earlier = before.at_ms < told.started_ms && before.max > max;
            let owed = || world.owed_to_reader_of(told.queue, before.from_ms, before.at_ms);
            is_earlier && owed().is_must()
        };
        let first = raised.iter().find(is_higher);
        let events = first.map(|before| before.event).into_iter().chain([event.index]);
        found.check(first.is_none(), events, || {
            format!("{} fell from {:?} to {max}", told.queue, first.map(|before| before.max))
        });
        // What was just told stands instead of higher answers before.
        raised.retain(|before| before.max <= max || before.at_ms >= told.started_ms);
        if raised.last().is_none_or(|before| before.max < max) {
            let (event, at_ms) = (event.index, event.at_ms);
            raised.push(Raised { event, from_ms: told.started_ms, at_ms, max });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Pull, PullStatus, What};
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{HORIZON_MS, Run, queue};

    fn pulled(run: &mut Run, started_ms: u64, max: u64) -> usize {
        run.event(What::Pulled(Pull {
            started_ms,
            queue: queue(),
            from: QueueOffset(0),
            hold_ms: 0,
            status: PullStatus::NotFound,
            next: QueueOffset(0),
            min: QueueOffset(0),
            max: QueueOffset(max),
            seen: vec![],
        }))
    }

    #[test]
    fn rising_is_fine_and_so_are_pulls_that_overlap() {
        let mut run = Run::new(MaxNeverFalls::default(), Flush::Sync);
        let began = run.now_ms();
        for max in [0, 2, 5] {
            let now = run.now_ms();
            run.pass(1);
            pulled(&mut run, now + 1, max);
        }
        pulled(&mut run, began, 3);
        run.assert_green();
    }

    #[test]
    fn falling_after_an_excused_loss_is_fine_once() {
        let mut run = Run::new(MaxNeverFalls::default(), Flush::Async);
        pulled(&mut run, 1_000, 5);
        run.fault(Fault::PowerLoss);
        run.fault(Fault::Started);
        run.pass(1);
        let now = run.now_ms();
        pulled(&mut run, now, 3);
        run.pass(HORIZON_MS);
        run.assert_green();
        let later = run.now_ms();
        pulled(&mut run, later, 2);
        run.assert_red(&[1, 2]);
    }

    #[test]
    fn an_answer_of_a_broker_that_is_not_ready_is_caught() {
        let mut run = Run::new(MaxNeverFalls::default(), Flush::Async);
        pulled(&mut run, 1_000, 5);
        run.fault(Fault::ProcessKill);
        run.fault(Fault::Started);
        let now = run.now_ms();
        pulled(&mut run, now, 0);
        run.assert_red(&[0, 1]);
    }
}
