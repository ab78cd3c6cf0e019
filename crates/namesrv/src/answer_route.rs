//! What clients and tools ask and change of routes (105, 106, 205, 206, 216, 224, 304, 311–313,
//! 327).

use protocol::body::TopicList;
use protocol::header::{
    AddWritePermResponseHeader, DeleteTopicInNamesrvRequestHeader, GetRouteInfoRequestHeader,
    GetTopicsByClusterRequestHeader, WipeWritePermRequestHeader, WipeWritePermResponseHeader,
};
use protocol::{RemotingCommand, ResponseCode};

use crate::change::WritePermission;
use crate::config::ORDER_TOPIC_CONFIG;
use crate::query::Units;
use crate::refusal::Refusal;
use crate::state::State;

fn success(request: &RemotingCommand) -> RemotingCommand {
    RemotingCommand::response_to(request, ResponseCode::SUCCESS)
}

/// 105. Map keys are always quoted: every client reads that, and those from 4.9.4 on need it.
pub(crate) fn route(state: &State, request: &RemotingCommand) -> Result<RemotingCommand, Refusal> {
    let header: GetRouteInfoRequestHeader = request.header()?;
    let topic = header.topic;
    let route = state.table().route(&topic);
    let Some(mut route) = route else {
        let remark = format!(
            "No topic route info in name server for the topic: {topic}\nNo live broker has \
             registered it here; create it, or wait up to 30 s for its broker to register"
        );
        return Err(Refusal::new(ResponseCode::TOPIC_NOT_EXIST, remark));
    };
    if state.order_message_enable {
        let kv = state.kv.current();
        route.order_topic_conf = kv.get(ORDER_TOPIC_CONFIG, &topic).map(str::to_owned);
    }
    Ok(success(request).with_body(route.encode()))
}

/// 106.
pub(crate) fn clusters(state: &State, request: &RemotingCommand) -> RemotingCommand {
    success(request).with_body(state.table().clusters().encode())
}

/// 206.
pub(crate) fn topics(state: &State, request: &RemotingCommand) -> RemotingCommand {
    listed(request, &state.table().topics())
}

/// 304.
pub(crate) fn system_topics(state: &State, request: &RemotingCommand) -> RemotingCommand {
    listed(request, &state.table().system_topics())
}

/// 224.
pub(crate) fn topics_by_cluster(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let header: GetTopicsByClusterRequestHeader = request.header()?;
    Ok(listed(request, &state.table().topics_of_cluster(&header.cluster)))
}

/// 311, 312, 313.
pub(crate) fn topics_of_units(
    state: &State,
    request: &RemotingCommand,
    units: Units,
) -> RemotingCommand {
    listed(request, &state.table().topics_of_units(units))
}

/// 205.
pub(crate) fn wipe_write_permission(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let WipeWritePermRequestHeader { broker_name } = request.header()?;
    let wipe_topic_count =
        state.table().change_write_permission(&broker_name, WritePermission::Wipe);
    Ok(success(request).with_header(&WipeWritePermResponseHeader { wipe_topic_count }))
}

/// 327.
pub(crate) fn add_write_permission(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let WipeWritePermRequestHeader { broker_name } = request.header()?;
    let add_topic_count = state.table().change_write_permission(&broker_name, WritePermission::Add);
    Ok(success(request).with_header(&AddWritePermResponseHeader { add_topic_count }))
}

/// 216.
pub(crate) fn delete_topic(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let header: DeleteTopicInNamesrvRequestHeader = request.header()?;
    let cluster = header.cluster_name.as_deref().filter(|name| !name.is_empty());
    state.table().delete_topic(&header.topic, cluster);
    Ok(success(request))
}

fn listed(request: &RemotingCommand, list: &TopicList) -> RemotingCommand {
    success(request).with_body(list.encode())
}
