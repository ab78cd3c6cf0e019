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
    limits: "How often it is seen is not judged here (C4, Q5).",
};

impl Invariant for DeliveredWasSent {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        for seen in event.what.seen() {
            let was_sent = seen.id.is_some_and(|id| world.history.sent(id).is_some());
            found.check(was_sent, [event.index], || match seen.id {
                Some(id) => format!("{id} at {} offset {} was never sent", seen.queue, seen.offset),
                None => format!("{} offset {} holds a stranger", seen.queue, seen.offset),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Seen;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{Run, seen};

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
}
