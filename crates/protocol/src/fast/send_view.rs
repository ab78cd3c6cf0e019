//! A send, seen in its frame.

use crate::fast::fields::{self, Fields};
use crate::fast::json_scan::Raw;
use crate::fast::walk::walk;
use crate::frame::Frame;
use crate::request_code::RequestCode;
use crate::swar::string_stop;

/// A SEND_MESSAGE, SEND_MESSAGE_V2 or SEND_BATCH_MESSAGE request, borrowed from its frame. The
/// fields mean what those of `header::SendMessageRequestHeader` mean; texts are sound UTF-8.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SendView<'a> {
    /// 10, 310 or 320.
    pub code: i32,
    /// To be echoed.
    pub opaque: i32,
    /// 0, or 2 for oneway.
    pub flag: i32,
    /// The producer's group.
    pub group: &'a [u8],
    /// Where the message goes.
    pub topic: &'a [u8],
    /// The topic whose configuration a new topic copies.
    pub default_topic: &'a [u8],
    /// How many queues the producer wants a new topic to have.
    pub default_topic_queue_nums: i32,
    /// The queue; negative: the broker chooses.
    pub queue_id: i32,
    /// Bits, see `message::SysFlag`.
    pub sys_flag: i32,
    /// When the message was made, in ms.
    pub born_timestamp: u64,
    /// The user's own flag.
    pub message_flag: i32,
    /// Encoded properties, escapes undone.
    pub properties: &'a [u8],
    /// How often a consumer has failed on it.
    pub reconsume_times: i32,
    /// Whether the producer is of a unit.
    pub unit_mode: bool,
    /// On a retry topic: after how many failures it is a dead letter.
    pub max_reconsume_times: Option<i32>,
    /// Whether the body holds many messages: said by the field, or by code 320.
    pub batch: bool,
}

/// Sees a send in its frame; `None` when it is none, or anything about it is unusual (signed
/// requests are). `scratch` takes the properties when they had escapes.
pub fn send_view<'a>(frame: &'a Frame, scratch: &'a mut Vec<u8>) -> Option<SendView<'a>> {
    let mut fields = Fields::new();
    let peeked = walk(frame, |name, value| fields.put(name, value))?;
    let short = match RequestCode(peeked.code) {
        RequestCode::SEND_MESSAGE => false,
        RequestCode::SEND_MESSAGE_V2 | RequestCode::SEND_BATCH_MESSAGE => true,
        _ => return None,
    };
    if !matches!(peeked.flag, 0 | 2) || !fields.are_complete(short) {
        return None;
    }
    let [group, topic, default_topic] = fields.texts();
    let batch = RequestCode(peeked.code) == RequestCode::SEND_BATCH_MESSAGE;
    Some(SendView {
        code: peeked.code,
        opaque: peeked.opaque,
        flag: peeked.flag,
        group,
        topic,
        default_topic,
        default_topic_queue_nums: fields.small(fields::DEFAULT_TOPIC_QUEUE_NUMS)?,
        queue_id: fields.small(fields::QUEUE_ID)?,
        sys_flag: fields.small(fields::SYS_FLAG)?,
        born_timestamp: u64::try_from(fields.number(fields::BORN_TIMESTAMP)).ok()?,
        message_flag: fields.small(fields::FLAG)?,
        properties: properties(fields.properties(), scratch)?,
        reconsume_times: fields.small(fields::RECONSUME_TIMES)?,
        unit_mode: fields.is_true(fields::UNIT_MODE),
        max_reconsume_times: fields.optional(fields::MAX_RECONSUME_TIMES)?,
        batch: batch | fields.is_true(fields::BATCH),
    })
}

fn properties<'a>(raw: Raw<'a>, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let text = raw.utf8()?;
    if raw.has_escapes() { unescape(text, scratch) } else { Some(text) }
}

/// Undoes `\u0001` and `\u0002`, the separators of properties; refuses any other escape.
fn unescape<'a>(text: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    scratch.clear();
    scratch.reserve(text.len());
    let mut rest = text;
    while let Some(stop) = string_stop(rest) {
        let (plain, escape) = rest.split_at(stop.at);
        let [b'\\', b'u', b'0', b'0', b'0', digit @ (b'1' | b'2'), after @ ..] = escape else {
            return None;
        };
        scratch.extend_from_slice(plain);
        scratch.push(digit - b'0');
        rest = after;
    }
    scratch.extend_from_slice(rest);
    Some(scratch)
}
