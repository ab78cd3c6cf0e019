//! Who is connected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::heartbeat::{ConsumeFromWhere, ConsumeType, MessageModel};
use crate::body::json::{integer, json_body, text};
use crate::body::subscription::SubscriptionData;

/// One member of a group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Connection {
    /// Its address, `ip:port`.
    #[serde(deserialize_with = "text")]
    pub client_addr: String,
    /// Its id.
    #[serde(deserialize_with = "text")]
    pub client_id: String,
    /// The name of its language, see `Language`.
    #[serde(deserialize_with = "text")]
    pub language: String,
    /// Its release, see `version`.
    #[serde(deserialize_with = "integer")]
    pub version: i32,
}

/// The answer to GET_CONSUMER_CONNECTION_LIST.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsumerConnection {
    /// The members.
    pub connection_set: Vec<Connection>,
    /// Where the group began.
    pub consume_from_where: ConsumeFromWhere,
    /// Pull or push.
    pub consume_type: ConsumeType,
    /// Whether members share the messages.
    pub message_model: MessageModel,
    /// What the group wants, by topic.
    pub subscription_table: BTreeMap<String, SubscriptionData>,
}

/// The answer to GET_PRODUCER_CONNECTION_LIST.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProducerConnection {
    /// The members.
    pub connection_set: Vec<Connection>,
}

json_body!(Connection, ConsumerConnection, ProducerConnection);
