//! E3: a reader that lags behind the deletion is told, and where to go on.

use crate::history::{Event, PullStatus, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct LaggingReaderIsTold;

/// What E3 claims.
const CLAIM: Claim = Claim {
    id: "E3",
    sentence: "A pull below the queue's lowest offset is told so, and lands on that offset.",
    source: "OFFSET_TOO_SMALL of PULL_MESSAGE; RocketMQ #1825, #3503: groups sent to 0",
    limits: "Pulls of readers that belong to no group, by the lowest offset of the same answer.",
};

impl Invariant for LaggingReaderIsTold {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, found: &mut Found) {
        let What::Pulled(pull) = &event.what else { return };
        if pull.from >= pull.min {
            return;
        }
        let is_told = pull.status == PullStatus::Illegal && pull.next == pull.min;
        found.check(is_told, [event.index], || {
            let (from, status, next, min) = (pull.from, pull.status, pull.next, pull.min);
            format!("a pull at {from} was answered {status:?}, go on at {next}; lowest is {min}")
        });
    }
}

#[cfg(test)]
mod tests {
    use message::QueueOffset;

    use super::*;
    use crate::history::Pull;
    use crate::promise::Flush;
    use crate::testing::{Run, queue};

    fn pulled(status: PullStatus, next: u64) -> What {
        What::Pulled(Pull {
            started_ms: 0,
            queue: queue(),
            from: QueueOffset(3),
            hold_ms: 0,
            status,
            next: QueueOffset(next),
            min: QueueOffset(7),
            max: QueueOffset(9),
            seen: Vec::new(),
        })
    }

    #[test]
    fn landing_on_the_lowest_offset_is_fine() {
        let mut run = Run::new(LaggingReaderIsTold, Flush::Sync);
        run.event(pulled(PullStatus::Illegal, 7));
        run.assert_green();
    }

    #[test]
    fn being_told_nothing_or_a_wrong_place_is_caught() {
        for wrong in [pulled(PullStatus::NotFound, 3), pulled(PullStatus::Illegal, 0)] {
            let mut run = Run::new(LaggingReaderIsTold, Flush::Sync);
            let event = run.event(wrong);
            run.assert_red(&[event]);
        }
    }
}
