//! Tables of offsets: what groups have consumed, and how far the delay levels are.
//!
//! fastjson leaves integer keys bare, `{0:7,1:4}`, which is no JSON: these are written so, because
//! RocketMQ's own files are (internals.md §1.6), and read in either dress.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use serde::Deserialize;

use crate::body::data_version::DataVersion;
use crate::body::error::BodyError;
use crate::body::json;

/// Every committed offset of a broker: the form of `consumerOffset.json` and the body of
/// GET_ALL_CONSUMER_OFFSET.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsumerOffsetSerializeWrapper {
    /// `topic@group` → queue id → offset.
    pub offset_table: BTreeMap<String, BTreeMap<i32, i64>>,
}

/// How far each delay level has been delivered: the form of `delayOffset.json` and the body of
/// GET_ALL_DELAY_OFFSET.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DelayOffsetSerializeWrapper {
    /// Level, from 1, → offset in the level's queue of `SCHEDULE_TOPIC_XXXX`, whose id is a less.
    pub offset_table: BTreeMap<i32, i64>,
    /// How new the table is (5.x); 4.9 has none.
    pub data_version: Option<DataVersion>,
}

impl ConsumerOffsetSerializeWrapper {
    /// The text, integer keys bare.
    pub fn encode(&self) -> Bytes {
        let mut text = String::from("{\"offsetTable\":{");
        for (number, (key, queues)) in self.offset_table.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let _ = write!(text, "{comma}{}:", serde_json::Value::from(key.as_str()));
            write_offsets(&mut text, queues);
        }
        text.push_str("}}");
        text.into()
    }

    /// Reads the text, integer keys bare or quoted.
    ///
    /// # Errors
    /// The bytes are no such table.
    pub fn decode(from: &[u8]) -> Result<Self, BodyError> {
        json::read_object(from, "ConsumerOffsetSerializeWrapper")
    }
}

impl DelayOffsetSerializeWrapper {
    /// The text, integer keys bare.
    pub fn encode(&self) -> Bytes {
        let mut text = String::from("{");
        if let Some(version) = &self.data_version {
            let version = json::write(version);
            let _ = write!(text, "\"dataVersion\":{},", String::from_utf8_lossy(&version));
        }
        text.push_str("\"offsetTable\":");
        write_offsets(&mut text, &self.offset_table);
        text.push('}');
        text.into()
    }

    /// Reads the text, integer keys bare or quoted.
    ///
    /// # Errors
    /// The bytes are no such table.
    pub fn decode(from: &[u8]) -> Result<Self, BodyError> {
        json::read_object(from, "DelayOffsetSerializeWrapper")
    }
}

/// `{2:5,10:3}`.
fn write_offsets(text: &mut String, offsets: &BTreeMap<i32, i64>) {
    for (number, (key, offset)) in offsets.iter().enumerate() {
        let comma = if number > 0 { ',' } else { '{' };
        let _ = write!(text, "{comma}{key}:{offset}");
    }
    text.push_str(if offsets.is_empty() { "{}" } else { "}" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offsets_of_groups_read_back_and_their_queue_ids_are_bare() {
        let mut table = ConsumerOffsetSerializeWrapper::default();
        table.offset_table.insert("%RETRY%g@g".to_owned(), [(0, 1 << 40)].into());
        table.offset_table.insert("T@g".to_owned(), [(10, 3), (2, 5)].into());
        table.offset_table.insert("U@\"".to_owned(), BTreeMap::new());
        let text = table.encode();
        let wanted =
            r#"{"offsetTable":{"%RETRY%g@g":{0:1099511627776},"T@g":{2:5,10:3},"U@\"":{}}}"#;
        assert_eq!(text, wanted);
        assert_eq!(ConsumerOffsetSerializeWrapper::decode(&text).ok(), Some(table));
    }

    #[test]
    fn a_file_of_rocketmq_with_bare_integer_keys_reads_back() {
        let text =
            b"{\n\t\"offsetTable\":{\n\t\t\"TopicA@c\\\"g:1\":{0:7,1:4,2 :3,3:-1\n\t\t}\n\t}\n}";
        let read = ConsumerOffsetSerializeWrapper::decode(text).expect("fastjson's form is taken");
        assert_eq!(read.offset_table["TopicA@c\"g:1"], [(0, 7), (1, 4), (2, 3), (3, -1)].into());
        for damaged in [&b"{\"offsetTable\":"[..], b"", b"[]", b"{\"offsetTable\":{\"a@b\":{x:1}}}"]
        {
            assert!(ConsumerOffsetSerializeWrapper::decode(damaged).is_err());
        }
    }

    #[test]
    fn delay_levels_read_back_with_and_without_a_version() {
        let read =
            DelayOffsetSerializeWrapper::decode(b"{\n\t\"offsetTable\":{1:4,2:0,18:7\n\t}\n}");
        let mut table = read.expect("it is a table of 4.9");
        assert_eq!(table.offset_table, [(1, 4), (2, 0), (18, 7)].into());
        assert_eq!(table.encode(), "{\"offsetTable\":{1:4,2:0,18:7}}");
        table.data_version = Some(DataVersion { counter: 2, state_version: 0, timestamp: 5 });
        let read = DelayOffsetSerializeWrapper::decode(&table.encode());
        assert_eq!(read.ok(), Some(table), "a version of 5.x is kept");
        assert_eq!(DelayOffsetSerializeWrapper::default().encode(), "{\"offsetTable\":{}}");
        assert!(DelayOffsetSerializeWrapper::decode(b"{\"offsetTable\":{1:").is_err());
    }
}
