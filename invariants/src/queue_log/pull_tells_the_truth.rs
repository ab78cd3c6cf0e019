//! Q7: what a pull is told fits the bounds it is told.

use crate::history::{Event, Pull, PullStatus, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct PullTellsTheTruth;

/// What Q7 claims.
const CLAIM: Claim = Claim {
    id: "Q7",
    sentence: "A pull's code fits the bounds in the same answer: illegal only outside of them, and \
               then the suggested offset lies in them; found and unmatched only within, and on.",
    source: "RocketMQ #1825, #2181, #3503; internals.md 5",
    limits: "Pulls of readers without a group. Right after a start a broker may not know its \
             queues' ends yet: then it tells none, and refuses.",
};

/// What is wrong with an answer.
fn wrong(pull: &Pull) -> Option<&'static str> {
    let (from, next, min, max) = (pull.from, pull.next, pull.min, pull.max);
    let is_within = min <= from && from < max;
    match pull.status {
        PullStatus::Found if pull.seen.is_empty() => Some("found, and no message"),
        PullStatus::Found | PullStatus::NoMatch if !is_within => {
            Some("messages where the queue has none")
        }
        PullStatus::Found | PullStatus::NoMatch if next <= from || next > max => {
            Some("the next offset is not behind this one or not in the queue")
        }
        PullStatus::NotFound if next != from => Some("nothing there, and the offset moved"),
        PullStatus::NotFound if from != max => Some("nothing there, and it is not the end"),
        PullStatus::Illegal if min <= from && from <= max => {
            Some("illegal, and it is in the queue")
        }
        PullStatus::Illegal if next < min || next > max => {
            Some("the suggested offset is not in the queue")
        }
        PullStatus::Illegal if from < min && next != min => Some("too small, and not sent to min"),
        _ => None,
    }
}

impl Invariant for PullTellsTheTruth {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _: &World<'_>, event: &Event, found: &mut Found) {
        let What::Pulled(pull) = &event.what else { return };
        let wrong = wrong(pull);
        found.check(wrong.is_none(), [event.index], || {
            let (from, next, min, max) = (pull.from, pull.next, pull.min, pull.max);
            let said = format!("{:?}, next {next}, min {min}, max {max}", pull.status);
            format!("a pull of {} from {from} says {said}: {}", pull.queue, wrong.unwrap_or(""))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{Run, pull, seen};
    use PullStatus::{Found as Got, Illegal, NoMatch, NotFound};
    use message::QueueOffset;

    fn told(run: &mut Run, status: PullStatus, from: u64, next: u64) -> usize {
        let (min, max) = (QueueOffset(2), QueueOffset(5));
        let next = QueueOffset(next);
        let seen: Vec<Seen> = match status {
            Got => vec![seen(Identity::new(1, 0, 0), from)],
            _ => vec![],
        };
        run.event(What::Pulled(Pull { status, next, min, max, seen, ..pull(from) }))
    }

    #[test]
    fn truthful_answers_are_fine() {
        let mut run = Run::new(PullTellsTheTruth, Flush::Sync);
        let truths =
            [(Got, 2, 3), (NoMatch, 3, 5), (NotFound, 5, 5), (Illegal, 0, 2), (Illegal, 9, 5)];
        for (status, from, next) in truths {
            told(&mut run, status, from, next);
        }
        run.assert_green();
    }

    #[test]
    fn each_lie_is_caught() {
        for (status, from, next) in [
            (Got, 1, 3),
            (Got, 5, 6),
            (Got, 3, 3),
            (NoMatch, 3, 6),
            (NotFound, 4, 4),
            (NotFound, 9, 9),
            (NotFound, 5, 0),
            (Illegal, 3, 2),
            (Illegal, 5, 2),
            (Illegal, 9, 0),
            (Illegal, 9, 6),
            (Illegal, 0, 5),
        ] {
            let mut run = Run::new(PullTellsTheTruth, Flush::Sync);
            let event = told(&mut run, status, from, next);
            run.assert_red(&[event]);
        }
    }
}
