//! I1: a message arrives as it was sent.

use message::topic;

use crate::history::Event;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ContentIsAsSent;

/// What I1 claims.
const CLAIM: Claim = Claim {
    id: "I1",
    sentence: "Body, flag, tag, keys, the user's properties and the topic are equal to what was \
               sent.",
    source: "a broker carries, it does not write",
    limits: "Born host and time are not compared: the producer's client sets them. The topic of a \
             retried message or a dead letter is another by design. A page that the ledger says \
             was misdirected behind the message's start may have met what no checksum covers.",
};

impl Invariant for ContentIsAsSent {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        for seen in event.what.seen() {
            let Some(sent) = seen.id.and_then(|id| world.history.sent(id)) else { continue };
            let events = || [sent.started, event.index];
            let is_equal = seen.digest == sent.digest;
            found.check(is_equal || world.is_beyond_checksums(seen), events(), || {
                format!("{} does not hold what was sent", sent.id)
            });
            let topic = &seen.queue.topic;
            let is_moved = topic::is_retry(topic) || topic::is_dead_letter(topic);
            found.check(is_moved || *topic == sent.topic, events(), || {
                format!("{} was sent to {} and came from {topic}", sent.id, sent.topic)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::history::Seen;
    use crate::promise::Flush;
    use crate::testing::{Run, queue, seen};
    use message::MessageQueue;

    fn from(topic: &str, seen: Seen) -> Seen {
        Seen { queue: MessageQueue { topic: topic.into(), ..queue() }, ..seen }
    }

    #[test]
    fn an_equal_message_is_fine_also_from_the_retry_topic() {
        let mut run = Run::new(ContentIsAsSent, Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        run.deliver(from("%RETRY%g", seen(a, 7)));
        run.assert_green();
    }

    #[test]
    fn another_content_and_another_topic_are_caught() {
        let mut run = Run::new(ContentIsAsSent, Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(Seen { digest: Digest(1), ..seen(a, 0) });
        run.assert_red(&[0, 2]);
        let mut run = Run::new(ContentIsAsSent, Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(from("u", seen(a, 0)));
        run.assert_red(&[0, 2]);
    }
}
