//! A broker's topics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::data_version::DataVersion;
use crate::body::json::{integer, json_body, text};

/// The configuration of a topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicConfig {
    /// Attributes (5.x).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Whether order matters.
    pub order: bool,
    /// Bits, see `message::permission`.
    #[serde(deserialize_with = "integer")]
    pub perm: u32,
    /// Queues `0..` to read from.
    #[serde(deserialize_with = "integer")]
    pub read_queue_nums: u32,
    /// `SINGLE_TAG` or `MULTI_TAG`.
    #[serde(deserialize_with = "text")]
    pub topic_filter_type: String,
    /// The name.
    #[serde(deserialize_with = "text")]
    pub topic_name: String,
    /// Unit bits.
    #[serde(deserialize_with = "integer")]
    pub topic_sys_flag: u32,
    /// Queues `0..` to write to.
    #[serde(deserialize_with = "integer")]
    pub write_queue_nums: u32,
}

impl TopicConfig {
    /// A message has one tag.
    pub const SINGLE_TAG: &'static str = "SINGLE_TAG";
    /// A message may have several.
    pub const MULTI_TAG: &'static str = "MULTI_TAG";
}

/// As Java's: 16 queues, read and write, no name.
impl Default for TopicConfig {
    fn default() -> Self {
        Self {
            attributes: BTreeMap::new(),
            order: false,
            perm: 6,
            read_queue_nums: 16,
            topic_filter_type: Self::SINGLE_TAG.to_owned(),
            topic_name: String::new(),
            topic_sys_flag: 0,
            write_queue_nums: 16,
        }
    }
}

/// All topics of a broker; also the form of its `topics.json`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicConfigSerializeWrapper {
    /// How new the table is.
    pub data_version: DataVersion,
    /// Configurations by name.
    pub topic_config_table: BTreeMap<String, TopicConfig>,
}

json_body!(TopicConfig, TopicConfigSerializeWrapper);
