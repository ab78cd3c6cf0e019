//! P2: what was refused is never seen.

use std::collections::BTreeMap;

use crate::history::{Event, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct RefusedIsNotDelivered {
    /// The event in which a message was first seen.
    first_seen: BTreeMap<Identity, usize>,
}

/// What P2 claims.
const CLAIM: Claim = Claim {
    id: "P2",
    sentence: "A REJECTED message is never delivered, neither after nor before the refusal.",
    source: "Jepsen's aborted read",
    limits: "Rolled-back messages of transactions come with the T family.",
};

impl Invariant for RefusedIsNotDelivered {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        for id in event.what.seen().iter().filter_map(|seen| seen.id) {
            self.first_seen.entry(id).or_insert(event.index);
            let Some(sent) = world.history.sent(id) else { continue };
            let events = sent.indices().into_iter().chain([event.index]);
            found.check(sent.class() != Class::Rejected, events, || {
                format!("{id} was refused and then seen")
            });
        }
        let What::SendEnded { id, outcome } = &event.what else { return };
        if outcome.class() == Class::Rejected {
            let seen = self.first_seen.get(id).copied();
            found.check(seen.is_none(), seen.into_iter().chain([event.index]), || {
                format!("{id} was seen and then refused")
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::promise::Flush;
    use crate::testing::{Run, seen};

    #[test]
    fn an_unknown_message_may_be_seen_and_a_refused_one_is_not() {
        let mut run = Run::new(RefusedIsNotDelivered::default(), Flush::Sync);
        let (a, b) = (run.begin(0), run.begin(1));
        run.end(a, Outcome::Unknown);
        run.end(b, Outcome::Rejected { code: 2 });
        run.deliver(seen(a, 0));
        run.assert_green();
    }

    #[test]
    fn a_refused_message_that_is_seen_is_caught_in_either_order() {
        let mut run = Run::new(RefusedIsNotDelivered::default(), Flush::Sync);
        let a = run.begin(0);
        run.end(a, Outcome::Rejected { code: 2 });
        run.deliver(seen(a, 0));
        run.assert_red(&[0, 1, 2]);
        let mut run = Run::new(RefusedIsNotDelivered::default(), Flush::Sync);
        let a = run.begin(0);
        run.deliver(seen(a, 0));
        run.end(a, Outcome::Rejected { code: 2 });
        run.assert_red(&[1, 2]);
    }
}
