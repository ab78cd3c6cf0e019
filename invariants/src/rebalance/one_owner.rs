//! B1: each queue has exactly one owner in a group.

use std::collections::{BTreeMap, BTreeSet};

use message::MessageQueue;

use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::world::World;

/// So long nobody must have come or gone, and nothing have struck, before owners are judged, in
/// ms: two rounds of dealing (20 s each), and a heartbeat in between.
const DEALING_MS_MAX: u64 = 60_000;

/// So long a broker counts on a member of whom it hears nothing, in ms: its machine lost its power,
/// or its leave went into a dead connection. It waits for 120 s without a heartbeat; then comes the
/// next dealing.
const SILENT_MS_MAX: u64 = 120_000 + 10_000 + DEALING_MS_MAX;

/// What a member was told last.
#[derive(Debug)]
struct Told {
    event: usize,
    at_ms: u64,
    queues: Vec<MessageQueue>,
}

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct OneOwner {
    /// By group, then by the member's node.
    owned: BTreeMap<String, BTreeMap<String, Told>>,
    /// What each group subscribed to.
    topics: BTreeMap<String, BTreeSet<String>>,
}

/// What B1 claims.
const CLAIM: Claim = Claim {
    id: "B1",
    sentence: "When everything is consumed and all was calm for a minute, each queue in which a \
               message is owed has exactly one owner in each group.",
    source: "internals.md 11.3; RocketMQ #1547, #9830",
    limits: "One look in a run, before members leave; none where in the last three minutes a \
             member lost its power or the network was cut, for its broker cannot know. Other \
             queues may be without an owner here; nobody may own them twice.",
};

impl Invariant for OneOwner {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::Subscribed { group, topic, .. } => {
                self.topics.entry(group.clone()).or_default().insert(topic.clone());
            }
            What::Rebalanced { group, consumer, queues } => {
                let (event, at_ms, queues) = (event.index, event.at_ms, queues.clone());
                let members = self.owned.entry(group.clone()).or_default();
                members.insert(node_of(consumer).to_owned(), Told { event, at_ms, queues });
            }
            What::Drained => self.look(world, event, found),
            _ => {}
        }
    }
}

/// The node of a member: what its name says before the first dot.
fn node_of(consumer: &str) -> &str {
    consumer.split('.').next().unwrap_or(consumer)
}

impl OneOwner {
    fn look(&self, world: &World<'_>, event: &Event, found: &mut Found) {
        let is_calm = |since_ms: u64| since_ms.saturating_add(DEALING_MS_MAX) <= event.at_ms;
        if !is_calm(world.undisturbed_since(event.at_ms)) {
            return;
        }
        let is_young = |at_ms: u64| at_ms.saturating_add(SILENT_MS_MAX) > event.at_ms;
        let was_cut = |entry: &Entry| match entry.fault {
            Fault::Network { for_ms, .. } => is_young(entry.at_ms.saturating_add(for_ms)),
            _ => false,
        };
        if world.ledger.entries().iter().any(was_cut) {
            return;
        }
        let is_silent = |node: &String| {
            let mut of = world.ledger.of(node);
            of.any(|at| at.fault == Fault::PowerLoss && is_young(at.at_ms))
        };
        for (group, members) in &self.owned {
            if members.keys().any(is_silent) {
                continue;
            }
            let lives = |node: &&String| world.ledger.down(node).is_none();
            let living: Vec<&Told> =
                members.iter().filter(|(node, _)| lives(node)).map(|(_, told)| told).collect();
            if living.is_empty() || !living.iter().all(|told| is_calm(told.at_ms)) {
                continue;
            }
            let told = living.iter().flat_map(|told| &told.queues);
            for queue in told.chain(&self.stored(world, group)).collect::<BTreeSet<_>>() {
                let owners = living.iter().filter(|told| told.queues.contains(queue));
                let owners: Vec<usize> = owners.map(|told| told.event).collect();
                let count = owners.len();
                found.check(count == 1, owners.into_iter().chain([event.index]), || {
                    format!("{queue} has {count} owners in {group}")
                });
            }
        }
    }

    /// The queues of the group's topics in which a message is owed, on nodes that live.
    fn stored(&self, world: &World<'_>, group: &str) -> BTreeSet<MessageQueue> {
        let Some(topics) = self.topics.get(group) else { return BTreeSet::new() };
        let owed = world.history.all_sent().filter(|sent| world.owed(sent).is_must());
        let placed = owed.filter_map(|sent| sent.placed());
        let queues = placed.map(|placed| &placed.queue).filter(|at| topics.contains(&at.topic));
        let is_up = |queue: &&MessageQueue| {
            world.node_of(queue).is_some_and(|node| world.ledger.down(node).is_none())
        };
        queues.filter(is_up).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, queue};

    fn run() -> Run {
        let mut run = Run::new(OneOwner::default(), Flush::Sync);
        run.event(What::Subscribed { group: "g".into(), topic: "t".into(), tags: None });
        run.send(0, 0);
        run
    }

    fn told(run: &mut Run, consumer: &str, queues: &[MessageQueue]) -> usize {
        let (group, consumer, queues) = ("g".into(), consumer.into(), queues.to_vec());
        run.event(What::Rebalanced { group, consumer, queues })
    }

    #[test]
    fn one_owner_is_fine_also_in_its_second_life_and_too_early_nobody_judges() {
        let mut run = run();
        let empty = MessageQueue::new("t", "b", 1);
        told(&mut run, "a.0.0", &[queue(), empty]);
        told(&mut run, "b.0.0", &[queue()]);
        run.event(What::Drained);
        told(&mut run, "a.1.0", &[]);
        run.pass(DEALING_MS_MAX);
        run.event(What::Drained);
        run.assert_green();
        run.fault(Fault::Network { what: "cut".into(), for_ms: 5 });
        told(&mut run, "b.0.0", &[]);
        run.pass(2 * DEALING_MS_MAX);
        run.event(What::Drained);
        run.assert_green();
    }

    #[test]
    fn two_owners_and_none_are_caught() {
        let mut both = run();
        let a = told(&mut both, "a.0.0", &[queue()]);
        let b = told(&mut both, "b.0.0", &[queue()]);
        both.pass(DEALING_MS_MAX);
        let drained = both.event(What::Drained);
        both.assert_red(&[a, b, drained]);

        let mut none = run();
        told(&mut none, "a.0.0", &[]);
        none.pass(DEALING_MS_MAX);
        let drained = none.event(What::Drained);
        none.assert_red(&[drained]);
    }
}
