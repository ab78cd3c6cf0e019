//! I19: whoever asks by key finds what has the key, and nothing else.

use std::collections::BTreeSet;

use crate::history::{Event, Queried, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::outcome::Class;
use crate::queue_log::VISIBLE_MS_MAX;
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct KeyFindsItsMessages;

/// What I19 claims.
const CLAIM: Claim = Claim {
    id: "I19",
    sentence: "A query by key that begins long enough after a message with that key was OK finds \
               it, and no answer holds a message that has not the key.",
    source: "internals.md 14.3 I19; RocketMQ #3613: messages of other keys with the same hash \
             (15.1 #24); S3 from the client's view",
    limits: "Where an answer holds as many messages as were asked for, only those newer than its \
             oldest are owed. Not on nodes whose disk rots, nor after an error of the disk until \
             a restart. A message whose loss the ledger excuses may be missing for ever.",
};

impl Invariant for KeyFindsItsMessages {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::Queried(queried) = &event.what else { return };
        found.check(queried.strangers == 0, [event.index], || {
            let Queried { strangers, key, topic, .. } = queried;
            format!("{strangers} messages for {key} of {topic} have another key")
        });
        for id in queried.seen.iter().filter_map(|seen| seen.id) {
            let has_key = world.history.sent(id).is_none_or(|sent| has_key(sent, queried));
            found.check(has_key, [event.index], || {
                format!("{id:?} was not sent with the key {}", queried.key)
            });
        }
        let Some(missing) = missing(world, event, queried) else { return };
        let events = missing.map(Sent::indices).unwrap_or_default();
        found.check(missing.is_none(), events.into_iter().chain([event.index]), || {
            let Queried { key, topic, broker_name, .. } = queried;
            let id = missing.map(|sent| sent.id);
            format!("{id:?} was OK and {broker_name} does not find it by {key} of {topic}")
        });
    }
}

fn has_key(sent: &Sent, queried: &Queried) -> bool {
    sent.topic == queried.topic && sent.keys.contains(&queried.key)
}

/// A message that is owed and was not found; `None` outside when nothing can be owed now.
fn missing<'a>(world: &World<'a>, event: &Event, queried: &Queried) -> Option<Option<&'a Sent>> {
    let node = world.cluster.get(&queried.broker_name)?.node.as_str();
    if world.ledger.of(node).any(|entry| matches!(entry.fault, Fault::BitRot { .. })) {
        return None;
    }
    let calm_ms = world.calm_since(node, event.at_ms)?;
    let seen: BTreeSet<Identity> = queried.seen.iter().filter_map(|seen| seen.id).collect();
    let oldest = queried.seen.iter().map(|seen| seen.address).min();
    let cut = oldest.filter(|_| queried.seen.len() >= queried.count_max);
    let is_due = |sent: &&Sent| {
        let Some((ended, placed)) = sent.ended.as_ref().zip(sent.placed()) else { return false };
        let due_ms = ended.at_ms.max(calm_ms).saturating_add(VISIBLE_MS_MAX);
        sent.class() == Class::Ok
            && placed.queue.broker_name == queried.broker_name
            && due_ms < queried.started_ms
            && cut.is_none_or(|cut| placed.address().is_some_and(|address| address > cut))
    };
    let mut due = world.history.all_sent().filter(|sent| has_key(sent, queried)).filter(is_due);
    Some(due.find(|sent| !seen.contains(&sent.id) && world.owed(sent).is_must()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Kind;
    use crate::promise::Flush;
    use crate::testing::{Run, message, placed, seen};

    fn send(run: &mut Run, op: u32, key: &str) -> Identity {
        let id = Identity::new(1, op, 0);
        run.event(What::send_started(&message(id).with_keys(key), Kind::Plain));
        run.end(id, crate::history::Outcome::Ok(placed(u64::from(op))));
        id
    }

    fn ask(run: &mut Run, key: &str, found: &[Identity], strangers: usize) -> usize {
        let started_ms = run.now_ms();
        let seen = found.iter().map(|id| seen(*id, u64::from(id.op))).collect();
        let (broker_name, topic, key) = ("b".to_owned(), "t".to_owned(), key.to_owned());
        let count_max = 2;
        let queried = Queried { started_ms, broker_name, topic, key, count_max, seen, strangers };
        run.event(What::Queried(queried))
    }

    #[test]
    fn young_ones_those_beyond_the_count_and_an_excused_loss_may_be_missing() {
        let mut run = Run::new(KeyFindsItsMessages, Flush::Async);
        let ids: Vec<Identity> = (0..3).map(|op| send(&mut run, op, "k other")).collect();
        ask(&mut run, "k", &[], 0);
        run.pass(2 * VISIBLE_MS_MAX);
        ask(&mut run, "k", &ids[1..], 0);
        ask(&mut run, "nobody", &[], 0);
        let late = send(&mut run, 3, "last");
        run.fault(Fault::PowerLoss);
        run.fault(Fault::Started);
        run.pass(2 * VISIBLE_MS_MAX);
        ask(&mut run, "last", &[], 0);
        ask(&mut run, "last", &[late], 0);
        run.assert_green();
    }

    #[test]
    fn a_message_that_its_key_does_not_find_is_caught() {
        let mut run = Run::new(KeyFindsItsMessages, Flush::Sync);
        send(&mut run, 0, "k");
        run.pass(2 * VISIBLE_MS_MAX);
        ask(&mut run, "k", &[], 0);
        run.assert_red(&[0, 1, 2]);
    }

    #[test]
    fn messages_of_another_key_are_caught_whoever_leaves_them_out() {
        let mut run = Run::new(KeyFindsItsMessages, Flush::Sync);
        let other = send(&mut run, 0, "BB");
        ask(&mut run, "Aa", &[other], 0);
        run.assert_red(&[2]);
        let mut run = Run::new(KeyFindsItsMessages, Flush::Sync);
        ask(&mut run, "Aa", &[], 1);
        run.assert_red(&[0]);
    }
}
