//! Bodies: JSON documents, one file per subject (reference protocol.md §3).
//!
//! Every type has `encode`, which writes standard JSON that Java, Go and C++ clients parse, and
//! `decode`, which takes fastjson's liberties: see the crate's `lenient` pass, and below.

mod client_config;
mod cluster;
mod connection;
mod consumer_list;
mod data_version;
mod error;
mod heartbeat;
mod json;
mod kv_table;
mod lock;
mod offset_table;
mod register_broker;
mod register_broker_zlib;
mod reset_offset;
mod route;
mod stats;
mod subscription;
mod subscription_group;
mod topic_config;
mod topic_list;
mod wire_queue;

pub use client_config::CheckClientRequestBody;
pub use cluster::ClusterInfo;
pub use connection::{Connection, ConsumerConnection, ProducerConnection};
pub use consumer_list::GetConsumerListByGroupResponseBody;
pub use data_version::DataVersion;
pub use error::BodyError;
pub use heartbeat::{
    ConsumeFromWhere, ConsumeType, ConsumerData, HeartbeatData, MessageModel, ProducerData,
};
pub use kv_table::KvTable;
pub use lock::{LockBatchRequestBody, LockBatchResponseBody, UnlockBatchRequestBody};
pub use offset_table::{ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper};
pub use register_broker::RegisterBrokerBody;
pub use reset_offset::ResetOffsetBody;
pub use route::{BrokerData, QueueData, TopicRouteData};
pub use stats::{ConsumeStats, OffsetWrapper, TopicOffset, TopicStatsTable};
pub use subscription::SubscriptionData;
pub use subscription_group::{SubscriptionGroupConfig, SubscriptionGroupWrapper};
pub use topic_config::{TopicConfig, TopicConfigSerializeWrapper};
pub use topic_list::{GroupList, TopicList};
