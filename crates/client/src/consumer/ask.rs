//! What consumers ask brokers: offsets, members of the group, messages.

use std::time::Duration;

use bytes::Bytes;
use message::{MessageExt, MessageQueue, QueueOffset, record};
use protocol::body::GetConsumerListByGroupResponseBody;
use protocol::header::{
    GetConsumerListByGroupRequestHeader, GetMaxOffsetRequestHeader, GetMaxOffsetResponseHeader,
    GetMinOffsetRequestHeader, PullMessageRequestHeader, PullMessageResponseHeader,
    QueryConsumerOffsetRequestHeader, SearchOffsetRequestHeader, UpdateConsumerOffsetRequestHeader,
};
use protocol::{CommandHeader, RemotingCommand, RequestCode, ResponseCode};

use super::boundary::Boundary;
use crate::client::Client;
use crate::error::ClientError;
use crate::link::{accept, unreadable};
use crate::route::MASTER_ID;

/// What is pulled and how long it may take.
pub(crate) struct Ask<'a> {
    pub(crate) group: &'a str,
    pub(crate) queue: &'a MessageQueue,
    pub(crate) from: QueueOffset,
    pub(crate) count_max: u32,
    /// Zero: the broker answers at once.
    pub(crate) hold: Duration,
    /// How long the answer is waited for.
    pub(crate) timeout: Duration,
    /// The filter, when the broker is not to use the one from the heartbeat.
    pub(crate) expression: Option<&'a str>,
    /// The version of the subscription that the broker must at least know.
    pub(crate) version: i64,
    /// The broker id that the last answer suggested.
    pub(crate) broker_id: i64,
}

/// A broker's answer to a pull, whatever its code.
pub(crate) struct Pulled {
    pub(crate) code: ResponseCode,
    pub(crate) remark: String,
    pub(crate) next_begin: QueueOffset,
    pub(crate) min: QueueOffset,
    pub(crate) max: QueueOffset,
    pub(crate) suggested_broker_id: i64,
    pub(crate) body: Bytes,
}

/// Bits of a pull's sysFlag.
mod flag {
    pub(super) const SUSPEND: i32 = 2;
    pub(super) const SUBSCRIPTION: i32 = 4;
}

impl Client {
    /// The address for questions about a queue: its master, or whoever has that broker's name.
    pub(crate) async fn address_of(&self, queue: &MessageQueue) -> Result<String, ClientError> {
        self.reader_of(queue, MASTER_ID).await
    }

    async fn reader_of(&self, queue: &MessageQueue, id: i64) -> Result<String, ClientError> {
        let route = self.route_to_read(&queue.topic).await?;
        let address = route.reader(&queue.broker_name, id).map(str::to_owned);
        address.ok_or_else(|| ClientError::BrokerUnknown {
            broker_name: queue.broker_name.clone(),
            topic: queue.topic.clone(),
        })
    }

    /// The offset behind the queue's newest message.
    pub(crate) async fn max_offset(
        &self,
        queue: &MessageQueue,
    ) -> Result<QueueOffset, ClientError> {
        let header = GetMaxOffsetRequestHeader {
            topic: queue.topic.clone(),
            queue_id: queue.queue_id as i32,
            broker_name: Some(queue.broker_name.clone()),
            ..GetMaxOffsetRequestHeader::default()
        };
        self.ask_offset(queue, RequestCode::GET_MAX_OFFSET, &header).await
    }

    /// The offset of the queue's oldest message.
    pub(crate) async fn min_offset(
        &self,
        queue: &MessageQueue,
    ) -> Result<QueueOffset, ClientError> {
        let header = GetMinOffsetRequestHeader {
            topic: queue.topic.clone(),
            queue_id: queue.queue_id as i32,
            broker_name: Some(queue.broker_name.clone()),
        };
        self.ask_offset(queue, RequestCode::GET_MIN_OFFSET, &header).await
    }

    /// The offset of the first message stored at or after `timestamp_ms`.
    pub(crate) async fn search_offset(
        &self,
        queue: &MessageQueue,
        timestamp_ms: u64,
    ) -> Result<QueueOffset, ClientError> {
        self.search_offset_by(queue, timestamp_ms, None).await
    }

    /// The offset of the message of that time; a broker of 4.9 knows the lower boundary only.
    pub(crate) async fn search_offset_by(
        &self,
        queue: &MessageQueue,
        timestamp_ms: u64,
        boundary: Option<Boundary>,
    ) -> Result<QueueOffset, ClientError> {
        let header = SearchOffsetRequestHeader {
            boundary_type: boundary.map(|boundary| boundary.name().to_owned()),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id as i32,
            timestamp: timestamp_ms as i64,
            broker_name: Some(queue.broker_name.clone()),
        };
        self.ask_offset(queue, RequestCode::SEARCH_OFFSET_BY_TIMESTAMP, &header).await
    }

    /// The group's committed offset; `None` when the broker has none. Any other answer is an
    /// error: taking it for "none" would skip or repeat messages.
    pub(crate) async fn committed(
        &self,
        group: &str,
        queue: &MessageQueue,
    ) -> Result<Option<QueueOffset>, ClientError> {
        let header = QueryConsumerOffsetRequestHeader {
            consumer_group: group.to_owned(),
            topic: queue.topic.clone(),
            queue_id: queue.queue_id as i32,
            broker_name: Some(queue.broker_name.clone()),
            ..QueryConsumerOffsetRequestHeader::default()
        };
        match self.ask_offset(queue, RequestCode::QUERY_CONSUMER_OFFSET, &header).await {
            Ok(offset) => Ok(Some(offset)),
            Err(ClientError::Refused { code: ResponseCode::QUERY_NOT_FOUND, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Commits the group's offset and waits for the answer.
    pub(crate) async fn commit(
        &self,
        group: &str,
        queue: &MessageQueue,
        offset: QueueOffset,
    ) -> Result<(), ClientError> {
        let address = self.address_of(queue).await?;
        self.0.link.ask(&address, commit_command(group, queue, offset)).await?;
        Ok(())
    }

    /// The ids of the group's members, as one of the topic's brokers knows them; the next broker
    /// is asked when one does not answer.
    pub(crate) async fn members(
        &self,
        group: &str,
        topic: &str,
    ) -> Result<Vec<String>, ClientError> {
        let route = self.route_to_read(topic).await?;
        let header = GetConsumerListByGroupRequestHeader {
            consumer_group: group.to_owned(),
            ..GetConsumerListByGroupRequestHeader::default()
        };
        let mut last = ClientError::TopicUnknown { topic: topic.to_owned() };
        for address in route.addresses() {
            let code = RequestCode::GET_CONSUMER_LIST_BY_GROUP;
            let answer = self.0.link.ask(address, RemotingCommand::request(code, &header)).await;
            match answer {
                Ok(answer) => {
                    let body = GetConsumerListByGroupResponseBody::decode(&answer.body);
                    let body = body.map_err(|error| unreadable(address, error))?;
                    return Ok(body.consumer_id_list);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Pulls; whatever code the broker answers with is a result.
    pub(crate) async fn pull(&self, ask: &Ask<'_>) -> Result<Pulled, ClientError> {
        let address = self.reader_of(ask.queue, ask.broker_id).await?;
        let command = RemotingCommand::request(RequestCode::PULL_MESSAGE, &pull_header(ask));
        let answer = self.0.link.ask_within(&address, command, ask.timeout).await?;
        let code = answer.response_code();
        let offset = |value: i64| QueueOffset(value.max(0) as u64);
        match answer.header::<PullMessageResponseHeader>() {
            Ok(header) => Ok(Pulled {
                code,
                remark: answer.remark.unwrap_or_default(),
                next_begin: offset(header.next_begin_offset),
                min: offset(header.min_offset),
                max: offset(header.max_offset),
                suggested_broker_id: header.suggest_which_broker_id,
                body: answer.body,
            }),
            // Refusals come without offsets.
            Err(error) => {
                accept(&address, answer)?;
                Err(unreadable(&address, error))
            }
        }
    }

    async fn ask_offset(
        &self,
        queue: &MessageQueue,
        code: RequestCode,
        header: &impl CommandHeader,
    ) -> Result<QueueOffset, ClientError> {
        let address = self.address_of(queue).await?;
        let answer = self.0.link.ask(&address, RemotingCommand::request(code, header)).await?;
        // The answers to all of these have this one field.
        let header = answer.header::<GetMaxOffsetResponseHeader>();
        let header = header.map_err(|error| unreadable(&address, error))?;
        let offset = u64::try_from(header.offset);
        offset.map(QueueOffset).map_err(|_| unreadable(&address, "a negative offset"))
    }
}

impl Pulled {
    /// The messages in the answer.
    pub(crate) fn messages(&self, queue: &MessageQueue) -> Result<Vec<MessageExt>, ClientError> {
        record::decode_all(self.body.clone())
            .map_err(|error| unreadable(&queue.broker_name, format!("a pull of {queue}: {error}")))
    }
}

fn commit_command(group: &str, queue: &MessageQueue, offset: QueueOffset) -> RemotingCommand {
    let header = UpdateConsumerOffsetRequestHeader {
        consumer_group: group.to_owned(),
        topic: queue.topic.clone(),
        queue_id: queue.queue_id as i32,
        commit_offset: offset.0 as i64,
        broker_name: Some(queue.broker_name.clone()),
    };
    RemotingCommand::request(RequestCode::UPDATE_CONSUMER_OFFSET, &header)
}

fn pull_header(ask: &Ask<'_>) -> PullMessageRequestHeader {
    let suspend = if ask.hold.is_zero() { 0 } else { flag::SUSPEND };
    let subscription = if ask.expression.is_some() { flag::SUBSCRIPTION } else { 0 };
    PullMessageRequestHeader {
        consumer_group: ask.group.to_owned(),
        topic: ask.queue.topic.clone(),
        queue_id: ask.queue.queue_id as i32,
        queue_offset: ask.from.0 as i64,
        max_msg_nums: ask.count_max as i32,
        sys_flag: suspend | subscription,
        commit_offset: 0,
        suspend_timeout_millis: ask.hold.as_millis() as i64,
        subscription: ask.expression.map(str::to_owned),
        sub_version: ask.version,
        expression_type: Some("TAG".to_owned()),
        broker_name: Some(ask.queue.broker_name.clone()),
        ..PullMessageRequestHeader::default()
    }
}
