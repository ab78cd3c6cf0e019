//! Where a group shall go on.

use std::collections::BTreeMap;

use bytes::Bytes;
use message::MessageQueue;
use serde::Deserialize;

use crate::body::error::BodyError;
use crate::body::json;
use crate::body::wire_queue::{read_table, write_table};

/// The body of RESET_CONSUMER_CLIENT_OFFSET, and the answer to INVOKE_BROKER_TO_RESET_OFFSET.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResetOffsetBody {
    /// Next offsets by queue.
    #[serde(deserialize_with = "read_table")]
    pub offset_table: BTreeMap<MessageQueue, i64>,
}

impl ResetOffsetBody {
    /// The body's bytes for Java and Go: queues as object keys.
    pub fn encode(&self) -> Bytes {
        let mut to = b"{\"offsetTable\":".to_vec();
        write_table(&self.offset_table, &mut to);
        to.push(b'}');
        Bytes::from(to)
    }

    /// The body's bytes for C++: a list.
    pub fn encode_for_cpp(&self) -> Bytes {
        let entries: Vec<serde_json::Value> = self
            .offset_table
            .iter()
            .map(|(queue, offset)| {
                serde_json::json!({
                    "brokerName": queue.broker_name,
                    "offset": offset,
                    "queueId": queue.queue_id,
                    "topic": queue.topic,
                })
            })
            .collect();
        Bytes::from(serde_json::json!({ "offsetTable": entries }).to_string())
    }

    /// Reads a body in the form for Java.
    ///
    /// # Errors
    /// The bytes are no such body.
    pub fn decode(from: &[u8]) -> Result<Self, BodyError> {
        json::read(from, "ResetOffsetBody")
    }
}
