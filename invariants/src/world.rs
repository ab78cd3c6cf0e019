//! What an invariant may look at.

use message::MessageQueue;

use crate::disk::{NodeDisk, QueueKey, Record, Stop};
use crate::history::{History, Kind, Placed, Seen, Sent};
use crate::ledger::{Entry, Fault, Ledger};
use crate::outcome::Class;
use crate::promise::{Broker, Cluster, Flush, Owed, Said, owes};

/// No record of a simulated run is longer.
const RECORD_LEN_BOUND: u64 = 16 * 1024;

/// Length and magic: zeros there end a log.
const RECORD_HEAD_LEN: u64 = 8;

/// What clients did and saw, which faults struck, and what was promised. Nothing of the product's
/// own memory.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What clients did and saw, up to and with the event at hand.
    pub history: &'a History,
    /// The faults so far.
    pub ledger: &'a Ledger,
    /// The brokers.
    pub cluster: &'a Cluster,
}

impl World<'_> {
    /// The node that holds a queue.
    pub fn node_of(&self, queue: &MessageQueue) -> Option<&str> {
        self.cluster.get(&queue.broker_name).map(|broker| broker.node.as_str())
    }

    /// Whether a page that was misdirected may have met a part of this message that no checksum of
    /// the format covers: its properties, which end the record.
    pub fn is_beyond_checksums(&self, seen: &Seen) -> bool {
        let node = self.node_of(&seen.queue).unwrap_or_default();
        let behind = seen.address.0..seen.address.0 + RECORD_LEN_BOUND;
        self.ledger.of(node).any(|entry| match &entry.fault {
            Fault::Misdirected { path, offset, .. } => {
                let base = path.rsplit('/').next().and_then(|name| name.parse::<u64>().ok());
                base.is_some_and(|base| behind.contains(&(base + offset)))
            }
            _ => false,
        })
    }

    /// Up to where the raw log of a disk can be read: to the first bytes that are no record where
    /// the ledger says that it rotted. The store knows what stands behind them, this package does
    /// not. Zeros end the log as damage does where the ledger says that they may be another page's,
    /// and so does a record that says it stands elsewhere: it is another page's, too.
    pub fn readable_to(&self, disk: &NodeDisk) -> u64 {
        let (log, ledger) = (&disk.log, self.ledger);
        if ledger.log_rot(&disk.node).is_none() {
            return u64::MAX;
        }
        let is_stray = |record: &&Record| {
            record.stated_address != record.address && ledger.is_struck(&disk.node, &record.span())
        };
        let ends_astray = log.stop != Stop::Clean
            || ledger.is_struck(&disk.node, &(log.end..log.end + RECORD_HEAD_LEN));
        let end = if ends_astray { log.end } else { u64::MAX };
        log.records.iter().find(is_stray).map_or(end, |record| record.address)
    }

    /// The true time of the last thing that happened, in ms.
    pub fn now_ms(&self) -> u64 {
        let seen = self.history.events().last().map_or(0, |event| event.at_ms);
        self.ledger.entries().last().map_or(seen, |entry| entry.at_ms.max(seen))
    }

    /// Whether a node runs and its log met no error since it was started.
    pub fn serves_soundly(&self, node: &str) -> bool {
        self.ledger.down(node).is_none() && self.ledger.failed_log(node).is_none()
    }

    /// Since when nothing keeps the node from dispatching, in ms of true time; `None` when
    /// something still does at `at_ms`.
    pub fn calm_since(&self, node: &str, at_ms: u64) -> Option<u64> {
        let since = self.ledger.since_start(node, at_ms);
        if since.iter().any(|entry| entry.fault.is_disk_error()) {
            return None;
        }
        // A stall of the disk outlives the process.
        let until = self.ledger.of(node).take_while(|entry| entry.at_ms <= at_ms);
        Some(until.map(ends_ms).max().unwrap_or(0))
    }

    /// When the last thing ended that struck any node up to `at_ms`, in ms of true time; 0 when
    /// nothing did. What was asked for and answered between it and `at_ms` met a calm world.
    pub fn undisturbed_since(&self, at_ms: u64) -> u64 {
        let until = self.ledger.entries().iter().take_while(|entry| entry.at_ms <= at_ms);
        until.map(ends_ms).max().unwrap_or(0)
    }

    /// The same, but a start alone is no strike: with it ends what struck before.
    pub fn struck_until(&self, at_ms: u64) -> u64 {
        let until = self.ledger.entries().iter().take_while(|entry| entry.at_ms <= at_ms);
        until.filter(|entry| entry.fault != Fault::Started).map(ends_ms).max().unwrap_or(0)
    }

    /// Whether any node's clock ran wrong before `at_ms`: its timers may, too, from then on.
    pub fn clocks_hold(&self, at_ms: u64) -> bool {
        let is_clock = |entry: &Entry| matches!(entry.fault, Fault::Clock { .. });
        let mut until = self.ledger.entries().iter().take_while(|entry| entry.at_ms <= at_ms);
        !until.any(is_clock)
    }

    /// The plain messages that are known to be stored on `node`, with where.
    pub fn stored_on(&self, node: &str) -> impl Iterator<Item = (&Sent, &Placed)> {
        let is_plain = |sent: &&Sent| sent.kind == Kind::Plain;
        let placed =
            self.history.all_sent().filter(is_plain).filter_map(|s| Some((s, s.placed()?)));
        placed.filter(move |(_, placed)| self.node_of(&placed.queue) == Some(node))
    }

    /// What was said about a send.
    pub fn said(&self, sent: &Sent) -> Said {
        Said {
            class: sent.class(),
            from_ms: sent.started_ms,
            at_ms: sent.ended.as_ref().map_or(sent.started_ms, |ended| ended.at_ms),
            address: sent.placed().and_then(|placed| placed.address()),
            waits: sent.waits,
        }
    }

    /// The broker that holds a send, as far as its answer says.
    pub fn broker_of(&self, sent: &Sent) -> Broker {
        let name = sent.placed().map_or("", |placed| placed.queue.broker_name.as_str());
        self.cluster.get(name).cloned().unwrap_or_else(|| stranger(name))
    }

    /// What is owed for a send, after the faults so far.
    pub fn owed(&self, sent: &Sent) -> Owed {
        owes(&self.said(sent), &self.broker_of(sent), self.ledger)
    }

    /// What is owed for a message because a client saw it at `at_ms`: nothing is visible before it
    /// is owed as if it had just been answered `OK`.
    ///
    /// It may have been read long before the client saw it, so what struck since it was sent
    /// counts.
    pub fn owed_to_reader(&self, seen: &Seen, at_ms: u64) -> Owed {
        let sent = seen.id.and_then(|id| self.history.sent(id));
        let from_ms = sent.map_or(at_ms, |sent| sent.started_ms);
        let said =
            Said { class: Class::Ok, from_ms, at_ms, address: Some(seen.address), waits: true };
        self.owed_to_a_reader(&seen.queue.broker_name, &said)
    }

    /// What is owed for whatever an answer at `at_ms`, to a request of `from_ms`, said that a queue
    /// holds. It may have been stored any time before, so what struck since the node was started
    /// counts.
    pub fn owed_to_reader_of(&self, queue: &MessageQueue, from_ms: u64, at_ms: u64) -> Owed {
        let node = self.node_of(queue).unwrap_or_default();
        let since = self.ledger.since_start(node, from_ms);
        let start = since.first().filter(|entry| entry.fault == Fault::Started);
        let from_ms = start.map_or(0, |start| start.at_ms);
        let said = Said { class: Class::Ok, from_ms, at_ms, address: None, waits: true };
        self.owed_to_a_reader(&queue.broker_name, &said)
    }

    /// What is owed for what a client saw: nothing is visible while it stands in a private buffer,
    /// so the end of the process takes none of it.
    fn owed_to_a_reader(&self, broker_name: &str, said: &Said) -> Owed {
        let known = self.cluster.get(broker_name).cloned();
        let broker = known.unwrap_or_else(|| stranger(broker_name));
        owes(said, &Broker { commit_ms: None, ..broker }, self.ledger)
    }
}

/// How long a full disk is full, in ms of true time: the ledger does not say when it ends.
const FULL_MS_MAX: u64 = 60_000;

/// When what it disturbs is over.
fn ends_ms(entry: &Entry) -> u64 {
    match entry.fault {
        Fault::Stall { for_ms } | Fault::Network { for_ms, .. } => {
            entry.at_ms.saturating_add(for_ms)
        }
        Fault::NoSpace => entry.at_ms + FULL_MS_MAX,
        _ => entry.at_ms,
    }
}

/// A broker that the cluster does not know has no excuse at all: that mistake must be loud.
fn stranger(broker_name: &str) -> Broker {
    let node = broker_name.to_owned();
    Broker { node, flush: Flush::Sync, horizon_ms: 0, commit_ms: None }
}

/// The name of a queue on its node's disk.
pub fn key_of(queue: &MessageQueue) -> QueueKey {
    (queue.topic.clone(), queue.queue_id)
}

/// How a start of a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryEnd {
    /// It serves.
    Started,
    /// It refused to start and said why.
    Refused {
        /// Its words.
        error: String,
    },
    /// It panicked.
    Panicked {
        /// The panic's message.
        message: String,
    },
}

/// One start of a node on a disk that was there before.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// How it ended.
    pub end: RecoveryEnd,
    /// What a program could read from the disk before: all of the cache after a kill, only what was
    /// durable after a power loss.
    pub before: NodeDisk,
    /// What a program can read from the disk as soon as the node serves, or gave up.
    pub after: NodeDisk,
    /// What it can read after the node's store recovered `after` once more, with no traffic in
    /// between; `None` if that was not tried.
    pub again: Option<NodeDisk>,
}

impl Recovery {
    /// The node.
    pub fn node(&self) -> &str {
        &self.before.node
    }
}
