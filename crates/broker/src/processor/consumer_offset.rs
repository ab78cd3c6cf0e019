//! QUERY_CONSUMER_OFFSET (14), UPDATE_CONSUMER_OFFSET (15), GET_ALL_CONSUMER_OFFSET (43) and
//! GET_ALL_DELAY_OFFSET (45).

use message::record::View;
use message::{PhysicalOffset, QueueOffset};
use protocol::header::{QueryConsumerOffsetRequestHeader, QueryConsumerOffsetResponseHeader};
use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;
use store::{GetRequest, QueueHandle};

use super::answer::{Answer, success};
use super::queue_offset::find_whole;
use crate::commit;
use crate::refusal::Refusal;
use crate::state::State;

/// Where a group stands in a queue.
pub(crate) async fn query(state: &State, request: &RemotingCommand) -> Answer {
    let header: QueryConsumerOffsetRequestHeader = request.header()?;
    let committed = state.offsets().get(&header.topic, &header.consumer_group, header.queue_id);
    let offset = match committed {
        Some(offset) => offset,
        None if header.set_zero_if_not_found == Some(true) => 0,
        None if is_young(state, &header).await? => 0,
        None => {
            let remark = "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first";
            return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
        }
    };
    Ok(success(request).with_header(&QueryConsumerOffsetResponseHeader { offset }).into())
}

/// Whether the queue still has its very first message, and not far behind the log's end: a new
/// group begins at the beginning of such a queue, whatever its policy says, so that what was sent
/// before its first heartbeat is not missed.
async fn is_young(
    state: &State,
    header: &QueryConsumerOffsetRequestHeader,
) -> Result<bool, Refusal> {
    let queue = find_whole(state, &header.topic, header.queue_id).await?;
    let Some(queue) = queue else { return Ok(true) };
    if queue.min_offset().0 > 0 {
        return Ok(false);
    }
    let first = first_record(state, &queue).await;
    Ok(first.is_none_or(|first| state.bytes_behind(first) <= state.config.young_queue_bytes_max))
}

/// Where the queue's first message stands in the log.
async fn first_record(state: &State, queue: &QueueHandle) -> Option<PhysicalOffset> {
    let request =
        GetRequest { queue, from: QueueOffset(0), count_max: 1, bytes_max: 1, filter: &|_| true };
    let result = state.store.get(&request).await;
    let record = result.messages.first()?;
    View::parse(record).ok().map(|view| view.physical_offset)
}

/// Takes a commit that did not come the way of `commit::take_in_order`.
pub(crate) fn update(state: &State, request: &RemotingCommand) -> Answer {
    commit::take(state, request)?;
    Ok(success(request).into())
}

/// All committed offsets, as a slave asks for them.
pub(crate) fn all(state: &State, request: &RemotingCommand) -> Reply {
    let table = state.offsets().to_json();
    success(request).with_body(table).into()
}

/// How far the delay levels are, as a slave asks for it.
pub(crate) fn delays(state: &State, request: &RemotingCommand) -> Reply {
    success(request).with_body(state.carried.delays().encode()).into()
}
