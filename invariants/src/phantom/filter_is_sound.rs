//! P5 and P6: a group gets what it asked for, and nothing else.

use std::collections::BTreeMap;

use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// What a group wants of a topic; `None` is all of it.
type Wanted = Option<Vec<String>>;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct FilterIsSound {
    /// By group and topic.
    subscribed: BTreeMap<(String, String), Wanted>,
}

/// What P5 claims.
const CLAIM: Claim = Claim {
    id: "P5",
    sentence: "A group gets messages of the topics that it subscribed to, with the tags that it \
               wants, and of no others.",
    source: "internals.md 5.3: the broker compares codes of tags, which collide; catalogue P5, P6",
    limits: "That everything it wants comes is C3's.",
};

impl Invariant for FilterIsSound {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Subscribed { group, topic, tags } => {
                self.subscribed.insert((group.clone(), topic.clone()), tags.clone());
            }
            What::Delivered { group, seen, .. } => {
                // A stranger is P1's.
                let Some(sent) = seen.id.and_then(|id| world.history.sent(id)) else { return };
                let wanted = self.subscribed.get(&(group.clone(), sent.topic.clone()));
                let tag = sent.tag.as_ref();
                let is_wanted = wanted.is_some_and(|tags| {
                    tags.as_ref().is_none_or(|tags| tag.is_some_and(|tag| tags.contains(tag)))
                });
                let is_there = seen.queue.topic == sent.topic;
                found.check(is_wanted && is_there, [sent.started, event.index], || {
                    let (id, topic, queue) = (sent.id, &sent.topic, &seen.queue);
                    format!("{group} wants {wanted:?} and got {id} of {topic}, {tag:?}, by {queue}")
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use message::MessageQueue;

    use super::*;
    use crate::history::Seen;
    use crate::promise::Flush;
    use crate::testing::{Run, seen};

    /// A run in which the group wants these tags of topic `t`; messages of it have tag `x`.
    fn subscribed(tags: Option<&[&str]>) -> Run {
        let mut run = Run::new(FilterIsSound::default(), Flush::Sync);
        let tags = tags.map(|tags| tags.iter().map(|&tag| tag.to_owned()).collect());
        run.event(What::Subscribed { group: "g".into(), topic: "t".into(), tags });
        run
    }

    #[test]
    fn what_is_wanted_is_fine() {
        for tags in [None, Some(&["w", "x"][..])] {
            let mut run = subscribed(tags);
            let a = run.send(0, 0);
            run.deliver(seen(a, 0));
            run.assert_green();
        }
    }

    #[test]
    fn another_tag_another_topic_and_no_subscription_are_caught() {
        let mut run = subscribed(Some(&["w"]));
        let a = run.send(0, 0);
        let event = run.deliver(seen(a, 0));
        run.assert_red(&[1, event]);

        let mut run = subscribed(None);
        let a = run.send(0, 0);
        let elsewhere = MessageQueue::new("u", "b", 0);
        let event = run.deliver(Seen { queue: elsewhere, ..seen(a, 0) });
        run.assert_red(&[1, event]);

        let mut run = Run::new(FilterIsSound::default(), Flush::Sync);
        let a = run.send(0, 0);
        let event = run.deliver(seen(a, 0));
        run.assert_red(&[0, event]);
    }
}
