//! Q5: a message is found where its answer said, and only there.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::disk::{NodeDisk, Record};
use crate::history::{Event, Kind, Seen, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// A place that a message was seen at, and the event.
type Sighting = (usize, MessageQueue, QueueOffset);

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AckNamesThePlace {
    /// Where each message was first seen in its own topic.
    first_seen: BTreeMap<Identity, Sighting>,
}

/// What Q5 claims.
const CLAIM: Claim = Claim {
    id: "Q5",
    sentence: "An attempt is stored at one place of its topic, and that is the place its answer \
               names.",
    source: "SendResult.queueOffset; an attempt that is stored twice is the broker's doing",
    limits: "Plain messages, in the topic they were sent to: retried copies have places of their \
             own. Needs the client's own retries switched off.",
};

impl Invariant for AckNamesThePlace {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let plain = |id: Identity| world.history.sent(id).filter(|sent| sent.kind == Kind::Plain);
        for seen in event.what.seen() {
            let Some(sent) = seen.id.and_then(plain) else { continue };
            if seen.queue.topic == sent.topic {
                self.seen(sent, seen, event.index, found);
            }
        }
        let What::SendEnded { id, .. } = &event.what else { return };
        let Some(sent) = plain(*id) else { return };
        let (Some(placed), Some((index, queue, offset))) = (sent.placed(), self.first_seen.get(id))
        else {
            return;
        };
        found.check(
            (&placed.queue, placed.offset) == (queue, *offset),
            [*index, event.index],
            || {
                let named = (&placed.queue, placed.offset);
                format!("{id} was seen at {queue} offset {offset} and its answer names {named:?}")
            },
        );
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            found.about(Some(&disk.node));
            let mut places: BTreeMap<Identity, Vec<&Record>> = BTreeMap::new();
            for record in &disk.log.records {
                let sent = record.id.and_then(|id| world.history.sent(id));
                let sent = sent.filter(|sent| sent.kind == Kind::Plain);
                if let Some(sent) = sent.filter(|sent| sent.topic == record.topic) {
                    places.entry(sent.id).or_default().push(record);
                }
            }
            for (id, records) in places {
                let events = world.history.sent(id).map(Sent::indices).unwrap_or_default();
                found.check(records.len() == 1, events, || {
                    let at: Vec<u64> = records.iter().map(|record| record.address).collect();
                    format!("{id} stands at {at:?} of the log")
                });
            }
            found.about(None);
        }
    }
}

impl AckNamesThePlace {
    fn seen(&mut self, sent: &Sent, seen: &Seen, event: usize, found: &mut Found) {
        let now = || (event, seen.queue.clone(), seen.offset);
        let (first, queue, offset) = self.first_seen.entry(sent.id).or_insert_with(now);
        found.check((&*queue, *offset) == (&seen.queue, seen.offset), [*first, event], || {
            let (id, there, at) = (sent.id, &seen.queue, seen.offset);
            format!("{id} was seen at {queue} offset {offset} and at {there} offset {at}")
        });
        let Some(placed) = sent.placed() else { return };
        let events = sent.indices().into_iter().chain([event]);
        let named = (&placed.queue, placed.offset);
        found.check(named == (&seen.queue, seen.offset), events, || {
            let (there, at) = (&seen.queue, seen.offset);
            format!("{}'s answer names {named:?} and it was seen at {there} offset {at}", sent.id)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, placed, seen};

    #[test]
    fn a_message_at_its_place_is_fine_and_so_is_a_retry_elsewhere() {
        let mut run = Run::new(AckNamesThePlace::default(), Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 0));
        run.end(a, Outcome::Ok(placed(0)));
        run.deliver(seen(a, 0));
        let retry = MessageQueue::new("%RETRY%g", "b", 0);
        run.deliver(Seen { queue: retry, ..seen(a, 9) });
        run.quiet(&[disk(&[a])]);
        run.assert_green();
    }

    #[test]
    fn a_message_at_another_place_is_caught_before_and_after_its_answer() {
        let mut run = Run::new(AckNamesThePlace::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 1));
        run.assert_red(&[0, 1, 2]);
        let mut run = Run::new(AckNamesThePlace::default(), Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 1));
        run.end(a, Outcome::Weak(placed(0)));
        run.assert_red(&[1, 2]);
    }

    #[test]
    fn an_attempt_that_is_stored_twice_is_caught() {
        let mut run = Run::new(AckNamesThePlace::default(), Flush::Sync);
        let a = run.begin(0);
        run.quiet(&[disk(&[a, a])]);
        run.assert_red(&[0]);
        let mut run = Run::new(AckNamesThePlace::default(), Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 0));
        run.deliver(seen(a, 1));
        run.assert_red(&[1, 2]);
    }
}
