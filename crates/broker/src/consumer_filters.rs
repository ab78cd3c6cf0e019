//! `consumerFilter.json`: what groups that select by SQL92 have asked for.
//!
//! Pure: the table and its text (internals.md §1.6). This broker refuses SQL92 by name, so it adds
//! nobody to it and takes nobody from it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Filters by topic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsumerFilters {
    filter_data_by_topic: BTreeMap<String, TopicFilters>,
}

/// The filters of one topic, by group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TopicFilters {
    group_filter_data: BTreeMap<String, ConsumerFilter>,
    topic: String,
}

/// What one group asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConsumerFilter {
    /// The bits of the queues' extension that stand for it, where that is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    bloom_filter_data: Option<BloomFilter>,
    /// When it was asked for, in ms.
    born_time: i64,
    /// The subscription's version, in ms.
    client_version: i64,
    consumer_group: String,
    dead: bool,
    /// When its last member left, in ms; 0 while there is one.
    dead_time: i64,
    expression: String,
    expression_type: String,
    topic: String,
}

/// Places in a bit array.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BloomFilter {
    bit_num: i32,
    bit_pos: Vec<i32>,
}

impl ConsumerFilters {
    /// How many groups' filters these are.
    pub(crate) fn count(&self) -> usize {
        self.filter_data_by_topic.values().map(|topic| topic.group_filter_data.len()).sum()
    }

    /// The text of the file.
    pub(crate) fn to_json(&self) -> Bytes {
        let text = serde_json::to_vec(self);
        text.expect("the table has string keys and finite depth, so it serialises").into()
    }

    /// Reads the file.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What RocketMQ 4.9.8 writes: fastjson's tabs, keys in the order of a hash table.
    const WRITTEN: &[u8] =
        b"{\n\t\"filterDataByTopic\":{\n\t\t\"t\":{\n\t\t\t\"groupFilterData\":{\n\
        \t\t\t\t\"g\":{\n\t\t\t\t\t\"bloomFilterData\":{\n\t\t\t\t\t\t\"bitNum\":112,\n\
        \t\t\t\t\t\t\"bitPos\":[7,33,101]\n\t\t\t\t\t},\n\t\t\t\t\t\"bornTime\":1795166152475,\n\
        \t\t\t\t\t\"clientVersion\":1795166150000,\n\t\t\t\t\t\"consumerGroup\":\"g\",\n\
        \t\t\t\t\t\"dead\":false,\n\t\t\t\t\t\"deadTime\":0,\n\
        \t\t\t\t\t\"expression\":\"a > 5 AND b = 'x\\\"y'\",\n\
        \t\t\t\t\t\"expressionType\":\"SQL92\",\n\t\t\t\t\t\"topic\":\"t\"\n\t\t\t\t}\n\
        \t\t\t},\n\t\t\t\"topic\":\"t\"\n\t\t}\n\t}\n}";

    #[test]
    fn a_file_of_rocketmq_reads_and_says_the_same_when_written() {
        let filters = ConsumerFilters::from_json(WRITTEN).expect("it is RocketMQ's");
        assert_eq!(filters.count(), 1);
        let wanted: serde_json::Value = serde_json::from_slice(WRITTEN).expect("it is JSON");
        let written: serde_json::Value =
            serde_json::from_slice(&filters.to_json()).expect("it is JSON, too");
        assert_eq!(written, wanted, "no field is lost or added");
    }

    #[test]
    fn an_empty_table_is_rocketmqs_and_no_text_is_none() {
        let empty = ConsumerFilters::default();
        assert_eq!(empty.to_json(), "{\"filterDataByTopic\":{}}");
        assert_eq!(ConsumerFilters::from_json(&empty.to_json()).ok(), Some(empty));
        for damaged in [&b""[..], b"{}", b"{\"filterDataByTopic\":{", b"\0\0"] {
            assert!(ConsumerFilters::from_json(damaged).is_err());
        }
    }
}
