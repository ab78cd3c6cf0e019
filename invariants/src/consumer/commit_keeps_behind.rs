//! C2: a commit never passes what is still in flight.

use std::collections::{BTreeMap, BTreeSet};

use message::{MessageQueue, QueueOffset};

use super::reused_place::{Cuts, Reach};
use crate::history::{Event, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct CommitKeepsBehind {
    /// By group and queue, the messages that reached a member and that nobody has finished.
    open: BTreeMap<(String, MessageQueue), BTreeMap<QueueOffset, Open>>,
    /// Where the open messages of a group stand.
    places: BTreeMap<(String, Identity), (MessageQueue, QueueOffset)>,
    /// What a group has finished: it may come again, and need not be finished again.
    done: BTreeSet<(String, Identity)>,
    cuts: Cuts,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    id: Identity,
    event: usize,
}

/// What C2 claims.
const CLAIM: Claim = Claim {
    id: "C2",
    sentence: "A group's commit never passes a message that reached one of its members and that \
               none of them has finished.",
    source: "museum 87; internals.md 11.3: the lowest offset in flight is the ceiling",
    limits: "Messages that are owed, of one place. What a member handed back for a retry counts \
             as open, too: none of ours does yet.",
};

impl Invariant for CommitKeepsBehind {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Delivered { group, seen, .. } => {
                let Some(id) = seen.id else { return };
                let key = (group.clone(), id);
                if self.done.contains(&key) {
                    return;
                }
                let place = (seen.queue.clone(), seen.offset);
                let queue = self.open.entry((group.clone(), seen.queue.clone())).or_default();
                queue.insert(seen.offset, Open { id, event: event.index });
                self.places.insert(key, place);
            }
            What::Processed { group, id, .. } => {
                let key = (group.clone(), *id);
                self.done.insert(key.clone());
                let Some((queue, offset)) = self.places.get(&key) else { return };
                let queue = self.open.entry((group.clone(), queue.clone())).or_default();
                if queue.get(offset).is_some_and(|open| open.id == *id) {
                    queue.remove(offset);
                }
            }
            What::Reset { group, queue, .. } => {
                self.open.remove(&(group.clone(), queue.clone()));
            }
            What::Committed { group, queue, offset } => {
                let key = (group.clone(), queue.clone());
                let below = self.open.get(&key).into_iter().flat_map(|open| open.range(..*offset));
                let passed = first_owed(world, below, &self.cuts);
                let events = passed.map(|(_, open)| open.event).into_iter().chain([event.index]);
                found.check(passed.is_none(), events, || {
                    let what = passed.map(|(at, open)| (open.id, *at));
                    format!("{group} committed {offset} of {queue} past {what:?}")
                });
            }
            _ => {}
        }
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, _found: &mut Found) {
        self.cuts.note(world, recovery);
    }
}

/// The first that must still be there: what was lost cannot be finished any more. Nor is a place
/// meant that was another's before a loss: who stood behind it then passes it unawares.
fn first_owed<'a>(
    world: &World<'_>,
    below: impl Iterator<Item = (&'a QueueOffset, &'a Open)>,
    cuts: &Cuts,
) -> Option<(&'a QueueOffset, &'a Open)> {
    // Of the whole history, so only for who is in need of an excuse.
    let mut reach = None;
    let mut below = below;
    below.find(|(_, open)| {
        let sent = world.history.sent(open.id).filter(|sent| world.owed(sent).is_must());
        sent.is_some_and(|sent| {
            let reach = reach.get_or_insert_with(|| Reach::of(world.history.events(), cuts));
            reach.excuse(world, sent).is_none()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, queue, seen};

    fn processed(run: &mut Run, id: Identity) {
        run.event(What::Processed { group: "g".into(), consumer: "c".into(), id });
    }

    fn commit(run: &mut Run, offset: u64) -> usize {
        let offset = QueueOffset(offset);
        run.event(What::Committed { group: "g".into(), queue: queue(), offset })
    }

    #[test]
    fn a_commit_up_to_what_is_in_flight_and_past_what_another_finished_are_fine() {
        let mut run = Run::new(CommitKeepsBehind::default(), Flush::Sync);
        let (a, b) = (run.send(0, 0), run.send(1, 1));
        run.deliver(seen(a, 0));
        run.deliver(seen(b, 1));
        processed(&mut run, b);
        commit(&mut run, 0);
        run.deliver(seen(a, 0));
        processed(&mut run, a);
        commit(&mut run, 2);
        run.deliver(seen(b, 1));
        commit(&mut run, 2);
        run.assert_green();
    }

    #[test]
    fn a_commit_past_a_message_in_flight_is_caught() {
        let mut run = Run::new(CommitKeepsBehind::default(), Flush::Sync);
        let (a, b) = (run.send(0, 0), run.send(1, 1));
        let delivered = run.deliver(seen(a, 0));
        run.deliver(seen(b, 1));
        processed(&mut run, b);
        let commit = commit(&mut run, 2);
        run.assert_red(&[delivered, commit]);
    }
}
