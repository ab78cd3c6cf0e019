//! LP2 and LP4: a pull that finds nothing is held as long as it asked for, and no longer.

use crate::disk::NodeDisk;
use crate::history::{Event, PullStatus, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// By how much an answer may come too late: RocketMQ looks every 5 s, and the answer has its way.
const LATE_MS_MAX: u64 = 6_000;
/// By how much it may come too early.
const EARLY_MS_MAX: u64 = 100;
/// How long a stop may take that answers what was held.
const STOP_MS_MAX: u64 = 10_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct HeldInBounds {
    /// Answers that came too early, with the time and what is to be said: a broker that is asked
    /// to stop answers everything, and the ledger knows of the stop only when it is done.
    early: Vec<(usize, u64, String)>,
}

/// What LP2 claims.
const CLAIM: Claim = Claim {
    id: "LP2",
    sentence: "A pull that finds nothing is answered when the time is over for which it may be \
               held: not before, and at most 6 s later.",
    source: "internals.md 5.4 (suspendPullRequest); RocketMQ #8592: empty answers without a pause",
    limits: "Readers without a group, in a calm world with sound clocks. Only NotFound waits. \
             What a broker answers because it stops may come early.",
};

impl Invariant for HeldInBounds {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        self.judge_early(world, event.at_ms, found);
        let What::Pulled(pull) = &event.what else { return };
        let calm_ms = world.undisturbed_since(event.at_ms).saturating_add(LATE_MS_MAX);
        let is_calm = calm_ms <= pull.started_ms && world.clocks_hold(event.at_ms);
        if pull.hold_ms == 0 || pull.status != PullStatus::NotFound || !is_calm {
            return;
        }
        let (held_ms, hold_ms) = (event.at_ms - pull.started_ms, pull.hold_ms);
        let text = || format!("an empty pull of {} took {held_ms} of {hold_ms} ms", pull.queue);
        if held_ms + EARLY_MS_MAX < hold_ms {
            self.early.push((event.index, event.at_ms, text()));
        } else {
            found.check(held_ms <= hold_ms + LATE_MS_MAX, [event.index], text);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, _disks: &[NodeDisk], found: &mut Found) {
        self.judge_early(world, u64::MAX, found);
    }
}

impl HeldInBounds {
    /// Judges what came too early and so long ago that a stop would be known.
    fn judge_early(&mut self, world: &World<'_>, now_ms: u64, found: &mut Found) {
        let is_due = |at_ms: u64| at_ms.saturating_add(STOP_MS_MAX) < now_ms;
        let due = self.early.iter().take_while(|(_, at_ms, _)| is_due(*at_ms)).count();
        for (event, at_ms, text) in self.early.drain(..due) {
            let struck = world.undisturbed_since(at_ms + STOP_MS_MAX) > at_ms;
            found.check(struck, [event], || text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Pull;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, pull};

    fn held(run: &mut Run, ms: u64) -> usize {
        let started_ms = run.now_ms();
        run.pass(ms - 1);
        run.event(What::Pulled(Pull { started_ms, hold_ms: 3_000, ..pull(0) }))
    }

    #[test]
    fn as_long_as_asked_for_and_anything_in_a_storm_are_fine() {
        let mut run = Run::new(HeldInBounds::default(), Flush::Sync);
        run.pass(LATE_MS_MAX);
        held(&mut run, 3_000);
        held(&mut run, 3_200);
        run.assert_green();
        run.fault(Fault::ProcessKill);
        held(&mut run, 20);
        run.assert_green();
    }

    #[test]
    fn too_early_and_too_late_are_caught() {
        for ms in [20, 3_000 + LATE_MS_MAX + 1] {
            let mut run = Run::new(HeldInBounds::default(), Flush::Sync);
            run.pass(LATE_MS_MAX);
            let event = held(&mut run, ms);
            run.quiet(&[]);
            run.assert_red(&[event]);
        }
    }

    #[test]
    fn early_because_the_broker_stops_is_fine() {
        let mut run = Run::new(HeldInBounds::default(), Flush::Sync);
        run.pass(LATE_MS_MAX);
        held(&mut run, 20);
        run.fault(Fault::Stopped);
        run.quiet(&[]);
        run.assert_green();
    }
}
