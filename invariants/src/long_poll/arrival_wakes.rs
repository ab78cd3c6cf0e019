//! LP1: a message that arrives wakes the pull that waits for it.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Pull, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::World;

/// From the answer to a send to the answer of the pull that waited for it, in ms: RocketMQ looks
/// again every 5 s at the latest; and the way of both answers, on slow links.
pub(crate) const WAKE_MS_MAX: u64 = 6_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ArrivalWakes {
    /// By queue, the acknowledged messages, in order of their answers.
    acked: BTreeMap<MessageQueue, Vec<(u64, QueueOffset, Identity)>>,
}

/// What LP1 claims.
const CLAIM: Claim = Claim {
    id: "LP1",
    sentence: "A pull that waits at or before the offset of a message is answered within 6 s of \
               that message being OK.",
    source: "internals.md 5.4 (notifyMessageArriving, and a look every 5 s)",
    limits: "Readers without a group, in a calm world with sound clocks from 6 s before the pull \
             on. Pulls that were never answered are LIVE's.",
};

impl Invariant for ArrivalWakes {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::SendEnded { id, outcome } if outcome.class() == Class::Ok => {
                let Some(placed) = outcome.placed() else { return };
                let acked = self.acked.entry(placed.queue.clone()).or_default();
                acked.push((event.at_ms, placed.offset, *id));
            }
            What::Pulled(pull) if pull.hold_ms > 0 => self.look(world, (event, pull), found),
            _ => {}
        }
    }
}

impl ArrivalWakes {
    fn look(&self, world: &World<'_>, (event, pull): (&Event, &Pull), found: &mut Found) {
        let calm_ms = world.undisturbed_since(event.at_ms).saturating_add(WAKE_MS_MAX);
        if calm_ms > pull.started_ms || !world.clocks_hold(event.at_ms) {
            return;
        }
        let Some(acked) = self.acked.get(&pull.queue) else { return };
        let before = acked.partition_point(|(at_ms, ..)| *at_ms < pull.started_ms);
        let waited_for = acked[before..].iter().find(|(_, offset, _)| *offset >= pull.from);
        let Some((at_ms, _, id)) = waited_for else { return };
        let holds = event.at_ms <= at_ms + WAKE_MS_MAX;
        let sent = world.history.sent(*id).map(|sent| sent.indices()).unwrap_or_default();
        found.check(holds, sent.into_iter().chain([event.index]), || {
            let late = event.at_ms - at_ms;
            format!("{id} was OK {late} ms before a pull of {} that waited ended", pull.queue)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, pull};

    /// A pull at offset 0 begins, a message is stored there, and the pull ends so much later.
    fn wakes_after(run: &mut Run, ms: u64) -> usize {
        let started_ms = run.now_ms() + 1;
        run.pass(1);
        run.send(0, 0);
        run.pass(ms);
        run.event(What::Pulled(Pull { started_ms, hold_ms: 10_000, ..pull(0) }))
    }

    #[test]
    fn soon_and_in_a_storm_are_fine() {
        let mut run = Run::new(ArrivalWakes::default(), Flush::Sync);
        run.pass(WAKE_MS_MAX);
        wakes_after(&mut run, 100);
        run.assert_green();
        let mut run = Run::new(ArrivalWakes::default(), Flush::Sync);
        run.fault(Fault::Network { what: "slow".into(), for_ms: 60_000 });
        wakes_after(&mut run, 9_000);
        run.assert_no_violation();
    }

    #[test]
    fn a_pull_that_sleeps_on_is_caught() {
        let mut run = Run::new(ArrivalWakes::default(), Flush::Sync);
        run.pass(WAKE_MS_MAX);
        let pulled = wakes_after(&mut run, 9_000);
        run.assert_red(&[0, 1, pulled]);
    }
}
