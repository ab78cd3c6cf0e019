//! D6: what a consumer has seen stays.

use std::collections::BTreeMap;

use crate::history::{Event, Seen};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ExposedIsOwed {
    /// When a client first saw a message at a place of a log, until a start loses it.
    exposed: BTreeMap<(String, u64, Identity), Exposed>,
}

#[derive(Debug)]
struct Exposed {
    event: usize,
    at_ms: u64,
    seen: Seen,
}

/// What D6 claims.
const CLAIM: Claim = Claim {
    id: "D6",
    sentence: "No consumer sees a message before the promise for it holds: once seen, it is owed.",
    source: "RocketMQ #8239, #2830, #6609: readers are shown bytes that are not flushed",
    limits: "Shown by the loss of what was seen: an early sight that no power failure follows goes \
             unnoticed. Under async flush the promise holds at once, but only within the horizon.",
};

impl Invariant for ExposedIsOwed {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, _found: &mut Found) {
        for seen in event.what.seen() {
            let (Some(id), Some(node)) = (seen.id, world.node_of(&seen.queue)) else { continue };
            let key = (node.to_owned(), seen.address.0, id);
            self.exposed.entry(key).or_insert_with(|| Exposed {
                event: event.index,
                at_ms: event.at_ms,
                seen: seen.clone(),
            });
        }
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end != RecoveryEnd::Started {
            return;
        }
        self.exposed.retain(|(node, address, id), exposed| {
            if node != recovery.node() {
                return true;
            }
            let log = &recovery.after.log;
            let is_there = log.record_of(*id, Some(exposed.seen.address)).is_some()
                || address >= &world.readable_to(&recovery.after);
            let is_owed = world.owed_to_reader(&exposed.seen, exposed.at_ms).is_must();
            found.check(is_there || !is_owed, [exposed.event], || {
                format!("{id} was seen at {address} of the log and a restart lost it")
            });
            is_there
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{HORIZON_MS, Run, disk, seen};

    #[test]
    fn what_was_seen_and_stays_is_fine() {
        let mut run = Run::new(ExposedIsOwed::default(), Flush::Sync);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[a]));
        run.assert_green();
    }

    #[test]
    fn under_async_flush_what_was_just_seen_may_go_once() {
        let mut run = Run::new(ExposedIsOwed::default(), Flush::Async);
        let a = run.send(0, 0);
        run.deliver(seen(a, 0));
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.pass(HORIZON_MS);
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.assert_green();
    }

    #[test]
    fn a_sight_on_its_way_when_the_power_failed_is_fine() {
        let mut run = Run::new(ExposedIsOwed::default(), Flush::Async);
        let a = run.send(0, 0);
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.deliver(seen(a, 0));
        run.restart(Fault::ProcessKill, disk(&[]), disk(&[]));
        run.assert_green();
    }

    #[test]
    fn what_a_pool_showed_may_not_go_with_the_process() {
        let mut run = Run::pooled(ExposedIsOwed::default());
        let (a, b) = (run.send(0, 0), run.send(1, 1));
        run.deliver(seen(a, 0));
        let early = run.deliver(seen(b, 1));
        run.restart(Fault::ProcessKill, disk(&[a]), disk(&[a]));
        run.assert_red(&[early]);
    }

    #[test]
    fn a_message_seen_before_it_was_flushed_is_caught_although_it_was_never_acknowledged() {
        let mut run = Run::new(ExposedIsOwed::default(), Flush::Sync);
        let a = run.begin(0);
        let event = run.deliver(seen(a, 0));
        run.restart(Fault::PowerLoss, disk(&[]), disk(&[]));
        run.assert_red(&[event]);
    }
}
