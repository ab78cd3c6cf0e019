//! DELETE_EXPIRED_COMMITLOG (329), CLEAN_EXPIRED_CONSUMEQUEUE (306) and CLEAN_UNUSED_TOPIC (316):
//! an operator's wishes about old data. None of them has a header or a body, either way.

use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// Lets the cleaner delete what is expired, whatever the hour. Answered before anything is deleted,
/// as RocketMQ does.
pub(crate) fn delete_expired(state: &State, request: &RemotingCommand) -> Reply {
    state.store.delete_expired();
    success(request).into()
}

/// Lets the queues follow the log's lowest offset.
pub(crate) async fn clean_queues(state: &State, request: &RemotingCommand) -> Answer {
    let cleaned = state.store.clean_queues().await;
    cleaned.map_err(|closed| {
        Refusal::new(ResponseCode::SYSTEM_ERROR, format!("not cleaned: {closed}"))
    })?;
    Ok(success(request).into())
}

/// Names the topics that are stored and not configured. They are kept: their messages stand in the
/// log as long as it does, and a new topic of the name would show them (invariant P7), so nothing
/// is dropped that the log may bring back.
pub(crate) fn unused_topics(state: &State, request: &RemotingCommand) -> Reply {
    let topics = state.tables.topics();
    let mut unused: Vec<String> = state.store.queues().iter().map(|q| q.topic().into()).collect();
    unused.dedup();
    unused.retain(|topic| topics.get(topic).is_none());
    tracing::info!(?unused, "queues of unknown topics go with the segments they point to");
    success(request).into()
}
