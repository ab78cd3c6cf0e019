//! C3: every group gets every message it is owed.

use std::collections::BTreeSet;

use crate::disk::NodeDisk;
use crate::history::{Event, History, Kind, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::{Recovery, World};

use super::reused_place::{Cuts, Reach};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AtLeastOnce {
    processed: BTreeSet<(String, Identity)>,
    cuts: Cuts,
}

/// What C3 claims.
const CLAIM: Claim = Claim {
    id: "C3",
    sentence: "When all is quiet, every group has processed every OK message that is owed and that \
               was sent after it subscribed.",
    source: "at-least-once delivery; Jepsen's unseen",
    limits: "Plain messages. Not what lies below a reset, not what a node holds that is down at \
             the end (its last fault is the excuse), not after the group left, not in a place \
             that a power failure took from another message, the kernel behind a failed sync, \
             or a start that cut a damaged log (the failure is the excuse). Dead letters \
             and expiry are not modelled.",
};

impl Invariant for AtLeastOnce {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, _found: &mut Found) {
        if let What::Processed { group, id, .. } = &event.what {
            self.processed.insert((group.clone(), *id));
        }
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, _found: &mut Found) {
        self.cuts.note(world, recovery);
    }

    fn when_quiet(&mut self, world: &World<'_>, _disks: &[NodeDisk], found: &mut Found) {
        let left = |event: &Event, group: &String, topic: &String| {
            let rest = &world.history.events()[event.index..];
            rest.iter().any(|later| {
                matches!(&later.what, What::Unsubscribed { group: g, topic: t }
                    if (g, t) == (group, topic))
            })
        };
        let reach = Reach::of(world.history.events(), &self.cuts);
        for event in world.history.events() {
            let What::Subscribed { group, topic, tags } = &event.what else { continue };
            if left(event, group, topic) {
                continue;
            }
            let wants = |sent: &&Sent| {
                let tag = sent.tag.as_ref();
                let fits = tags.as_ref().is_none_or(|tags| tag.is_some_and(|t| tags.contains(t)));
                sent.started > event.index && sent.topic == *topic && fits && is_owed(world, sent)
            };
            let reset = resets(world.history, group);
            let is_reset = |sent: &Sent| reset.iter().any(|reset| is_below(reset, sent));
            let owed = world.history.all_sent().filter(wants).filter(|sent| !is_reset(sent));
            for sent in owed.filter(|sent| reach.excuse(world, sent).is_none()) {
                let is_done = self.processed.contains(&(group.clone(), sent.id));
                let events = sent.indices().into_iter().chain([event.index]);
                found.check(is_done, events, || format!("{group} never processed {}", sent.id));
            }
        }
    }
}

/// Whether a message must be there, on a node that could still deliver it.
fn is_owed(world: &World<'_>, sent: &Sent) -> bool {
    let node = sent.placed().and_then(|placed| world.node_of(&placed.queue));
    let is_up = node.is_some_and(|node| world.ledger.down(node).is_none());
    sent.kind == Kind::Plain && sent.class() == Class::Ok && is_up && world.owed(sent).is_must()
}

fn resets<'a>(history: &'a History, group: &str) -> Vec<&'a Event> {
    let is_reset =
        |event: &&Event| matches!(&event.what, What::Reset { group: g, .. } if g == group);
    history.events().iter().filter(is_reset).collect()
}

/// Whether a reset took this message from the group.
fn is_below(reset: &Event, sent: &Sent) -> bool {
    let (What::Reset { queue, to, .. }, Some(placed)) = (&reset.what, sent.placed()) else {
        return false;
    };
    placed.queue == *queue && placed.offset < *to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, queue};
    use message::QueueOffset;

    fn subscribed(tags: Option<&str>) -> (Run, usize) {
        let mut run = Run::new(AtLeastOnce::default(), Flush::Sync);
        let tags = tags.map(|tag| vec![tag.to_owned()]);
        let (group, topic) = ("g".to_owned(), "t".to_owned());
        let event = run.event(What::Subscribed { group, topic, tags });
        (run, event)
    }

    fn processed(run: &mut Run, id: Identity) {
        run.event(What::Processed { group: "g".into(), consumer: "c".into(), id });
    }

    #[test]
    fn processing_everything_that_is_owed_is_fine() {
        let mut run = Run::new(AtLeastOnce::default(), Flush::Sync);
        run.send(9, 0);
        let (group, topic) = ("g".to_owned(), "t".to_owned());
        run.event(What::Subscribed { group, topic, tags: None });
        let a = run.send(0, 1);
        let unknown = run.begin(1);
        run.end(unknown, Outcome::Unknown);
        processed(&mut run, a);
        run.quiet(&[]);
        run.assert_green();
    }

    /// misdirected_write, seeds 634476 and 701057.
    #[test]
    fn a_place_that_a_start_cut_with_the_damage_before_it_is_owed_to_no_one() {
        let path = "store/commitlog/00000000000000000000".to_owned();
        let damage = Fault::Misdirected { path, offset: 0, len: 4_096 };
        for (damage, is_cut, is_owed) in
            [(Some(damage.clone()), true, false), (Some(damage), false, true), (None, true, true)]
        {
            let (mut run, subscribed) = subscribed(None);
            let before = run.send(0, 0);
            processed(&mut run, before);
            if let Some(damage) = damage {
                run.fault(damage);
            }
            let left = [Identity::new(7, 7, 0)];
            let after = disk(if is_cut { &[] } else { &left });
            run.restart(Fault::PowerLoss, disk(&left), after);
            run.send(1, 0);
            let c = run.send(2, 1);
            processed(&mut run, c);
            run.quiet(&[]);
            if is_owed {
                run.assert_red(&[subscribed, 4, 5]);
            } else {
                run.assert_green();
            }
        }
    }

    #[test]
    fn a_place_that_was_another_s_before_a_power_failure_is_owed_to_no_one() {
        let failed = || Fault::SyncError { path: "commitlog/00000000000000000000".into() };
        for (flush, faults, is_owed) in [
            (Flush::Async, vec![Fault::PowerLoss], false),
            (Flush::Async, vec![Fault::ProcessKill], true),
            (Flush::Async, vec![failed(), Fault::ProcessKill, Fault::PagesEvicted], false),
            (Flush::Async, vec![Fault::ProcessKill, Fault::PagesEvicted], true),
            (Flush::Sync, vec![failed(), Fault::ProcessKill, Fault::PagesEvicted], true),
            (Flush::Sync, vec![Fault::PowerLoss], true),
        ] {
            let mut run = Run::new(AtLeastOnce::default(), flush);
            let (group, topic) = ("g".to_owned(), "t".to_owned());
            let event = run.event(What::Subscribed { group, topic, tags: None });
            let a = run.send(0, 0);
            processed(&mut run, a);
            faults.into_iter().for_each(|fault| run.fault(fault));
            run.fault(Fault::Started);
            run.send(1, 0);
            let c = run.send(2, 1);
            processed(&mut run, c);
            run.quiet(&[]);
            if is_owed {
                run.assert_red(&[event, 4, 5]);
            } else {
                run.assert_green();
            }
        }
    }

    #[test]
    fn a_message_that_nobody_processed_is_caught() {
        let (mut run, event) = subscribed(Some("x"));
        let a = run.send(0, 0);
        run.send(1, 1);
        processed(&mut run, a);
        run.quiet(&[]);
        run.assert_red(&[event, 3, 4]);
    }

    #[test]
    fn nothing_is_owed_below_a_reset_or_of_another_tag_or_from_a_node_that_is_down() {
        let (mut run, _) = subscribed(None);
        let (_, b) = (run.send(0, 0), run.send(1, 1));
        processed(&mut run, b);
        run.event(What::Reset { group: "g".into(), queue: queue(), to: QueueOffset(1) });
        run.quiet(&[]);
        run.assert_green();
        for down in [false, true] {
            let (mut run, _) = subscribed(Some(if down { "x" } else { "y" }));
            run.send(0, 0);
            if down {
                run.fault(Fault::ProcessKill);
            }
            run.quiet(&[]);
            run.assert_no_violation();
        }
    }
}
