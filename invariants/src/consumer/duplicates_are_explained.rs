//! C4: nobody gets twice what it has finished, unless it was told to go back.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The messages of one member: those that it finished, with the event, those that it has, and how
/// often those that it had when it was told to begin anew: which attempt ends is not told.
#[derive(Debug, Default)]
struct Member {
    at: BTreeMap<Identity, (MessageQueue, QueueOffset)>,
    from_before: BTreeMap<Identity, usize>,
    done: BTreeMap<(MessageQueue, QueueOffset), (Identity, usize)>,
}

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct DuplicatesAreExplained {
    members: BTreeMap<(String, String), Member>,
}

/// What C4 claims.
const CLAIM: Claim = Claim {
    id: "C4",
    sentence: "A member is not handed a message again that it has finished, unless it was told to \
               begin its queue anew in between.",
    source: "internals.md 11.3; Jepsen's duplicate: each must have a reason that can be named",
    limits: "By place: an attempt that is stored twice is Q5's. That a new beginning is no step \
             back is C1's, so that together no duplicate is without a cause.",
};

impl Invariant for DuplicatesAreExplained {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Delivered { group, consumer, seen, .. } => {
                let Some(id) = seen.id else { return };
                let member = self.members.entry((group.clone(), consumer.clone())).or_default();
                let place = (seen.queue.clone(), seen.offset);
                let done = member.done.get(&place).filter(|(done, _)| *done == id);
                let events = done.map(|(_, finished)| *finished).into_iter().chain([event.index]);
                found.check(done.is_none(), events, || {
                    format!("{consumer} finished {id} before and gets it from {} again", place.0)
                });
                member.at.insert(id, place);
            }
            What::Processed { group, consumer, id } => {
                let key = (group.clone(), consumer.clone());
                let Some(member) = self.members.get_mut(&key) else { return };
                if let Some(attempts) = member.from_before.get_mut(id).filter(|left| **left > 0) {
                    *attempts -= 1;
                } else if let Some(place) = member.at.remove(id) {
                    member.done.insert(place, (*id, event.index));
                }
            }
            What::Rewound { group, consumer, queue, .. } => {
                let key = (group.clone(), consumer.clone());
                let Some(member) = self.members.get_mut(&key) else { return };
                // What is in its hands now may end behind the new beginning, and come again.
                let Member { at, from_before, .. } = member;
                at.retain(|id, (at, _)| {
                    *from_before.entry(*id).or_default() += usize::from(at == queue);
                    at != queue
                });
                member.done.retain(|(at, _), _| at != queue);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, queue, seen};

    fn processed(run: &mut Run, id: Identity) -> usize {
        run.event(What::Processed { group: "g".into(), consumer: "c".into(), id })
    }

    #[test]
    fn again_after_a_failure_or_a_new_beginning_is_fine() {
        let mut run = Run::new(DuplicatesAreExplained::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        run.deliver(seen(a, 0));
        processed(&mut run, a);
        let (group, consumer, to) = ("g".into(), "c".into(), QueueOffset(0));
        run.event(What::Rewound { group, consumer, queue: queue(), to });
        run.deliver(seen(a, 0));
        run.assert_green();
    }

    /// replaced_disk, seed 624561: the first attempt ended well while the second was under way,
    /// which failed then and was tried once more.
    #[test]
    fn an_attempt_from_before_a_new_beginning_finishes_no_later_one() {
        let mut run = Run::new(DuplicatesAreExplained::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        let (group, consumer, to) = ("g".into(), "c".into(), QueueOffset(0));
        run.event(What::Rewound { group, consumer, queue: queue(), to });
        run.deliver(seen(a, 0));
        processed(&mut run, a);
        run.deliver(seen(a, 0));
        let finished = processed(&mut run, a);
        run.assert_green();
        let again = run.deliver(seen(a, 0));
        run.assert_red(&[finished, again]);
    }

    #[test]
    fn again_without_a_cause_is_caught() {
        let mut run = Run::new(DuplicatesAreExplained::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        let finished = processed(&mut run, a);
        let again = run.deliver(seen(a, 0));
        run.assert_red(&[finished, again]);
    }
}
