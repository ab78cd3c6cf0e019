//! Custom headers, one file per family (reference protocol.md §2.3 to §2.8). A field that a client
//! may omit is an `Option`, or says what a missing one means.

mod client;
mod namesrv;
mod offset;
mod pull;
mod query;
mod reset;
mod send;
mod send_back;
mod topic;
mod transaction;

pub use client::{
    GetConsumerListByGroupRequestHeader, NotifyConsumerIdsChangedRequestHeader,
    UnregisterClientRequestHeader,
};
pub use namesrv::{
    AddWritePermResponseHeader, DeleteKvConfigRequestHeader, DeleteTopicInNamesrvRequestHeader,
    GetKvConfigRequestHeader, GetKvConfigResponseHeader, GetKvListByNamespaceRequestHeader,
    GetRouteInfoRequestHeader, GetTopicsByClusterRequestHeader, PutKvConfigRequestHeader,
    QueryDataVersionRequestHeader, QueryDataVersionResponseHeader, RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader, UnregisterBrokerRequestHeader, WipeWritePermRequestHeader,
    WipeWritePermResponseHeader,
};
pub use offset::{
    GetEarliestMsgStoreTimeRequestHeader, GetEarliestMsgStoreTimeResponseHeader,
    GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader, GetMinOffsetRequestHeader,
    GetMinOffsetResponseHeader, QueryConsumerOffsetRequestHeader,
    QueryConsumerOffsetResponseHeader, SearchOffsetRequestHeader, SearchOffsetResponseHeader,
    UpdateConsumerOffsetRequestHeader,
};
pub use pull::{PullMessageRequestHeader, PullMessageResponseHeader};
pub use query::{QueryMessageRequestHeader, QueryMessageResponseHeader, ViewMessageRequestHeader};
pub use reset::ResetOffsetRequestHeader;
pub use send::{SendMessageRequestHeader, SendMessageResponseHeader};
pub use send_back::ConsumerSendMsgBackRequestHeader;
pub use topic::{CreateTopicRequestHeader, DeleteTopicRequestHeader, TopicRequestHeader};
pub use transaction::{CheckTransactionStateRequestHeader, EndTransactionRequestHeader};
