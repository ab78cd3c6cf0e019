//! LV1: after the heal a send succeeds soon.

use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// How long it may take until a send is `OK`, in ms of true time.
const SERVED_MS_MAX: u64 = 60_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ServesAfterTheHeal;

/// What LV1 claims.
const CLAIM: Claim = Claim {
    id: "LV1",
    sentence: "After the heal a send to each topic, and later to each queue of each, is OK within \
               60 s.",
    source: "RocketMQ #3459: page-cache busy for ever; #9654 and others: a node that never serves \
             again without a restart (internals.md 15.1 #7)",
    limits: "Counted from when all servers that live have started and producers have ended: what \
             a start itself takes is not judged here. Queues are tried when routes have had time \
             to be known.",
};

impl Invariant for ServesAfterTheHeal {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, found: &mut Found) {
        let What::Probed { about, started_ms, served } = &event.what else { return };
        let took_ms = event.at_ms - started_ms;
        found.check(*served && took_ms <= SERVED_MS_MAX, [event.index], || {
            let end = if *served { "was OK only" } else { "was given up" };
            format!("a send to {about} {end} after {took_ms} ms")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::Run;

    fn probe(run: &mut Run, took_ms: u64, served: bool) -> usize {
        let started_ms = run.now_ms();
        run.pass(took_ms);
        run.event(What::Probed { about: "t".to_owned(), started_ms, served })
    }

    #[test]
    fn a_send_that_succeeds_in_time_is_fine() {
        let mut run = Run::new(ServesAfterTheHeal, Flush::Sync);
        probe(&mut run, 5_000, true);
        run.assert_green();
    }

    #[test]
    fn a_late_one_and_one_that_was_given_up_are_caught() {
        for (took_ms, served) in [(SERVED_MS_MAX, true), (0, false)] {
            let mut run = Run::new(ServesAfterTheHeal, Flush::Sync);
            let event = probe(&mut run, took_ms, served);
            run.assert_red(&[event]);
        }
    }
}
