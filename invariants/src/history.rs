//! What clients did and saw, in the order they did and saw it. Nothing else gives verdicts about
//! messages, except the raw disks.

use std::collections::BTreeMap;

use message::{Message, MessageExt, MessageQueue, PhysicalOffset, QueueOffset, property};

pub use crate::answer::{Outcome, Placed};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::outcome::Class;

/// How a message is on its way: only a plain one is found where its answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To be seen at once, in the queue and at the offset that the answer names.
    Plain,
    /// To be seen later; the answer names where it waits.
    Delayed,
    /// Of a transaction; the answer names the half message.
    Half,
}

/// One message that a client saw in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The queue it was read from.
    pub queue: MessageQueue,
    /// Its place there.
    pub offset: QueueOffset,
    /// Who it says that it is; `None` is nobody that was ever sent.
    pub id: Option<Identity>,
    /// What it holds.
    pub digest: Digest,
    /// When the broker stored it, by its clock.
    pub store_timestamp: u64,
    /// Its place in the log.
    pub address: PhysicalOffset,
}

impl Seen {
    /// What a client saw that read `message` (its body decompressed) from a broker of this name.
    pub fn new(broker_name: &str, message: &MessageExt) -> Self {
        let topic = message.message.topic.clone();
        Self {
            queue: MessageQueue::new(topic, broker_name, message.queue_id),
            offset: message.queue_offset,
            id: Identity::of(&message.message),
            digest: Digest::of(&message.message),
            store_timestamp: message.store_timestamp,
            address: message.physical_offset,
        }
    }
}

/// What a pull answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullStatus {
    /// Messages.
    Found,
    /// Nothing at or behind the offset.
    NotFound,
    /// Nothing that matched the filter.
    NoMatch,
    /// The offset is outside of the queue.
    Illegal,
}

/// One pull of a reader that belongs to no group, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// When it began, in ms of true time; the event's own time is its end.
    pub started_ms: u64,
    /// The queue.
    pub queue: MessageQueue,
    /// From where on.
    pub from: QueueOffset,
    /// How long the broker may hold it when nothing is there, in ms.
    pub hold_ms: u64,
    /// What the answer said.
    pub status: PullStatus,
    /// Where to go on, as the answer said.
    pub next: QueueOffset,
    /// The queue's lowest offset, as the answer said.
    pub min: QueueOffset,
    /// One more than the queue's highest offset, as the answer said.
    pub max: QueueOffset,
    /// The messages.
    pub seen: Vec<Seen>,
}

/// Which message is meant when none was stored at exactly the time asked for, or several were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// The first at this time or later; the queue's end when there is none.
    Lower,
    /// The last at this time or earlier; the queue's start when there is none.
    Upper,
}

/// What a reader may ask of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its lowest offset.
    Min,
    /// One more than its highest offset.
    Max,
    /// The message of a time, in ms by the broker's clock.
    Time(u64, Boundary),
}

/// One question about a queue, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it was asked, in ms of true time; the event's own time is the answer's.
    pub started_ms: u64,
    /// The queue.
    pub queue: MessageQueue,
    /// What was asked.
    pub question: Question,
    /// The answer.
    pub answer: QueueOffset,
}

/// One query of a broker for messages by key, with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queried {
    /// When it was asked, in ms of true time; the event's own time is the answer's.
    pub started_ms: u64,
    /// The broker.
    pub broker_name: String,
    /// The topic.
    pub topic: String,
    /// A word of KEYS, or a unique key.
    pub key: String,
    /// The most messages that the answer may hold.
    pub count_max: usize,
    /// The messages that have the key.
    pub seen: Vec<Seen>,
    /// Messages in the answer that have not: hits of the hash alone.
    pub strangers: usize,
}

/// What an answer said about a queue's bounds.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// When it was asked, in ms of true time.
    pub started_ms: u64,
    /// The queue.
    pub queue: &'a MessageQueue,
    /// Its lowest offset, if the answer said it.
    pub min: Option<QueueOffset>,
    /// One more than its highest offset, if the answer said it.
    pub max: Option<QueueOffset>,
}

/// One thing that a client did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A producer began to send.
    SendStarted {
        /// The attempt.
        id: Identity,
        /// The topic.
        topic: String,
        /// The tag.
        tag: Option<String>,
        /// What the message holds.
        digest: Digest,
        /// How it is on its way.
        kind: Kind,
        /// Whether the answer shall wait for the flush; without `WAIT=false` it shall.
        waits: bool,
        /// By what it shall be found: its unique key and the words of KEYS.
        keys: Vec<String>,
    },
    /// A send ended, or was given up.
    SendEnded {
        /// The attempt.
        id: Identity,
        /// How.
        outcome: Outcome,
    },
    /// A group has subscribed and its first offsets stand: from here on it is owed every message.
    /// For a group that consumes from the first offset that is before it starts.
    Subscribed {
        /// The group.
        group: String,
        /// The topic.
        topic: String,
        /// The tags it wants; `None` for all.
        tags: Option<Vec<String>>,
    },
    /// A group left a topic for good: nothing is owed to it any more.
    Unsubscribed {
        /// The group.
        group: String,
        /// The topic.
        topic: String,
    },
    /// A consumer was told that these, and no others, are its queues now.
    Rebalanced {
        /// The group.
        group: String,
        /// The member: its node, a dot, and whatever tells its lives apart.
        consumer: String,
        /// All its queues.
        queues: Vec<MessageQueue>,
    },
    /// A consumer was told to go on elsewhere, perhaps further back.
    Rewound {
        /// The group.
        group: String,
        /// The member.
        consumer: String,
        /// The queue.
        queue: MessageQueue,
        /// The next offset it will see, at the lowest.
        to: QueueOffset,
    },
    /// Somebody set a group's offset: what lies below is not owed to it any more.
    Reset {
        /// The group.
        group: String,
        /// The queue.
        queue: MessageQueue,
        /// The new offset.
        to: QueueOffset,
    },
    /// A message reached a consumer of a group.
    Delivered {
        /// The group.
        group: String,
        /// The member.
        consumer: String,
        /// Whether this consumer sees a queue's messages in order, between rewinds that are
        /// recorded. False for concurrent listeners, and whenever rebalances are not recorded.
        in_order: bool,
        /// The message.
        seen: Seen,
    },
    /// A consumer finished a message successfully.
    Processed {
        /// The group.
        group: String,
        /// The member.
        consumer: String,
        /// Who it was; whatever queue (also of retries) it came from.
        id: Identity,
    },
    /// A commit of a group's offset was acknowledged.
    Committed {
        /// The group.
        group: String,
        /// The queue.
        queue: MessageQueue,
        /// The next offset to consume.
        offset: QueueOffset,
    },
    /// A reader that belongs to no group pulled and was answered.
    Pulled(Pull),
    /// A reader asked for a place in a queue and was answered.
    Asked(Asked),
    /// Somebody asked for messages by key and was answered.
    Queried(Queried),
    /// After the heal somebody sent to a queue, or to any of a topic's, until it was `OK`, or gave
    /// up.
    Probed {
        /// Where it went.
        about: String,
        /// When it began, in ms of true time.
        started_ms: u64,
        /// Whether it was `OK` in the end.
        served: bool,
    },
    /// Every group has consumed everything, and nobody has left yet.
    Drained,
    /// At the end, a reader read a queue from its lowest offset to its highest.
    ReadBack {
        /// The queue.
        queue: MessageQueue,
        /// Everything in it.
        seen: Vec<Seen>,
    },
}

impl What {
    /// A producer begins to send this (stamped) message.
    ///
    /// # Panics
    /// When the message carries no identity: see [`Identity::stamp`].
    pub fn send_started(message: &Message, kind: Kind) -> Self {
        What::SendStarted {
            id: Identity::of(message).expect("workloads stamp what they send"),
            topic: message.topic.clone(),
            tag: message.tags().map(str::to_owned),
            digest: Digest::of(message),
            kind,
            waits: message.properties.get(property::WAIT) != Some("false"),
            keys: keys_of(message),
        }
    }

    /// What this says about a queue's bounds.
    pub fn bounds(&self) -> Option<Bounds<'_>> {
        match self {
            What::Pulled(pull) => {
                let Pull { started_ms, queue, min, max, .. } = pull;
                let (min, max) = (Some(*min), Some(*max));
                Some(Bounds { started_ms: *started_ms, queue, min, max })
            }
            What::Asked(Asked { started_ms, queue, question, answer }) => {
                let (min, max) = match question {
                    Question::Min => (Some(*answer), None),
                    Question::Max => (None, Some(*answer)),
                    Question::Time(..) => return None,
                };
                Some(Bounds { started_ms: *started_ms, queue, min, max })
            }
            _ => None,
        }
    }

    /// Every message that was seen in this.
    pub fn seen(&self) -> &[Seen] {
        match self {
            What::Delivered { seen, .. } => std::slice::from_ref(seen),
            What::Pulled(Pull { seen, .. }) | What::ReadBack { seen, .. } => seen,
            What::Queried(queried) => &queried.seen,
            _ => &[],
        }
    }
}

/// By what a message shall be found.
fn keys_of(message: &Message) -> Vec<String> {
    let unique = message.properties.get(property::UNIQ_KEY);
    let words = message.properties.get(property::KEYS).unwrap_or_default().split(' ');
    unique.into_iter().chain(words.filter(|word| !word.is_empty())).map(str::to_owned).collect()
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the history.
    pub index: usize,
    /// When, in ms of true time.
    pub at_ms: u64,
    /// What.
    pub what: What,
}

/// The life of one attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The attempt.
    pub id: Identity,
    /// The event that began it.
    pub started: usize,
    /// When it began, in ms of true time.
    pub started_ms: u64,
    /// The topic.
    pub topic: String,
    /// The tag.
    pub tag: Option<String>,
    /// What the message holds.
    pub digest: Digest,
    /// How it is on its way.
    pub kind: Kind,
    /// Whether its answer waits for the flush.
    pub waits: bool,
    /// By what it is found: its unique key and the words of KEYS.
    pub keys: Vec<String>,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
}

/// The end of one attempt to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The event.
    pub index: usize,
    /// When, in ms of true time.
    pub at_ms: u64,
    /// How.
    pub outcome: Outcome,
}

impl Sent {
    /// What is proven so far: `UNKNOWN` until it ended.
    pub fn class(&self) -> Class {
        self.ended.as_ref().map_or(Class::Unknown, |ended| ended.outcome.class())
    }

    /// Where it is stored, if it is known to be.
    pub fn placed(&self) -> Option<&Placed> {
        self.ended.as_ref()?.outcome.placed()
    }

    /// The events of its life so far.
    pub fn indices(&self) -> Vec<usize> {
        std::iter::once(self.started).chain(self.ended.as_ref().map(|ended| ended.index)).collect()
    }
}

/// Everything clients did and saw so far. Only ever appended to.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    sent: BTreeMap<Identity, Sent>,
}

impl History {
    /// An empty history.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes what a client did or saw at `at_ms` of true time, and returns the event's index.
    ///
    /// # Panics
    /// When true time runs back, an attempt begins twice, or one ends that did not begin or ended
    /// already: these are mistakes of a workload.
    pub fn record(&mut self, at_ms: u64, what: What) -> usize {
        let index = self.events.len();
        let last = self.events.last();
        assert!(last.is_none_or(|last| last.at_ms <= at_ms), "true time does not run back");
        match &what {
            What::SendStarted { id, topic, tag, digest, kind, waits, keys } => {
                let sent = Sent {
                    id: *id,
                    started: index,
                    started_ms: at_ms,
                    topic: topic.clone(),
                    tag: tag.clone(),
                    digest: *digest,
                    kind: *kind,
                    waits: *waits,
                    keys: keys.clone(),
                    ended: None,
                };
                assert!(self.sent.insert(*id, sent).is_none(), "attempt {id} began twice");
            }
            What::SendEnded { id, outcome } => {
                let sent = self.sent.get_mut(id).expect("an attempt that ends began");
                assert!(sent.ended.is_none(), "attempt {id} ended twice");
                sent.ended = Some(Ended { index, at_ms, outcome: outcome.clone() });
            }
            _ => {}
        }
        self.events.push(Event { index, at_ms, what });
        index
    }

    /// All events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The life of one attempt.
    pub fn sent(&self, id: Identity) -> Option<&Sent> {
        self.sent.get(&id)
    }

    /// Every attempt, by identity.
    pub fn all_sent(&self) -> impl Iterator<Item = &Sent> {
        self.sent.values()
    }
}
