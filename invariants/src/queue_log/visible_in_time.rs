//! Q8: what was acknowledged is visible soon.

use std::collections::BTreeMap;

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Pull, PullStatus, Sent, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::World;

/// How long an acknowledged message may be invisible on a node that nothing disturbs, in ms of true
/// time: the disk may take that long to make the queue's next file.
pub(crate) const VISIBLE_MS_MAX: u64 = 10_000;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct VisibleInTime {
    /// By queue, the acknowledged messages, in order of their answers.
    acked: BTreeMap<MessageQueue, Vec<Acked>>,
}

#[derive(Debug)]
struct Acked {
    at_ms: u64,
    offset: QueueOffset,
    id: Identity,
    /// The highest offset of this answer and all before it.
    highest: QueueOffset,
}

/// What Q8 claims.
const CLAIM: Claim = Claim {
    id: "Q8",
    sentence: "A pull that begins long enough after a message was OK, at its offset or below, is \
               not told that nothing is there.",
    source: "internals.md 3: dispatch runs behind; Jepsen's real-time lag",
    limits: "Readers without a group. The bound runs anew after a start or a stall, and a full \
             disk gets a minute; after an error of the disk nothing is judged until a restart. A \
             message whose loss the ledger excuses may be missing for ever.",
};

impl Invariant for VisibleInTime {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        match &event.what {
            What::SendEnded { id, outcome } if outcome.class() == Class::Ok => {
                let Some(placed) = outcome.placed() else { return };
                let acked = self.acked.entry(placed.queue.clone()).or_default();
                let (at_ms, offset) = (event.at_ms, placed.offset);
                let highest = acked.last().map_or(offset, |last| last.highest.max(offset));
                acked.push(Acked { at_ms, offset, id: *id, highest });
            }
            What::Pulled(pull) if is_empty(pull) => self.look(world, (event, pull), found),
            _ => {}
        }
    }
}

/// Whether the answer says that nothing stands at the offset or behind it.
fn is_empty(pull: &Pull) -> bool {
    match pull.status {
        PullStatus::NotFound => true,
        PullStatus::Illegal => pull.from > pull.max,
        PullStatus::Found | PullStatus::NoMatch => false,
    }
}

impl VisibleInTime {
    fn look(&self, world: &World<'_>, (event, pull): (&Event, &Pull), found: &mut Found) {
        let Some(acked) = self.acked.get(&pull.queue) else { return };
        let node = world.node_of(&pull.queue).unwrap_or_default();
        let Some(calm_ms) = world.calm_since(node, event.at_ms) else { return };
        let is_due = |acked: &Acked| {
            acked.at_ms.max(calm_ms).saturating_add(VISIBLE_MS_MAX) < pull.started_ms
        };
        let due = &acked[..acked.partition_point(is_due)];
        let Some(last) = due.last() else { return };
        let hidden = || due.iter().filter(|acked| acked.offset >= pull.from);
        let sents = || hidden().filter_map(|acked| world.history.sent(acked.id));
        // Most pulls come behind everything that is due.
        let first = (last.highest >= pull.from)
            .then(|| sents().find(|sent| world.owed(sent).is_must()))
            .flatten();
        let events = first.map(Sent::indices).unwrap_or_default();
        found.check(first.is_none(), events.into_iter().chain([event.index]), || {
            let id = first.map(|sent| sent.id);
            format!("{id:?} was OK and a pull of {} from {} found nothing", pull.queue, pull.from)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, pull};

    fn nothing_at(run: &mut Run, from: u64) -> usize {
        let started_ms = run.now_ms();
        run.event(What::Pulled(Pull { started_ms, ..pull(from) }))
    }

    #[test]
    fn young_messages_the_end_a_node_that_stalls_and_an_excused_loss_are_fine() {
        let mut run = Run::new(VisibleInTime::default(), Flush::Async);
        run.send(0, 0);
        nothing_at(&mut run, 0);
        run.fault(Fault::PowerLoss);
        run.fault(Fault::Started);
        run.pass(2 * VISIBLE_MS_MAX);
        nothing_at(&mut run, 0);
        run.send(1, 0);
        run.pass(2 * VISIBLE_MS_MAX);
        nothing_at(&mut run, 1);
        run.fault(Fault::Stall { for_ms: 500 });
        nothing_at(&mut run, 0);
        run.fault(Fault::SyncError { path: crate::testing::LOG.into() });
        run.pass(2 * VISIBLE_MS_MAX);
        nothing_at(&mut run, 0);
        run.assert_green();
    }

    #[test]
    fn an_old_message_that_is_not_found_is_caught() {
        for status in [PullStatus::NotFound, PullStatus::Illegal] {
            let mut run = Run::new(VisibleInTime::default(), Flush::Sync);
            run.send(0, 0);
            run.send(1, 1);
            run.pass(VISIBLE_MS_MAX + 1);
            let started_ms = run.now_ms();
            let max = QueueOffset(0);
            run.event(What::Pulled(Pull { started_ms, status, max, ..pull(1) }));
            run.assert_red(&[2, 3, 4]);
        }
    }
}
