//! The answer to a stored message, straight into a buffer.

use bytes::{BufMut, BytesMut};

use crate::codec::json::put_escaped;
use crate::language::Language;
use crate::number::put_integer;
use crate::prefix::{self, PREFIX_SIZE};
use crate::response_code::ResponseCode;
use crate::serialize_type::SerializeType;
use crate::version::VERSION;

/// An answer that means "stored". Errors take the ordinary path: they carry a remark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendReply<'a> {
    /// The request's.
    pub opaque: i32,
    /// The request's.
    pub serialize_type: SerializeType,
    /// One of the four that mean "stored".
    pub code: ResponseCode,
    /// The offset message id; comma-joined ids for a batch.
    pub message_id: &'a str,
    /// The queue that was used.
    pub queue_id: u32,
    /// The offset in that queue; the first one for a batch.
    pub queue_offset: u64,
    /// The region, `DefaultRegion` unless configured.
    pub region: &'a str,
    /// Whether clients may trace.
    pub trace_on: bool,
}

/// Appends the frame of a reply.
pub fn encode_send_reply(reply: &SendReply<'_>, to: &mut BytesMut) {
    let start = to.len();
    to.put_bytes(0, PREFIX_SIZE);
    match reply.serialize_type {
        SerializeType::Json => put_json(reply, to),
        SerializeType::RocketMq => put_binary(reply, to),
    }
    let header_len = to.len() - start - PREFIX_SIZE;
    prefix::put(&mut to[start..], reply.serialize_type, header_len, 0);
}

fn put_json(reply: &SendReply<'_>, to: &mut BytesMut) {
    to.put_slice(b"{\"code\":");
    put_integer(i64::from(reply.code.0), to);
    to.put_slice(b",\"extFields\":{\"msgId\":\"");
    put_escaped(reply.message_id.as_bytes(), to);
    to.put_slice(b"\",\"queueId\":\"");
    put_integer(i64::from(reply.queue_id), to);
    to.put_slice(b"\",\"queueOffset\":\"");
    put_integer(offset(reply), to);
    to.put_slice(b"\",\"MSG_REGION\":\"");
    put_escaped(reply.region.as_bytes(), to);
    to.put_slice(b"\",\"TRACE_ON\":\"");
    to.put_slice(trace(reply));
    to.put_slice(b"\"},\"flag\":1,\"language\":\"JAVA\",\"opaque\":");
    put_integer(i64::from(reply.opaque), to);
    to.put_slice(b",\"version\":");
    put_integer(i64::from(VERSION), to);
    to.put_u8(b'}');
}

fn put_binary(reply: &SendReply<'_>, to: &mut BytesMut) {
    to.put_i16(i16::try_from(reply.code.0).unwrap_or(i16::MAX));
    to.put_u8(Language::JAVA.0);
    to.put_i16(i16::try_from(VERSION).expect("versions have 16 bits"));
    to.put_i32(reply.opaque);
    to.put_i32(1);
    to.put_i32(0);
    let length_at = to.len();
    to.put_i32(0);
    put_field(b"msgId", to, |to| to.put_slice(reply.message_id.as_bytes()));
    put_field(b"queueId", to, |to| put_integer(i64::from(reply.queue_id), to));
    put_field(b"queueOffset", to, |to| put_integer(offset(reply), to));
    put_field(b"MSG_REGION", to, |to| to.put_slice(reply.region.as_bytes()));
    put_field(b"TRACE_ON", to, |to| to.put_slice(trace(reply)));
    fill_length(length_at, to);
}

fn offset(reply: &SendReply<'_>) -> i64 {
    i64::try_from(reply.queue_offset).expect("a queue has less than 2^63 messages")
}

fn trace(reply: &SendReply<'_>) -> &'static [u8] {
    if reply.trace_on { b"true" } else { b"false" }
}

/// Appends a field of a binary header.
pub(crate) fn put_field(name: &[u8], to: &mut BytesMut, value: impl FnOnce(&mut BytesMut)) {
    to.put_i16(i16::try_from(name.len()).expect("our names are short"));
    to.put_slice(name);
    let length_at = to.len();
    to.put_i32(0);
    value(to);
    fill_length(length_at, to);
}

/// Fills in a 32-bit length with what follows it.
pub(crate) fn fill_length(at: usize, to: &mut BytesMut) {
    let length = u32::try_from(to.len() - at - 4).expect("a header is far below 4 GiB");
    to[at..at + 4].copy_from_slice(&length.to_be_bytes());
}
