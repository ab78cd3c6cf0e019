//! Who serves a topic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::json::{integer, json_body, some_text, text};

/// The answer to GET_ROUTEINFO_BY_TOPIC. Go reads the addresses with a knife: compact JSON only.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicRouteData {
    /// The brokers that have the topic.
    pub broker_datas: Vec<BrokerData>,
    /// A removed feature; always empty, always there.
    pub filter_server_table: BTreeMap<String, Vec<String>>,
    /// `brokerA:4;brokerB:4`: alone defines the queues to publish to.
    #[serde(deserialize_with = "some_text", skip_serializing_if = "Option::is_none")]
    pub order_topic_conf: Option<String>,
    /// The topic's queues, per broker.
    pub queue_datas: Vec<QueueData>,
}

/// A topic's queues on one broker.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QueueData {
    /// The broker.
    #[serde(deserialize_with = "text")]
    pub broker_name: String,
    /// Bits, see `message::permission`.
    #[serde(deserialize_with = "integer")]
    pub perm: u32,
    /// Queues `0..` to read from.
    #[serde(deserialize_with = "integer")]
    pub read_queue_nums: u32,
    /// Unit bits.
    #[serde(deserialize_with = "integer")]
    pub topic_sys_flag: u32,
    /// Queues `0..` to write to.
    #[serde(deserialize_with = "integer")]
    pub write_queue_nums: u32,
}

/// Where a broker name is served.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BrokerData {
    /// `ip:port` by broker id: 0 the master, others slaves.
    pub broker_addrs: BTreeMap<i64, String>,
    /// The name that a master and its slaves share.
    #[serde(deserialize_with = "text")]
    pub broker_name: String,
    /// The cluster.
    #[serde(deserialize_with = "text")]
    pub cluster: String,
}

json_body!(TopicRouteData, QueueData, BrokerData);
