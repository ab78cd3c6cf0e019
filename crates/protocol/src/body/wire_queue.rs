//! How a [`MessageQueue`] stands in JSON: as a list's item, and as an object's key.
//!
//! Java prints a map whose keys are queues as `{{"brokerName":…}:value}` (Q3). Java and Go read
//! that, and neither reads every standard form, so this is what is written.

use std::collections::BTreeMap;

use message::MessageQueue;
use serde::de::{DeserializeOwned, Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use crate::body::json::{integer, text};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireQueue {
    #[serde(default, deserialize_with = "text")]
    broker_name: String,
    #[serde(default, deserialize_with = "integer")]
    queue_id: u32,
    #[serde(default, deserialize_with = "text")]
    topic: String,
}

impl WireQueue {
    fn from_queue(queue: &MessageQueue) -> Self {
        let MessageQueue { topic, broker_name, queue_id } = queue.clone();
        Self { broker_name, queue_id, topic }
    }

    fn into_queue(self) -> MessageQueue {
        MessageQueue { topic: self.topic, broker_name: self.broker_name, queue_id: self.queue_id }
    }
}

/// Writes a list of queues.
pub(crate) fn serialize<S: Serializer>(
    queues: &[MessageQueue],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(queues.iter().map(WireQueue::from_queue))
}

/// Reads a list of queues.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<MessageQueue>, D::Error> {
    let queues = Vec::<WireQueue>::deserialize(deserializer)?;
    Ok(queues.into_iter().map(WireQueue::into_queue).collect())
}

/// Appends a table keyed by queues, as Q3.
pub(crate) fn write_table<V: Serialize>(table: &BTreeMap<MessageQueue, V>, to: &mut Vec<u8>) {
    to.push(b'{');
    for (at, (queue, value)) in table.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        write_value(&WireQueue::from_queue(queue), to);
        to.push(b':');
        write_value(value, to);
    }
    to.push(b'}');
}

fn write_value(value: &impl Serialize, to: &mut Vec<u8>) {
    serde_json::to_writer(to, value).expect("a flat record with string keys serialises");
}

/// Reads a table keyed by queues; the keys are the texts of objects by now.
pub(crate) fn read_table<'de, D: Deserializer<'de>, V: DeserializeOwned>(
    deserializer: D,
) -> Result<BTreeMap<MessageQueue, V>, D::Error> {
    let raw = BTreeMap::<String, V>::deserialize(deserializer)?;
    raw.into_iter()
        .map(|(key, value)| {
            let queue: WireQueue = serde_json::from_str(&key).map_err(D::Error::custom)?;
            Ok((queue.into_queue(), value))
        })
        .collect()
}
