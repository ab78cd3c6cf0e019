//! What brokers ask: register, unregister, is my table news (103, 104, 322).

use protocol::body::{DataVersion, RegisterBrokerBody, TopicConfigSerializeWrapper};
use protocol::header::{
    QueryDataVersionRequestHeader, QueryDataVersionResponseHeader, RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader, UnregisterBrokerRequestHeader,
};
use protocol::{RemotingCommand, ResponseCode};
use remoting::Connection;

use crate::config::ORDER_TOPIC_CONFIG;
use crate::refusal::Refusal;
use crate::register::Registration;
use crate::state::State;

/// Brokers before 3.0.11 send the bare topic table.
const VERSION_OF_REGISTER_BODY: i32 = 37;

/// 103.
pub(crate) fn register(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let header: RegisterBrokerRequestHeader = request.header()?;
    let topics = topics_of(&header, request)?;
    let registration = Registration {
        cluster_name: header.cluster_name,
        broker_name: header.broker_name,
        broker_id: header.broker_id,
        broker_addr: header.broker_addr,
        ha_server_addr: header.ha_server_addr,
        data_version: topics.data_version,
        topics: topics.topic_config_table,
        connection: connection.id(),
    };
    state.registrants().insert(connection.id(), connection.clone());
    let registered = state.table().register(registration, state.clock.monotonic());
    if connection.is_closed() {
        // It ended while we registered it, and the service may have been told before: take it back,
        // or the broker stays until it expires.
        state.table().connection_lost(connection.id());
        state.registrants().remove(&connection.id());
    }
    state.registrations.raise_to(state.registrations.reached() + 1);
    let response = RemotingCommand::response_to(request, ResponseCode::SUCCESS);
    let response = response.with_header(&RegisterBrokerResponseHeader {
        ha_server_addr: registered.ha_server_addr,
        master_addr: registered.master_addr,
    });
    Ok(match state.kv.current().namespace(ORDER_TOPIC_CONFIG) {
        Some(order) => response.with_body(order.encode()),
        None => response,
    })
}

fn topics_of(
    header: &RegisterBrokerRequestHeader,
    request: &RemotingCommand,
) -> Result<TopicConfigSerializeWrapper, Refusal> {
    let crc32 = RegisterBrokerBody::crc32(&request.body);
    if header.body_crc32 != 0 && header.body_crc32 != crc32 {
        let remark =
            format!("crc32 not match: the header says {}, the body {crc32}", header.body_crc32);
        return Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark));
    }
    if request.body.is_empty() {
        return Ok(TopicConfigSerializeWrapper::default());
    }
    if request.version < VERSION_OF_REGISTER_BODY {
        return Ok(TopicConfigSerializeWrapper::decode(&request.body)?);
    }
    let body = match header.compressed {
        true => RegisterBrokerBody::decode_compressed(&request.body)?,
        false => RegisterBrokerBody::decode(&request.body)?,
    };
    Ok(body.topic_config_serialize_wrapper)
}

/// 104.
pub(crate) fn unregister(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let header: UnregisterBrokerRequestHeader = request.header()?;
    state.table().unregister(&header.broker_name, header.broker_id, &header.broker_addr);
    Ok(RemotingCommand::response_to(request, ResponseCode::SUCCESS))
}

/// 322.
pub(crate) fn query_data_version(
    state: &State,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    let header: QueryDataVersionRequestHeader = request.header()?;
    let version = DataVersion::decode(&request.body)?;
    let now = state.clock.monotonic();
    let (changed, known) = state.table().data_version(&header.broker_addr, &version, now);
    let response = RemotingCommand::response_to(request, ResponseCode::SUCCESS)
        .with_header(&QueryDataVersionResponseHeader { changed });
    Ok(match known {
        Some(known) => response.with_body(known.encode()),
        None => response,
    })
}
