//! P1: whatever a client sees, somebody sent.

use crate::history::Event;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct DeliveredWasSent;

/// What P1 claims.
const CLAIM: Claim = Claim {
    id: "P1",
    sentence: "Every message that a client sees is one that a producer began to send before.",
    source: "the identity is an opaque property that the broker cannot invent",
    limits: "How often it is seen is not judged here (C4, Q5). Who it is stands in the properties, \
             which no checksum covers: a page that the ledger says was misdirected behind the \
             message's start may have met it.",
};

impl Invariant for DeliveredWasSent {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        for seen in event.what.seen() {
            let was_sent = seen.id.is_some_and(|id| world.history.sent(id).is_some());
            found.check(
                was_sent || world.is_beyond_checksums(seen),
                [event.index],
                || match seen.id {
                    Some(id) => {
                        format!("{id} at {} offset {} was never sent", seen.queue, seen.offset)
                    }
                    None => format!("{} offset {} holds a stranger", seen.queue, seen.offset),
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, seen};

    #[test]
    fn what_was_sent_may_be_seen_even_before_it_is_answered() {
        let mut run = Run::new(DeliveredWasSent, Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 0));
        run.assert_green();
    }

    #[test]
    fn what_nobody_sent_is_caught() {
        let mut run = Run::new(DeliveredWasSent, Flush::Sync);
        let event = run.deliver(seen(Identity::new(1, 5, 0), 0));
        run.assert_red(&[event]);
        let mut run = Run::new(DeliveredWasSent, Flush::Sync);
        let a = run.send(0, 0);
        let event = run.deliver(Seen { id: None, ..seen(a, 0) });
        run.assert_red(&[event]);
    }

    #[test]
    fn a_page_that_met_the_name_of_a_message_makes_it_a_stranger() {
        let run_of = |offset| {
            let mut run = Run::new(DeliveredWasSent, Flush::Sync);
            let a = run.send(0, 0);
            run.fault(Fault::Misdirected { path: LOG.into(), offset, len: 4_096 });
            run.deliver(Seen { id: None, ..seen(a, 1) });
            run
        };
        run_of(address(1) + 1).assert_green();
        run_of(0).assert_red(&[2]);
    }
}
