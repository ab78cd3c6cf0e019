//! A consumer that asks for messages where and when it likes.

use std::time::Duration;

use message::{MessageExt, MessageQueue, QueueOffset};
use protocol::ResponseCode;

use super::ask::Ask;
use super::boundary::Boundary;
use crate::client::Client;
use crate::error::ClientError;
use crate::group;
use crate::route::MASTER_ID;
use crate::subscription::Subscription;

/// How one pull is made.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// `*`, or tags with `||` between.
    pub tags: String,
    /// How long the broker may hold the pull while it finds nothing. Zero: not at all.
    pub hold: Duration,
    /// How long an answer is waited for, on top of the hold.
    pub timeout: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self { tags: "*".to_owned(), hold: Duration::ZERO, timeout: Duration::from_secs(3) }
    }
}

/// What a pull came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullStatus {
    /// Messages were found.
    Found,
    /// There is nothing at the offset yet.
    NoNewMessage,
    /// There are messages, but none that is wanted; go on at `next_begin`.
    NoMatch,
    /// The offset is not in the queue; `next_begin` is.
    OffsetMoved,
}

/// A broker's answer to a pull.
#[derive(Clone, Debug)]
pub struct PullResult {
    /// What it came to.
    pub status: PullStatus,
    /// The messages, by rising offset; a tag filter has been applied once more.
    pub messages: Vec<MessageExt>,
    /// Where the next pull begins.
    pub next_begin: QueueOffset,
    /// The offset of the queue's oldest message.
    pub min: QueueOffset,
    /// The offset behind the queue's newest message.
    pub max: QueueOffset,
}

/// A consumer that pulls by hand. It belongs to a group only for the offsets; no queue is dealt.
#[derive(Clone)]
pub struct PullConsumer {
    client: Client,
    group: String,
}

impl PullConsumer {
    /// A consumer whose offsets are the group's.
    ///
    /// # Errors
    /// [`ClientError::Group`] for a name that no broker takes.
    pub fn new(client: &Client, group: &str) -> Result<Self, ClientError> {
        group::validate(group)?;
        Ok(Self { client: client.clone(), group: group.to_owned() })
    }

    /// The queues of a topic that can be read, sorted.
    ///
    /// # Errors
    /// [`ClientError::TopicUnknown`], or what kept the name servers from answering.
    pub async fn queues(&self, topic: &str) -> Result<Vec<MessageQueue>, ClientError> {
        Ok(self.client.route_to_read(topic).await?.subscribe.clone())
    }

    /// Pulls at most `count_max` messages from `from` on.
    ///
    /// # Errors
    /// The broker refused, sent something unreadable, or did not answer.
    pub async fn pull(
        &self,
        queue: &MessageQueue,
        from: QueueOffset,
        count_max: u32,
        options: &PullOptions,
    ) -> Result<PullResult, ClientError> {
        let ask = Ask {
            group: &self.group,
            queue,
            from,
            count_max,
            hold: options.hold,
            timeout: options.hold + options.timeout,
            expression: Some(&options.tags),
            version: 0,
            broker_id: MASTER_ID,
        };
        let pulled = self.client.pull(&ask).await?;
        let status = match pulled.code {
            ResponseCode::SUCCESS => PullStatus::Found,
            ResponseCode::PULL_NOT_FOUND => PullStatus::NoNewMessage,
            ResponseCode::PULL_RETRY_IMMEDIATELY => PullStatus::NoMatch,
            ResponseCode::PULL_OFFSET_MOVED => PullStatus::OffsetMoved,
            code => {
                let (address, remark) = (queue.broker_name.clone(), pulled.remark);
                return Err(ClientError::Refused { address, code, remark });
            }
        };
        let mut messages = match status {
            PullStatus::Found => pulled.messages(queue)?,
            _ => Vec::new(),
        };
        let filter = Subscription::new(queue.topic.clone(), options.tags.clone()).wanted();
        messages.retain(|message| filter.wants(message.message.tags()));
        let (next_begin, min, max) = (pulled.next_begin, pulled.min, pulled.max);
        Ok(PullResult { status, messages, next_begin, min, max })
    }

    /// The offset of the queue's oldest message.
    ///
    /// # Errors
    /// The broker refused or did not answer.
    pub async fn min_offset(&self, queue: &MessageQueue) -> Result<QueueOffset, ClientError> {
        self.client.min_offset(queue).await
    }

    /// The offset behind the queue's newest visible message.
    ///
    /// # Errors
    /// The broker refused or did not answer.
    pub async fn max_offset(&self, queue: &MessageQueue) -> Result<QueueOffset, ClientError> {
        self.client.max_offset(queue).await
    }

    /// The offset of the first message stored at or after `timestamp_ms` (the broker's clock).
    ///
    /// # Errors
    /// The broker refused or did not answer.
    pub async fn search_offset(
        &self,
        queue: &MessageQueue,
        timestamp_ms: u64,
    ) -> Result<QueueOffset, ClientError> {
        self.client.search_offset(queue, timestamp_ms).await
    }

    /// The offset of the message stored at `timestamp_ms` (the broker's clock), or next to it.
    ///
    /// # Errors
    /// The broker refused or did not answer.
    pub async fn search_offset_by(
        &self,
        queue: &MessageQueue,
        timestamp_ms: u64,
        boundary: Boundary,
    ) -> Result<QueueOffset, ClientError> {
        self.client.search_offset_by(queue, timestamp_ms, Some(boundary)).await
    }

    /// The group's committed offset in the queue; `None` when there is none.
    ///
    /// # Errors
    /// The broker refused for another reason, or did not answer.
    pub async fn committed(
        &self,
        queue: &MessageQueue,
    ) -> Result<Option<QueueOffset>, ClientError> {
        self.client.committed(&self.group, queue).await
    }

    /// Commits the group's offset in the queue.
    ///
    /// # Errors
    /// The broker refused or did not answer; whether it is committed is unknown in the last case.
    pub async fn commit(
        &self,
        queue: &MessageQueue,
        offset: QueueOffset,
    ) -> Result<(), ClientError> {
        self.client.commit(&self.group, queue, offset).await
    }
}
