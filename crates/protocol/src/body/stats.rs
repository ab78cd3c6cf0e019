//! Where the queues of a topic end, and how far a group has come.

use std::collections::BTreeMap;

use bytes::Bytes;
use message::MessageQueue;
use serde::{Deserialize, Serialize};

use crate::body::error::BodyError;
use crate::body::json::{self, integer};
use crate::body::wire_queue::{read_table, write_table};

/// The answer to GET_TOPIC_STATS_INFO: one entry per queue to write to.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicStatsTable {
    /// Offsets by queue.
    #[serde(deserialize_with = "read_table")]
    pub offset_table: BTreeMap<MessageQueue, TopicOffset>,
}

/// The offsets of a queue.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicOffset {
    /// When its last message was stored, in ms.
    #[serde(deserialize_with = "integer")]
    pub last_update_timestamp: i64,
    /// One past its last offset.
    #[serde(deserialize_with = "integer")]
    pub max_offset: i64,
    /// Its first offset.
    #[serde(deserialize_with = "integer")]
    pub min_offset: i64,
}

/// The answer to GET_CONSUME_STATS: one entry per queue to read from.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsumeStats {
    /// Messages per second.
    pub consume_tps: f64,
    /// Progress by queue.
    #[serde(deserialize_with = "read_table")]
    pub offset_table: BTreeMap<MessageQueue, OffsetWrapper>,
}

/// A group's progress in a queue.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OffsetWrapper {
    /// One past the queue's last offset.
    #[serde(deserialize_with = "integer")]
    pub broker_offset: i64,
    /// The committed offset.
    #[serde(deserialize_with = "integer")]
    pub consumer_offset: i64,
    /// When the last consumed message was stored, in ms.
    #[serde(deserialize_with = "integer")]
    pub last_timestamp: i64,
}

impl TopicStatsTable {
    /// The body's bytes, queues as object keys.
    pub fn encode(&self) -> Bytes {
        let mut to = b"{\"offsetTable\":".to_vec();
        write_table(&self.offset_table, &mut to);
        to.push(b'}');
        Bytes::from(to)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The bytes are no such body.
    pub fn decode(from: &[u8]) -> Result<Self, BodyError> {
        json::read(from, "TopicStatsTable")
    }
}

impl ConsumeStats {
    /// The body's bytes, queues as object keys.
    pub fn encode(&self) -> Bytes {
        // No JSON number is not-a-number or infinite.
        let tps = if self.consume_tps.is_finite() { self.consume_tps } else { 0.0 };
        let mut to = format!("{{\"consumeTps\":{tps:?},\"offsetTable\":").into_bytes();
        write_table(&self.offset_table, &mut to);
        to.push(b'}');
        Bytes::from(to)
    }

    /// Reads a body.
    ///
    /// # Errors
    /// The bytes are no such body.
    pub fn decode(from: &[u8]) -> Result<Self, BodyError> {
        json::read(from, "ConsumeStats")
    }
}
