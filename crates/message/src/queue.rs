//! One queue of a topic on one broker.

use std::fmt;

/// The name of a queue. Ordered by topic, then broker, then number, as rebalancing needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageQueue {
    /// The topic it is a part of.
    pub topic: String,
    /// The broker (a name shared by a master and its slaves) that holds it.
    pub broker_name: String,
    /// Its number on that broker, from 0.
    pub queue_id: u32,
}

impl MessageQueue {
    /// Names a queue.
    pub fn new(topic: impl Into<String>, broker_name: impl Into<String>, queue_id: u32) -> Self {
        Self { topic: topic.into(), broker_name: broker_name.into(), queue_id }
    }
}

impl fmt::Display for MessageQueue {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}@{}:{}", self.topic, self.broker_name, self.queue_id)
    }
}
