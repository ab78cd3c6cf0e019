//! Places in a queue that were another message's before a power failure took it, or the kernel did
//! whose sync had failed, or damage of the log.
//!
//! Under ASYNC_FLUSH the first two may take messages that consumers have seen, and damage may that
//! stands beyond the checkpoint, where a start takes it for a torn tail. Recovery cuts the log, and
//! the next messages get their places again. A consumer that already stood behind such a place, in
//! its memory alone, never asks for it: no broker that speaks RocketMQ's protocol can tell that
//! position from a good one. (Committed offsets the broker does lower at its start.)

use std::collections::{BTreeMap, BTreeSet};

use message::{MessageQueue, QueueOffset};

use crate::history::{Event, Placed, Sent, What};
use crate::identity::Identity;
use crate::ledger::{Entry, Fault};
use crate::outcome::Class;
use crate::promise::Flush;
use crate::world::{Recovery, World};

/// Where a damaged log ended after each start, by the ledger's entry for the end of the process
/// before.
#[derive(Debug, Default)]
pub(super) struct Cuts(BTreeMap<usize, u64>);

impl Cuts {
    /// Looks at a start.
    pub(super) fn note(&mut self, world: &World<'_>, recovery: &Recovery) {
        let ledger = || world.ledger.of(&recovery.before.node);
        let end = ledger().rfind(|entry| entry.fault.ends());
        if let Some(end) = end.filter(|_| ledger().any(|entry| entry.fault.is_log_damage())) {
            self.0.insert(end.index, recovery.after.log.end);
        }
    }
}

/// How far queues reached, and what may have made them shorter.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    /// For each queue, how far it was known to reach when.
    known: BTreeMap<MessageQueue, Vec<(u64, u64)>>,
    /// For each queue and place, which messages were there, and where in the log.
    places: BTreeMap<MessageQueue, BTreeMap<u64, BTreeSet<(Option<Identity>, u64)>>>,
    cuts: &'a Cuts,
}

/// How many messages of a topic may have stood in any of its queues at that time without a word:
/// their sends had no answer, and a consumer that wants other tags passes them unseen.
fn silent(world: &World<'_>, topic: &str, at_ms: u64) -> u64 {
    let silent = |sent: &&Sent| {
        let answered = sent.ended.as_ref().is_some_and(|ended| ended.at_ms <= at_ms);
        let unknown = sent.class() == Class::Unknown || !answered;
        sent.topic == topic && sent.started_ms <= at_ms && unknown
    };
    world.history.all_sent().filter(silent).count() as u64
}

impl<'a> Reach<'a> {
    /// Everything clients ever learnt of their queues' ends.
    pub(super) fn of(events: &[Event], cuts: &'a Cuts) -> Self {
        let mut reach = Self { known: BTreeMap::new(), places: BTreeMap::new(), cuts };
        for event in events {
            if let What::SendEnded { id, outcome } = &event.what
                && let Some(placed) = outcome.placed()
            {
                let who = placed.address().map(|address| (Some(*id), address.0));
                reach.note(&placed.queue, event.at_ms, placed.offset, who);
            }
            for seen in event.what.seen() {
                let who = Some((seen.id, seen.address.0));
                reach.note(&seen.queue, event.at_ms, seen.offset, who);
            }
        }
        reach
    }

    fn note(
        &mut self,
        queue: &MessageQueue,
        at_ms: u64,
        at: QueueOffset,
        who: Option<(Option<Identity>, u64)>,
    ) {
        self.known.entry(queue.clone()).or_default().push((at_ms, at.0 + 1));
        let places = self.places.entry(queue.clone()).or_default();
        places.entry(at.0).or_default().extend(who);
    }

    /// Whether the start after that entry cut whoever had this message's place before: the cut is a
    /// suffix, so where nobody knows who that was, anybody above says it, too.
    fn is_cut(&self, entry: &Entry, sent: &Sent, placed: &Placed) -> bool {
        let (Some(&end), Some(places)) =
            (self.cuts.0.get(&entry.index), self.places.get(&placed.queue))
        else {
            return false;
        };
        let is_other = |(id, _): &&(Option<Identity>, u64)| *id != Some(sent.id);
        let mut others = places
            .range(placed.offset.0..)
            .flat_map(|(at, who)| who.iter().filter(is_other).map(|(_, address)| (*at, *address)))
            .peekable();
        let here = others.peek().is_some_and(|(at, _)| *at == placed.offset.0);
        others.any(|(at, address)| address >= end && (!here || at == placed.offset.0))
    }

    /// The entry of the ledger that excuses a group from a message: the power failure of an
    /// asynchronous broker, the loss of its pages behind a failed sync, or that of its disk, before
    /// the message was sent, that took another from its place.
    pub(super) fn excuse(&self, world: &World<'_>, sent: &Sent) -> Option<usize> {
        let placed = sent.placed()?;
        let broker = world.cluster.get(&placed.queue.broker_name)?;
        let is_async = broker.flush == Flush::Async;
        let failed = || world.ledger.of(&broker.node).find(|entry| entry.fault.is_log_sync_error());
        let takes = |entry: &Entry| match entry.fault {
            Fault::PowerLoss => is_async,
            Fault::PagesEvicted => is_async && failed().is_some_and(|at| at.index < entry.index),
            _ => entry.fault == Fault::DiskLost,
        };
        let ends = self.known.get(&placed.queue)?;
        let took = |at_ms: u64| {
            let known = ends.iter().filter(|(when, _)| *when <= at_ms).map(|(_, end)| *end);
            known.max().unwrap_or(0) + silent(world, &sent.topic, at_ms) > placed.offset.0
        };
        let mut before =
            world.ledger.of(&broker.node).filter(|entry| entry.at_ms <= sent.started_ms);
        before
            .find(|entry| takes(entry) && took(entry.at_ms) || self.is_cut(entry, sent, placed))
            .map(|entry| entry.index)
    }
}
