//! Locks on queues, for orderly consumption.

use message::MessageQueue;
use serde::{Deserialize, Serialize};

use crate::body::json::{json_body, text};
use crate::body::wire_queue;

/// The body of LOCK_BATCH_MQ.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LockBatchRequestBody {
    /// Who locks.
    #[serde(deserialize_with = "text")]
    pub client_id: String,
    /// For which group.
    #[serde(deserialize_with = "text")]
    pub consumer_group: String,
    /// Which queues.
    #[serde(with = "wire_queue")]
    pub mq_set: Vec<MessageQueue>,
}

/// The answer to LOCK_BATCH_MQ.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LockBatchResponseBody {
    /// The queues that the client has locked now.
    #[serde(rename = "lockOKMQSet", with = "wire_queue")]
    pub lock_ok_mq_set: Vec<MessageQueue>,
}

/// The body of UNLOCK_BATCH_MQ.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UnlockBatchRequestBody {
    /// Who unlocks.
    #[serde(deserialize_with = "text")]
    pub client_id: String,
    /// For which group.
    #[serde(deserialize_with = "text")]
    pub consumer_group: String,
    /// Which queues.
    #[serde(with = "wire_queue")]
    pub mq_set: Vec<MessageQueue>,
}

json_body!(LockBatchRequestBody, LockBatchResponseBody, UnlockBatchRequestBody);
