//! SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and, handed on, SEND_BATCH_MESSAGE (320): the ordinary
//! path. What the fast path leaves, because it is rare or wrong, is done here in full.

use std::sync::Arc;

use message::topic;
use protocol::body::TopicConfig;
use protocol::header::{SendMessageRequestHeader, SendMessageResponseHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply};

use super::send::Send;
use super::send_batch;
use crate::put::{self, Stored};
use crate::refusal::{RETRY_AFTER_OVERLOAD_MS, Refusal};
use crate::state::State;
use crate::{admission, properties, topics};

/// Serves one send. Refusals carry region and trace switch too, as RocketMQ's do.
pub(crate) async fn serve(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Reply {
    match store(state, connection, request).await {
        Ok((header, code)) => {
            RemotingCommand::response_to(request, code).with_header(&header).into()
        }
        Err(refusal) => {
            let mut reply = refusal.reply_to(request);
            reply.ext_fields.insert("MSG_REGION", state.config.region.as_str());
            reply.ext_fields.insert("TRACE_ON", state.config.trace_on.to_string());
            reply.into()
        }
    }
}

async fn store(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Result<(SendMessageResponseHeader, ResponseCode), Refusal> {
    let Some(_inside) = state.sends.enter() else {
        let remark = format!(
            "[OVERLOAD]system busy, start flow control for a while: {} sends at work",
            state.config.sends_in_flight_max
        );
        return Err(Refusal::busy(remark, RETRY_AFTER_OVERLOAD_MS));
    };
    if state.draining.is_stopped() {
        let remark = "the broker is shutting down; send to another one";
        return Err(Refusal::new(ResponseCode::SERVICE_NOT_AVAILABLE, remark));
    }
    let header: SendMessageRequestHeader = request.header()?;
    admission::check_name(&header.topic)?;
    let topic = destination(state, &header).await?;
    admission::check_permission(&state.config, &topic)?;
    let asked_queue = admission::check_queue(&topic, header.queue_id)?;
    admission::check_kind(properties::asked(header.properties.as_bytes()), header.sys_flag)?;
    let answered_queue = asked_queue.unwrap_or_else(|| random_queue(state, &topic));
    let (topic, queue_id) = dead_letter(state, &header, topic, answered_queue).await?;
    let send = Send {
        header: &header,
        body: &request.body,
        born_host: connection.peer_addr(),
        store_host: state.store_host(connection.local_addr()),
        queue: state.store.queue(&topic.topic_name, queue_id),
    };
    let batch = header.batch || request.request_code() == RequestCode::SEND_BATCH_MESSAGE;
    let stored = if batch {
        send_batch::store(state, &send).await?
    } else {
        store_single(state, &send).await?
    };
    Ok((response(state, &send, &stored, answered_queue), stored.code))
}

async fn store_single(state: &State, send: &Send<'_>) -> Result<Stored, Refusal> {
    let raw = send.header.properties.as_bytes();
    let mut properties = Vec::with_capacity(raw.len() + 32);
    let asked = properties::store_single(raw, &state.config.cluster, &mut properties);
    admission::check_size(&state.config, send.body.len(), properties.len())?;
    let message = send.put(send.header.flag, send.body, &properties);
    put::put(state, &[message], asked.no_wait).await
}

/// The topic sent to, created if there is none and the template allows it.
async fn destination(
    state: &State,
    header: &SendMessageRequestHeader,
) -> Result<Arc<TopicConfig>, Refusal> {
    let name = &header.topic;
    let make = |known: &topics::Topics| {
        if topic::is_retry(name) {
            return Some(topics::plain(name, 1, 6));
        }
        known.derive(name, &header.default_topic, header.default_topic_queue_nums)
    };
    state.tables.topic_or(name, make).await?.ok_or_else(|| admission::unknown_topic(name))
}

/// Where a message really goes: a retry that has failed too often goes to the dead letters.
async fn dead_letter(
    state: &State,
    header: &SendMessageRequestHeader,
    topic: Arc<TopicConfig>,
    queue_id: u32,
) -> Result<(Arc<TopicConfig>, u32), Refusal> {
    let Some(group) = header.topic.strip_prefix(topic::RETRY_PREFIX) else {
        return Ok((topic, queue_id));
    };
    let Some(group) = state.tables.groups().get(group) else {
        let remark = format!("subscription group not exist, {group}{}", admission::SEE_FAQ);
        return Err(Refusal::new(ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST, remark));
    };
    if header.reconsume_times < header.max_reconsume_times.unwrap_or(group.retry_max_times) {
        return Ok((topic, queue_id));
    }
    let name = topic::dead_letter(&group.group_name);
    let made = state.tables.topic_or(&name, |_| Some(topics::plain(&name, 1, 6))).await?;
    Ok((made.ok_or_else(|| admission::unknown_topic(&name))?, 0))
}

fn random_queue(state: &State, topic: &TopicConfig) -> u32 {
    state.rng.below(u64::from(topic.write_queue_nums.max(1))) as u32
}

fn response(
    state: &State,
    send: &Send<'_>,
    stored: &Stored,
    queue_id: u32,
) -> SendMessageResponseHeader {
    let ids: Vec<String> =
        stored.places.iter().map(|place| put::message_id(send.store_host, place)).collect();
    let first = stored.places.first().map_or(0, |first| first.queue_offset.0);
    SendMessageResponseHeader {
        msg_id: ids.join(","),
        queue_id: queue_id as i32,
        queue_offset: first as i64,
        transaction_id: None,
        region: Some(state.config.region.clone()),
        trace_on: Some(state.config.trace_on),
    }
}
