//! PULL_MESSAGE (11) and LITE_PULL_MESSAGE (361). Long polling is one wait in the middle of an
//! ordinary read.

use std::sync::Arc;
use std::time::Duration;

use message::record::View;
use message::{QueueOffset, permission};
use protocol::body::{SubscriptionGroupConfig, TopicConfig};
use protocol::header::{PullMessageRequestHeader, PullMessageResponseHeader};
use protocol::{RemotingCommand, ResponseCode};
use remoting::{Connection, Reply};
use runtime::sync::{Either, race};
use store::{GetRequest, GetResult, GetStatus, QueueHandle};

use super::answer::Answer;
use super::check_client_config::unsupported_filter;
use super::queue_offset::{CATCH_UP_WAIT_MAX, not_whole};
use crate::admission::SEE_FAQ;
use crate::refusal::{RETRY_AFTER_OVERLOAD_MS, Refusal};
use crate::state::State;
use crate::subscription::{TagFilter, is_tag_type};

/// `commitOffset` of the header is to be committed.
const COMMIT_OFFSET: i32 = 1;
/// The request may be held until a message comes.
const SUSPEND: i32 = 2;
/// The header carries the filter expression.
const SUBSCRIPTION: i32 = 4;

/// Serves one pull.
pub(crate) async fn serve(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Answer {
    let Some(_inside) = state.pulls.enter() else {
        let remark = format!(
            "[OVERLOAD]system busy, start flow control for a while: {} pulls at work or held",
            state.config.pulls_in_flight_max
        );
        return Err(Refusal::busy(remark, RETRY_AFTER_OVERLOAD_MS));
    };
    let header: PullMessageRequestHeader = request.header()?;
    let pull = admit(state, &header).await?;
    if header.sys_flag & COMMIT_OFFSET != 0 {
        state.offsets().commit(
            &header.topic,
            &header.consumer_group,
            header.queue_id,
            header.commit_offset,
        );
    }
    let (result, code) = pull.read_or_wait(state, connection).await?;
    Ok(reply(request, result, code))
}

/// A pull that may be answered.
struct Pull {
    queue: QueueHandle,
    from: QueueOffset,
    filter: TagFilter,
    count_max: u64,
    bytes_max: u64,
    /// How long it may be held.
    hold: Option<Duration>,
}

impl Pull {
    async fn read(&self, state: &State, from: QueueOffset) -> GetResult {
        let request = GetRequest {
            queue: &self.queue,
            from,
            count_max: self.count_max,
            bytes_max: self.bytes_max,
            filter: &|code| self.filter.wants(code),
        };
        if self.filter.looks_at_records() {
            let wants = |record: &View<'_>| self.filter.wants_record(record);
            return state.store.get_where(&request, &wants).await;
        }
        state.store.get(&request).await
    }

    /// Reads; at the tail, and if the client allows it, waits for what it wants and reads again.
    /// So does, also if the client does not, who is at the tail of what is visible while dispatch
    /// still catches up after a restart: how far the queue reaches is not known before.
    async fn read_or_wait(
        &self,
        state: &State,
        connection: &Connection,
    ) -> Result<(GetResult, ResponseCode), Refusal> {
        let begun = state.clock.monotonic();
        let mut from = self.from;
        let mut has_waited = false;
        loop {
            // Before the read: what a queue tells once it is caught up, it told before the restart.
            let hidden_to = (!self.queue.is_caught_up()).then(|| self.queue.known_end());
            let result = self.read(state, from).await;
            let code = code_of(&result, from)?;
            let nothing = code == ResponseCode::PULL_NOT_FOUND;
            // What came may be unwanted: then the wait goes on behind it.
            let unwanted = nothing
                || code == ResponseCode::PULL_RETRY_IMMEDIATELY
                    && has_waited
                    && self.hold.is_some();
            if has_waited {
                runtime::sometimes!("broker: a held pull woke for a message it wanted", !unwanted);
            }
            let hidden_to = hidden_to.filter(|_| nothing);
            let hold = self.hold.or(hidden_to.map(|_| CATCH_UP_WAIT_MAX));
            let Some(hold) = hold.filter(|_| unwanted) else { return Ok((result, code)) };
            from = result.next_begin;
            let more = hidden_to.map_or(from.0 + 1, |hidden_to| hidden_to.0.min(from.0 + 1));
            let arrived = self.queue.dispatched().wait(more);
            let given_up = race(
                race(state.draining.stopped(), connection.closed()),
                state.clock.sleep_until(begun + hold),
            );
            match race(arrived, given_up).await {
                Either::Left(Ok(())) => has_waited = true,
                Either::Left(Err(closed)) => {
                    let remark = closed.reason.to_string();
                    return Err(Refusal::new(ResponseCode::SERVICE_NOT_AVAILABLE, remark));
                }
                Either::Right(_) if hidden_to.is_some() => return Err(not_whole(&self.queue)),
                Either::Right(_) => return Ok((result, code)),
            }
        }
    }
}

/// Checks the request in RocketMQ's order (protocol.md §2.4).
async fn admit(state: &State, header: &PullMessageRequestHeader) -> Result<Pull, Refusal> {
    let no_permission = |remark: String| Refusal::new(ResponseCode::NO_PERMISSION, remark);
    if !permission::is_readable(state.config.permission) {
        let remark = format!("the broker[{}] pulling message is forbidden", state.config.name);
        return Err(no_permission(remark));
    }
    let group = state.tables.group_or_default(&header.consumer_group).await?.ok_or_else(|| {
        let remark =
            format!("subscription group [{}] does not exist, {SEE_FAQ}", header.consumer_group);
        Refusal::new(ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST, remark)
    })?;
    if !group.consume_enable {
        let remark = format!("subscription group no permission, {}", header.consumer_group);
        return Err(no_permission(remark));
    }
    let topic = state.tables.topic(&header.topic).ok_or_else(|| {
        let remark = format!("topic[{}] not exist, apply first please!{SEE_FAQ}", header.topic);
        Refusal::new(ResponseCode::TOPIC_NOT_EXIST, remark)
    })?;
    if !permission::is_readable(topic.perm) {
        let remark = format!("the topic[{}] pulling message is forbidden", header.topic);
        return Err(no_permission(remark));
    }
    let queue_id = readable_queue(&topic, header)?;
    let filter = filter(state, header, &group)?;
    let asked = |number: i32| u64::try_from(number).unwrap_or(0).max(1);
    let bytes_asked = header.max_msg_bytes.filter(|bytes| *bytes > 0).map_or(u64::MAX, asked);
    Ok(Pull {
        queue: state.store.queue(&header.topic, queue_id),
        from: QueueOffset(u64::try_from(header.queue_offset).unwrap_or(0)),
        filter,
        count_max: asked(header.max_msg_nums).min(u64::from(state.config.pull_count_max)),
        bytes_max: bytes_asked.min(u64::from(state.config.pull_bytes_max)),
        hold: hold(state, header),
    })
}

fn readable_queue(topic: &TopicConfig, header: &PullMessageRequestHeader) -> Result<u32, Refusal> {
    let queue_id = u32::try_from(header.queue_id).ok().filter(|id| *id < topic.read_queue_nums);
    queue_id.ok_or_else(|| {
        let remark = format!(
            "queueId[{}] is illegal, topic:[{}] topicConfig.readQueueNums:[{}] consumer:[{}]",
            header.queue_id, header.topic, topic.read_queue_nums, header.consumer_group
        );
        Refusal::new(ResponseCode::SYSTEM_ERROR, remark)
    })
}

/// What the consumer wants: from the header, or from its group's heartbeats.
fn filter(
    state: &State,
    header: &PullMessageRequestHeader,
    group: &Arc<SubscriptionGroupConfig>,
) -> Result<TagFilter, Refusal> {
    if header.sys_flag & SUBSCRIPTION != 0 {
        let kind = header.expression_type.as_deref();
        if !is_tag_type(kind) {
            return Err(unsupported_filter(kind.unwrap_or_default()));
        }
        return TagFilter::parse(header.subscription.as_deref().unwrap_or("")).map_err(|_| {
            let remark = "parse the consumer's subscription failed";
            Refusal::new(ResponseCode::SUBSCRIPTION_PARSE_FAILED, remark)
        });
    }
    subscribed(state, header, group)
}

fn subscribed(
    state: &State,
    header: &PullMessageRequestHeader,
    group: &SubscriptionGroupConfig,
) -> Result<TagFilter, Refusal> {
    let missing = |what: &str| {
        let remark = format!("the consumer's {what} not exist{SEE_FAQ}");
        Refusal::new(ResponseCode::SUBSCRIPTION_NOT_EXIST, remark)
    };
    let consumers = state.members.consumers();
    if !consumers.is_online(&header.consumer_group) {
        return Err(missing("group info"));
    }
    if consumers.is_broadcasting(&header.consumer_group) && !group.consume_broadcast_enable {
        let remark = format!(
            "the consumer group[{}] can not consume by broadcast way",
            header.consumer_group
        );
        return Err(Refusal::new(ResponseCode::NO_PERMISSION, remark));
    }
    let subscription = consumers
        .subscription(&header.consumer_group, &header.topic)
        .ok_or_else(|| missing("subscription"))?;
    if subscription.version < header.sub_version {
        let remark = "the consumer's subscription not latest";
        return Err(Refusal::new(ResponseCode::SUBSCRIPTION_NOT_LATEST, remark));
    }
    subscription.filter.clone().ok_or_else(|| {
        unsupported_filter(header.expression_type.as_deref().unwrap_or("this expression type"))
    })
}

/// How long the pull may be held at the tail; `None`: not at all.
fn hold(state: &State, header: &PullMessageRequestHeader) -> Option<Duration> {
    if header.sys_flag & SUSPEND == 0 {
        return None;
    }
    let asked = if state.config.long_polling {
        u64::try_from(header.suspend_timeout_millis).unwrap_or(0)
    } else {
        state.config.short_polling_ms
    };
    Some(Duration::from_millis(asked.min(state.config.pull_suspend_ms_max)))
}

/// RocketMQ's table from the store's status to the answer's code (internals.md §5.2).
fn code_of(result: &GetResult, from: QueueOffset) -> Result<ResponseCode, Refusal> {
    match result.status {
        GetStatus::Found => Ok(ResponseCode::SUCCESS),
        GetStatus::NoMatchedMessage | GetStatus::MessageWasRemoving => {
            Ok(ResponseCode::PULL_RETRY_IMMEDIATELY)
        }
        GetStatus::NoMatchedLogicQueue | GetStatus::NoMessageInQueue if from.0 == 0 => {
            Ok(ResponseCode::PULL_NOT_FOUND)
        }
        GetStatus::OffsetOverflowOne | GetStatus::OffsetFoundNull => {
            Ok(ResponseCode::PULL_NOT_FOUND)
        }
        GetStatus::NoMatchedLogicQueue
        | GetStatus::NoMessageInQueue
        | GetStatus::OffsetOverflowBadly
        | GetStatus::OffsetTooSmall => Ok(ResponseCode::PULL_OFFSET_MOVED),
        GetStatus::ReadFailed => {
            let remark = format!("the messages from offset {from} on cannot be read from the disk");
            Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark))
        }
    }
}

fn remark_of(status: GetStatus) -> &'static str {
    match status {
        GetStatus::Found => "FOUND",
        GetStatus::NoMatchedLogicQueue => "NO_MATCHED_LOGIC_QUEUE",
        GetStatus::NoMessageInQueue => "NO_MESSAGE_IN_QUEUE",
        GetStatus::OffsetTooSmall => "OFFSET_TOO_SMALL",
        GetStatus::OffsetOverflowOne => "OFFSET_OVERFLOW_ONE",
        GetStatus::OffsetOverflowBadly => "OFFSET_OVERFLOW_BADLY",
        GetStatus::NoMatchedMessage => "NO_MATCHED_MESSAGE",
        GetStatus::MessageWasRemoving => "MESSAGE_WAS_REMOVING",
        GetStatus::OffsetFoundNull => "OFFSET_FOUND_NULL",
        GetStatus::ReadFailed => "READ_FAILED",
    }
}

/// All four offsets always: Java dereferences them unasked. The records leave as slices of the
/// log.
fn reply(request: &RemotingCommand, result: GetResult, code: ResponseCode) -> Reply {
    let header = PullMessageResponseHeader {
        suggest_which_broker_id: 0,
        next_begin_offset: result.next_begin.0 as i64,
        min_offset: result.min_offset.0 as i64,
        max_offset: result.max_offset.0 as i64,
    };
    let command = RemotingCommand::response_to(request, code)
        .with_header(&header)
        .with_remark(remark_of(result.status));
    Reply::with_slices(command, result.messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: GetStatus, from: u64) -> Option<ResponseCode> {
        let zero = QueueOffset(0);
        let result = GetResult {
            status,
            next_begin: zero,
            min_offset: zero,
            max_offset: zero,
            messages: Vec::new(),
            count: 0,
            bytes: 0,
        };
        code_of(&result, QueueOffset(from)).ok()
    }

    #[test]
    fn statuses_become_the_codes_of_rocketmq() {
        let cases = [
            (GetStatus::Found, 7, ResponseCode::SUCCESS),
            (GetStatus::NoMatchedMessage, 7, ResponseCode::PULL_RETRY_IMMEDIATELY),
            (GetStatus::MessageWasRemoving, 7, ResponseCode::PULL_RETRY_IMMEDIATELY),
            (GetStatus::NoMessageInQueue, 0, ResponseCode::PULL_NOT_FOUND),
            (GetStatus::NoMessageInQueue, 7, ResponseCode::PULL_OFFSET_MOVED),
            (GetStatus::NoMatchedLogicQueue, 0, ResponseCode::PULL_NOT_FOUND),
            (GetStatus::OffsetOverflowOne, 7, ResponseCode::PULL_NOT_FOUND),
            (GetStatus::OffsetFoundNull, 7, ResponseCode::PULL_NOT_FOUND),
            (GetStatus::OffsetOverflowBadly, 7, ResponseCode::PULL_OFFSET_MOVED),
            (GetStatus::OffsetTooSmall, 0, ResponseCode::PULL_OFFSET_MOVED),
        ];
        for (status, from, expected) in cases {
            assert_eq!(code(status, from), Some(expected), "{status:?} from {from}");
        }
    }

    #[test]
    fn a_read_that_failed_is_an_error_and_not_an_empty_queue() {
        assert_eq!(code(GetStatus::ReadFailed, 0), None);
    }
}
