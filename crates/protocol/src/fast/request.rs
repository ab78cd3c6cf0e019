//! A send, straight into a buffer: for a client that keeps many in flight.

use bytes::{BufMut, BytesMut};

use crate::codec::json::put_escaped;
use crate::fast::reply::{fill_length, put_field};
use crate::language::Language;
use crate::number::put_integer;
use crate::prefix::{self, PREFIX_SIZE};
use crate::request_code::RequestCode;
use crate::serialize_type::SerializeType;
use crate::version::VERSION;

/// A SEND_MESSAGE_V2 request, or SEND_BATCH_MESSAGE when `batch`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendRequest<'a> {
    /// To be echoed.
    pub opaque: i32,
    /// Whether nobody shall answer.
    pub oneway: bool,
    /// The form of the header.
    pub serialize_type: SerializeType,
    /// The producer's group.
    pub group: &'a str,
    /// Where the message goes.
    pub topic: &'a str,
    /// The topic whose configuration a new topic copies, normally `TBW102`.
    pub default_topic: &'a str,
    /// How many queues a new topic shall have.
    pub default_topic_queue_nums: i32,
    /// The queue.
    pub queue_id: i32,
    /// Bits, see `message::SysFlag`.
    pub sys_flag: i32,
    /// When the message was made, in ms.
    pub born_timestamp: u64,
    /// The user's own flag.
    pub message_flag: i32,
    /// Encoded properties.
    pub properties: &'a str,
    /// How often a consumer has failed on it.
    pub reconsume_times: i32,
    /// Whether the body holds many messages.
    pub batch: bool,
    /// The broker that the client believes it talks to.
    pub broker_name: &'a str,
    /// The message's body, or a batch.
    pub body: &'a [u8],
}

impl SendRequest<'_> {
    fn code(&self) -> RequestCode {
        if self.batch { RequestCode::SEND_BATCH_MESSAGE } else { RequestCode::SEND_MESSAGE_V2 }
    }

    fn flag(&self) -> i32 {
        if self.oneway { 2 } else { 0 }
    }

    /// Writes the fields in order, one call each.
    fn each_field(&self, mut field: impl FnMut(u8, Value<'_>)) {
        field(b'a', Value::Text(self.group));
        field(b'b', Value::Text(self.topic));
        field(b'c', Value::Text(self.default_topic));
        field(b'd', Value::Integer(i64::from(self.default_topic_queue_nums)));
        field(b'e', Value::Integer(i64::from(self.queue_id)));
        field(b'f', Value::Integer(i64::from(self.sys_flag)));
        let born = i64::try_from(self.born_timestamp).unwrap_or(i64::MAX);
        field(b'g', Value::Integer(born));
        field(b'h', Value::Integer(i64::from(self.message_flag)));
        field(b'i', Value::Text(self.properties));
        field(b'j', Value::Integer(i64::from(self.reconsume_times)));
        field(b'k', Value::Text("false"));
        field(b'm', Value::Text(if self.batch { "true" } else { "false" }));
        field(b'n', Value::Text(self.broker_name));
    }
}

enum Value<'a> {
    Text(&'a str),
    Integer(i64),
}

/// Appends the frame of a request.
pub fn encode_send_request(request: &SendRequest<'_>, to: &mut BytesMut) {
    let start = to.len();
    to.put_bytes(0, PREFIX_SIZE);
    match request.serialize_type {
        SerializeType::Json => put_json(request, to),
        SerializeType::RocketMq => put_binary(request, to),
    }
    let header_len = to.len() - start - PREFIX_SIZE;
    prefix::put(&mut to[start..], request.serialize_type, header_len, request.body.len());
    to.put_slice(request.body);
}

fn put_json(request: &SendRequest<'_>, to: &mut BytesMut) {
    to.put_slice(b"{\"code\":");
    put_integer(i64::from(request.code().0), to);
    to.put_slice(b",\"extFields\":{");
    request.each_field(|name, value| {
        let before: &[u8] = if name == b'a' { b"\"" } else { b",\"" };
        to.put_slice(before);
        to.put_u8(name);
        to.put_slice(b"\":\"");
        match value {
            Value::Text(text) => put_escaped(text.as_bytes(), to),
            Value::Integer(value) => put_integer(value, to),
        }
        to.put_u8(b'"');
    });
    to.put_slice(b"},\"flag\":");
    put_integer(i64::from(request.flag()), to);
    to.put_slice(b",\"language\":\"JAVA\",\"opaque\":");
    put_integer(i64::from(request.opaque), to);
    to.put_slice(b",\"version\":");
    put_integer(i64::from(VERSION), to);
    to.put_u8(b'}');
}

fn put_binary(request: &SendRequest<'_>, to: &mut BytesMut) {
    to.put_i16(i16::try_from(request.code().0).expect("send codes have 16 bits"));
    to.put_u8(Language::JAVA.0);
    to.put_i16(i16::try_from(VERSION).expect("versions have 16 bits"));
    to.put_i32(request.opaque);
    to.put_i32(request.flag());
    to.put_i32(0);
    let length_at = to.len();
    to.put_i32(0);
    request.each_field(|name, value| {
        put_field(&[name], to, |to| match value {
            Value::Text(text) => to.put_slice(text.as_bytes()),
            Value::Integer(value) => put_integer(value, to),
        });
    });
    fill_length(length_at, to);
}
