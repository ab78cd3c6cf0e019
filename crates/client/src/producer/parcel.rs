//! What one send carries, checked, and the request that carries it.
//!
//! Pure.

use message::{Message, MessageQueue, batch, property, topic};
use protocol::header::SendMessageRequestHeader;
use protocol::{RemotingCommand, RequestCode};

use crate::error::SendError;

/// One message, or a batch of one topic, on its way.
pub(crate) struct Parcel {
    /// At least one; more than one, or one sent as such, is a batch.
    pub(crate) messages: Vec<Message>,
    /// Whether it goes as SEND_BATCH_MESSAGE.
    batch: bool,
}

/// What of a request does not come from its messages.
pub(crate) struct Stamp<'a> {
    /// The producer's group.
    pub(crate) group: &'a str,
    /// Queues per broker if the topic is created by this send.
    pub(crate) default_topic_queue_nums: u32,
    /// The wall clock, in ms.
    pub(crate) born_timestamp: u64,
}

impl Parcel {
    /// A single message.
    pub(crate) fn single(message: Message) -> Self {
        Self { messages: vec![message], batch: false }
    }

    /// A batch, also of one.
    pub(crate) fn batch(messages: Vec<Message>) -> Self {
        Self { messages, batch: true }
    }

    /// The topic it goes to.
    pub(crate) fn topic(&self) -> &str {
        &self.messages[0].topic
    }

    /// Refuses what no broker takes, before anything is tried.
    pub(crate) fn check(&self, body_size_max: usize) -> Result<(), SendError> {
        let refuse = |reason: String| Err(SendError::Message { reason });
        let Some(first) = self.messages.first() else {
            return refuse("the batch is empty".to_owned());
        };
        if let Err(error) = topic::validate(&first.topic) {
            return refuse(error.to_string());
        }
        let mut bytes = 0;
        for message in &self.messages {
            bytes += message.body.len();
            if message.body.is_empty() {
                return refuse("its body is empty; brokers' clients refuse that".to_owned());
            }
            if let Err(error) = message.properties.check() {
                return refuse(error.to_string());
            }
            if self.batch && message.topic != first.topic {
                return refuse("a batch goes to one topic; send one batch for each".to_owned());
            }
            if self.batch && message.properties.get(property::DELAY).is_some() {
                return refuse("a batch cannot be delayed; send its messages singly".to_owned());
            }
        }
        if bytes > body_size_max {
            return refuse(format!("its body has {bytes} bytes; at most {body_size_max} go"));
        }
        Ok(())
    }

    /// Gives every message that has none a unique id and the wish to wait for the promise.
    pub(crate) fn stamp(&mut self, mut unique_id: impl FnMut() -> String) {
        for message in &mut self.messages {
            if message.properties.get(property::UNIQ_KEY).is_none() {
                message.properties.set(property::UNIQ_KEY, unique_id());
            }
            if message.properties.get(property::WAIT).is_none() {
                message.properties.set(property::WAIT, "true");
            }
        }
    }

    /// The unique ids of its messages, joined with commas as brokers join the others.
    pub(crate) fn unique_ids(&self) -> String {
        let ids = self.messages.iter().filter_map(Message::unique_key);
        ids.collect::<Vec<_>>().join(",")
    }

    /// The request that brings it to `queue`.
    pub(crate) fn request(&self, queue: &MessageQueue, stamp: &Stamp<'_>) -> RemotingCommand {
        let (code, body, properties) = if self.batch {
            let wait = format!("{}\u{1}true", property::WAIT);
            (RequestCode::SEND_BATCH_MESSAGE, batch::encode(&self.messages), wait)
        } else {
            let only = &self.messages[0];
            (RequestCode::SEND_MESSAGE_V2, only.body.clone(), only.properties.encode())
        };
        let header = SendMessageRequestHeader {
            producer_group: stamp.group.to_owned(),
            topic: queue.topic.clone(),
            default_topic: topic::AUTO_CREATE.to_owned(),
            default_topic_queue_nums: stamp.default_topic_queue_nums as i32,
            queue_id: queue.queue_id as i32,
            sys_flag: 0,
            born_timestamp: stamp.born_timestamp as i64,
            flag: if self.batch { 0 } else { self.messages[0].flag },
            properties,
            reconsume_times: 0,
            unit_mode: false,
            max_reconsume_times: None,
            batch: self.batch,
            broker_name: Some(queue.broker_name.clone()),
        };
        RemotingCommand::request(code, &header).with_body(body)
    }
}
