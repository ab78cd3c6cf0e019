//! GET_CONSUMER_LIST_BY_GROUP (38): the members that share a group's queues.

use protocol::body::GetConsumerListByGroupResponseBody;
use protocol::header::GetConsumerListByGroupRequestHeader;
use protocol::{RemotingCommand, ResponseCode};

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// Lists each client once.
pub(crate) fn serve(state: &State, request: &RemotingCommand) -> Answer {
    let header: GetConsumerListByGroupRequestHeader = request.header()?;
    let clients = state.members.consumers().clients(&header.consumer_group);
    if clients.is_empty() {
        let remark = format!("no consumer for this group, {}", header.consumer_group);
        return Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark));
    }
    let body =
        GetConsumerListByGroupResponseBody { consumer_id_list: clients.into_iter().collect() };
    Ok(success(request).with_body(body.encode()).into())
}
