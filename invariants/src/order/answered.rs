//! The sweep that O2 and O3 share: whoever was answered before another began stands before it.

use std::collections::BTreeMap;

use message::QueueOffset;

use crate::history::{Event, Kind, Sent, What};
use crate::identity::Identity;
use crate::invariant::Found;
use crate::world::World;

/// Plain messages that were answered with a place, by what is to be in order.
#[derive(Debug)]
pub(super) struct Answered<K> {
    /// In the order the answers came.
    by: BTreeMap<K, Vec<Answer>>,
}

#[derive(Debug)]
struct Answer {
    event: usize,
    offset: QueueOffset,
    id: Identity,
    /// The highest offset of this answer and all before it.
    highest: QueueOffset,
}

impl<K> Default for Answered<K> {
    fn default() -> Self {
        Self { by: BTreeMap::new() }
    }
}

impl<K: Ord> Answered<K> {
    /// Takes the end of a send in, and checks that its message stands behind those that were
    /// answered with the same key before it began, as far as they are still owed.
    ///
    /// `key` says with whom a message is to be in order, `counts` which pairs, the later first.
    pub(super) fn take(
        &mut self,
        (world, event, found): (&World<'_>, &Event, &mut Found),
        key: impl Fn(&Sent) -> Option<K>,
        counts: impl Fn(Identity, Identity) -> bool,
    ) {
        let What::SendEnded { id, .. } = event.what else { return };
        let Some(sent) = world.history.sent(id).filter(|sent| sent.kind == Kind::Plain) else {
            return;
        };
        let (Some(placed), Some(key)) = (sent.placed(), key(sent)) else { return };
        let answers = self.by.entry(key).or_default();
        let before = &answers[..answers.partition_point(|answer| answer.event < sent.started)];
        if let Some(last) = before.last() {
            let is_behind = |answer: &&Answer| answer.offset >= placed.offset;
            let behind = before.iter().filter(is_behind).filter(|answer| counts(id, answer.id));
            let mut behind = behind.filter_map(|answer| world.history.sent(answer.id));
            // Most come behind everything.
            let wrong = (last.highest >= placed.offset)
                .then(|| behind.find(|sent| world.owed(sent).is_must()))
                .flatten();
            let events = wrong.map(Sent::indices).unwrap_or_default();
            found.check(wrong.is_none(), events.into_iter().chain(sent.indices()), || {
                let (offset, queue) = (placed.offset, &placed.queue);
                let first = wrong.map(|sent| sent.id);
                format!("{id} got offset {offset} of {queue}, not behind {first:?}")
            });
        }
        let highest = answers.last().map_or(placed.offset, |last| last.highest.max(placed.offset));
        answers.push(Answer { event: event.index, offset: placed.offset, id, highest });
    }
}
