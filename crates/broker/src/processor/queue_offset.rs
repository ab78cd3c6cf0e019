//! Offsets of a queue: SEARCH_OFFSET_BY_TIMESTAMP (29), GET_MAX_OFFSET (30), GET_MIN_OFFSET (31)
//! and GET_EARLIEST_MSG_STORETIME (32). An unknown queue is an empty one, never an error.

use std::time::Duration;

use protocol::header::{
    GetEarliestMsgStoreTimeRequestHeader, GetEarliestMsgStoreTimeResponseHeader,
    GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader, GetMinOffsetRequestHeader,
    GetMinOffsetResponseHeader, SearchOffsetRequestHeader, SearchOffsetResponseHeader,
};
use protocol::{RemotingCommand, ResponseCode};
use store::{Boundary, QueueHandle, ReadError};

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// How long a question about the messages of a queue waits, after a restart, until what recovery
/// found is visible.
pub(super) const CATCH_UP_WAIT_MAX: Duration = Duration::from_secs(2);

fn find(state: &State, topic: &str, queue_id: i32) -> Option<QueueHandle> {
    state.store.find_queue(topic, u32::try_from(queue_id).ok()?)
}

/// The queue, once everything that it holds is visible: before, its end is unknown, and unknown is
/// never a number.
pub(crate) async fn find_whole(
    state: &State,
    topic: &str,
    queue_id: i32,
) -> Result<Option<QueueHandle>, Refusal> {
    let Some(queue) = find(state, topic, queue_id) else { return Ok(None) };
    if !queue.is_caught_up() {
        let waited = state.clock.timeout(CATCH_UP_WAIT_MAX, queue.caught_up()).await;
        if !matches!(waited, Ok(Ok(()))) && !queue.is_caught_up() {
            return Err(not_whole(&queue));
        }
    }
    Ok(Some(queue))
}

/// Not everything that the queue holds is visible yet.
pub(super) fn not_whole(queue: &QueueHandle) -> Refusal {
    let remark =
        format!("the broker has restarted and still reads what it holds of {queue:?}; try again");
    Refusal::new(ResponseCode::SYSTEM_BUSY, remark)
}

fn unreadable(error: ReadError) -> Refusal {
    Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string())
}

/// The first message stored at or after a time (or, for UPPER, the last at or before it).
pub(crate) async fn search(state: &State, request: &RemotingCommand) -> Answer {
    let header: SearchOffsetRequestHeader = request.header()?;
    let upper = header.boundary_type.as_deref().is_some_and(|b| b.eq_ignore_ascii_case("UPPER"));
    let boundary = if upper { Boundary::Upper } else { Boundary::Lower };
    let timestamp = u64::try_from(header.timestamp).unwrap_or(0);
    let offset = match find_whole(state, &header.topic, header.queue_id).await? {
        Some(queue) => {
            state.store.search_offset(&queue, timestamp, boundary).await.map_err(unreadable)?.0
                as i64
        }
        None => 0,
    };
    Ok(success(request).with_header(&SearchOffsetResponseHeader { offset }).into())
}

/// The place behind the last visible message.
pub(crate) async fn max(state: &State, request: &RemotingCommand) -> Answer {
    let header: GetMaxOffsetRequestHeader = request.header()?;
    let queue = find_whole(state, &header.topic, header.queue_id).await?;
    let offset = queue.map_or(0, |queue| queue.max_offset().0 as i64);
    Ok(success(request).with_header(&GetMaxOffsetResponseHeader { offset }).into())
}

/// The first message still stored.
pub(crate) fn min(state: &State, request: &RemotingCommand) -> Answer {
    let header: GetMinOffsetRequestHeader = request.header()?;
    let offset =
        find(state, &header.topic, header.queue_id).map_or(0, |queue| queue.min_offset().0 as i64);
    Ok(success(request).with_header(&GetMinOffsetResponseHeader { offset }).into())
}

/// When the first message still stored was stored, in ms; -1 when there is none.
pub(crate) async fn earliest_time(state: &State, request: &RemotingCommand) -> Answer {
    let header: GetEarliestMsgStoreTimeRequestHeader = request.header()?;
    let earliest = match find_whole(state, &header.topic, header.queue_id).await? {
        Some(queue) => state.store.earliest_time(&queue).await.map_err(unreadable)?,
        None => None,
    };
    let timestamp = earliest.map_or(-1, |time| time as i64);
    Ok(success(request).with_header(&GetEarliestMsgStoreTimeResponseHeader { timestamp }).into())
}
