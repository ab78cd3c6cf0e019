//! Messages by key: asked of every broker of a topic, or of one.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use message::{MessageExt, message_id, record};
use protocol::header::{
    QueryMessageRequestHeader, QueryMessageResponseHeader, ViewMessageRequestHeader,
};
use protocol::{RemotingCommand, RequestCode, ResponseCode};

use crate::client::Client;
use crate::error::ClientError;
use crate::link::{accept, unreadable};
use crate::route::MASTER_ID;

/// Which messages are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyQuery {
    /// The topic.
    pub topic: String,
    /// One word of KEYS, or a unique key.
    pub key: String,
    /// Whether it is a unique key (the property UNIQ_KEY): brokers choose how many they give then.
    pub is_unique: bool,
    /// The most messages wanted of each broker; none gives more than 64.
    pub count_max: u32,
    /// Not stored before this, in ms.
    pub begin_ms: u64,
    /// Not stored after this, in ms.
    pub end_ms: u64,
}

/// What one broker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The newest messages that match, oldest first.
    pub messages: Vec<MessageExt>,
    /// How many more the broker gave that have another key: a RocketMQ broker does where hashes
    /// are equal. They are left out.
    pub strangers: usize,
    /// When the last message in the broker's index was stored, in ms; 0 when nothing was found.
    pub index_timestamp: u64,
    /// Where it stands in the broker's log.
    pub index_physical: u64,
}

impl Client {
    /// Messages by key, from all brokers that the topic's route names. Hits of other keys, which a
    /// RocketMQ broker gives where hashes are equal, are left out.
    ///
    /// # Errors
    /// No route; or the last error, when a broker neither answered nor said that it has none: what
    /// it has is unknown.
    pub async fn query_message(&self, query: &KeyQuery) -> Result<Vec<MessageExt>, ClientError> {
        let route = self.route_to_read(&query.topic).await?;
        let names: BTreeSet<&str> =
            route.subscribe.iter().map(|queue| queue.broker_name.as_str()).collect();
        let mut messages = Vec::new();
        for broker_name in names {
            messages.extend(self.query_message_at(broker_name, query).await?.messages);
        }
        Ok(messages)
    }

    /// Messages by key from the broker of one name.
    ///
    /// # Errors
    /// No route to it, no answer, or a refusal; to have none is no error.
    pub async fn query_message_at(
        &self,
        broker_name: &str,
        query: &KeyQuery,
    ) -> Result<KeyAnswer, ClientError> {
        let route = self.route_to_read(&query.topic).await?;
        let address = route.reader(broker_name, MASTER_ID);
        let address = address.ok_or_else(|| ClientError::BrokerUnknown {
            broker_name: broker_name.to_owned(),
            topic: query.topic.clone(),
        })?;
        let command = RemotingCommand::request(RequestCode::QUERY_MESSAGE, &header(query));
        let answer = match self.0.link.ask(address, command).await {
            Err(ClientError::Refused { code: ResponseCode::QUERY_NOT_FOUND, .. }) => {
                return Ok(KeyAnswer::default());
            }
            answered => accept(address, answered?)?,
        };
        let header: QueryMessageResponseHeader =
            answer.header().map_err(|error| unreadable(address, error))?;
        let messages = record::decode_all(answer.body);
        let mut messages = messages.map_err(|error| unreadable(address, error))?;
        let given = messages.len();
        messages.retain(|message| matches(query, message));
        Ok(KeyAnswer {
            strangers: given - messages.len(),
            messages,
            index_timestamp: u64::try_from(header.index_last_update_timestamp).unwrap_or(0),
            index_physical: u64::try_from(header.index_last_update_phyoffset).unwrap_or(0),
        })
    }

    /// The message of a topic that has this id: its unique key, or the id that says where it is
    /// stored. `None` when no broker of the topic has it.
    ///
    /// Both kinds may look alike, 32 hexadecimal digits. So the unique key is asked for first, and
    /// a place only of a broker that the topic's route names: the id of a stranger is no reason to
    /// connect to wherever it points.
    ///
    /// # Errors
    /// As [`Client::query_message`]: what a broker that did not answer has is unknown.
    pub async fn view_message(
        &self,
        topic: &str,
        id: &str,
    ) -> Result<Option<MessageExt>, ClientError> {
        let query = KeyQuery {
            topic: topic.to_owned(),
            key: id.to_owned(),
            is_unique: true,
            count_max: 1,
            begin_ms: 0,
            end_ms: i64::MAX.unsigned_abs(),
        };
        let found = self.query_message(&query).await?;
        let unique = |message: &MessageExt| message.message.unique_key() == Some(id);
        if let Some(message) = found.into_iter().rev().find(unique) {
            return Ok(Some(message));
        }
        let Ok((host, offset)) = message_id::decode(id) else { return Ok(None) };
        let route = self.route_to_read(topic).await?;
        let stored_there = |address: &&str| address.parse() == Ok::<SocketAddr, _>(host);
        let Some(address) = route.addresses().find(stored_there) else { return Ok(None) };
        let offset = i64::try_from(offset.0).unwrap_or(i64::MAX);
        let header = ViewMessageRequestHeader { offset, ..ViewMessageRequestHeader::default() };
        let command = RemotingCommand::request(RequestCode::VIEW_MESSAGE_BY_ID, &header);
        let answer = match self.0.link.ask(address, command).await {
            // RocketMQ has no code of its own for an offset where no message begins.
            Err(ClientError::Refused { code: ResponseCode::SYSTEM_ERROR, remark, .. })
                if remark.starts_with("can not find message by the offset") =>
            {
                return Ok(None);
            }
            answered => answered?,
        };
        let mut messages =
            record::decode_all(answer.body).map_err(|error| unreadable(address, error))?;
        Ok(messages.pop().filter(|message| message.message.topic == topic))
    }
}

fn header(query: &KeyQuery) -> QueryMessageRequestHeader {
    let time = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    QueryMessageRequestHeader {
        topic: query.topic.clone(),
        key: query.key.clone(),
        max_num: i32::try_from(query.count_max).unwrap_or(i32::MAX),
        begin_timestamp: time(query.begin_ms),
        end_timestamp: time(query.end_ms),
        unique_key_query: Some(query.is_unique),
        ..QueryMessageRequestHeader::default()
    }
}

/// Whether a message is one that was looked for.
fn matches(query: &KeyQuery, message: &MessageExt) -> bool {
    let message = &message.message;
    let unique = message.properties.get(message::property::UNIQ_KEY);
    let words = message.properties.get(message::property::KEYS).unwrap_or_default();
    message.topic == query.topic
        && (unique.is_some_and(|unique| unique == query.key)
            || words.split(' ').any(|word| word == query.key))
}
