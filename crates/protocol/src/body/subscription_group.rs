//! A broker's consumer groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::data_version::DataVersion;
use crate::body::json::{integer, json_body, text};

/// The configuration of a consumer group. 5.x's retry policies and fixed subscriptions are
/// ignored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubscriptionGroupConfig {
    /// Attributes (5.x).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The broker id to pull from; 0 the master.
    #[serde(deserialize_with = "integer")]
    pub broker_id: i64,
    /// Whether it may broadcast.
    pub consume_broadcast_enable: bool,
    /// Whether it may consume.
    pub consume_enable: bool,
    /// Whether a new group may begin at the beginning.
    pub consume_from_min_enable: bool,
    /// Whether it is orderly (5.x).
    pub consume_message_orderly: bool,
    /// After how many minutes consuming one message has failed (5.x).
    #[serde(deserialize_with = "integer")]
    pub consume_timeout_minute: i32,
    /// The name.
    #[serde(deserialize_with = "text")]
    pub group_name: String,
    /// Unit bits (5.x).
    #[serde(deserialize_with = "integer")]
    pub group_sys_flag: i32,
    /// Whether members are told of changes.
    pub notify_consumer_ids_changed_enable: bool,
    /// After how many failures a message is a dead letter.
    #[serde(deserialize_with = "integer")]
    pub retry_max_times: i32,
    /// Queues of the retry topic; 0: failed messages are dropped.
    #[serde(deserialize_with = "integer")]
    pub retry_queue_nums: i32,
    /// The broker id to pull from while lagging.
    #[serde(deserialize_with = "integer")]
    pub which_broker_when_consume_slowly: i64,
}

/// As Java's; no name.
impl Default for SubscriptionGroupConfig {
    fn default() -> Self {
        Self {
            attributes: BTreeMap::new(),
            broker_id: 0,
            consume_broadcast_enable: true,
            consume_enable: true,
            consume_from_min_enable: true,
            consume_message_orderly: false,
            consume_timeout_minute: 15,
            group_name: String::new(),
            group_sys_flag: 0,
            notify_consumer_ids_changed_enable: true,
            retry_max_times: 16,
            retry_queue_nums: 1,
            which_broker_when_consume_slowly: 1,
        }
    }
}

/// All groups of a broker; also the form of its `subscriptionGroup.json`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SubscriptionGroupWrapper {
    /// How new the table is.
    pub data_version: DataVersion,
    /// Configurations by name.
    pub subscription_group_table: BTreeMap<String, SubscriptionGroupConfig>,
}

json_body!(SubscriptionGroupConfig, SubscriptionGroupWrapper);
