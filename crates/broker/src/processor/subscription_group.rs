//! UPDATE_AND_CREATE_SUBSCRIPTIONGROUP (200) and GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201).

use protocol::body::SubscriptionGroupConfig;
use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// Creates or changes a group; durable when the answer leaves.
pub(crate) async fn update(state: &State, request: &RemotingCommand) -> Answer {
    let config = SubscriptionGroupConfig::decode(&request.body)?;
    if config.group_name.is_empty() {
        let remark = "the group has no name; send groupName";
        return Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark));
    }
    state.tables.put_group(config).await?;
    Ok(success(request).into())
}

/// All groups.
pub(crate) fn all(state: &State, request: &RemotingCommand) -> Reply {
    success(request).with_body(state.tables.groups().to_wrapper().encode()).into()
}
