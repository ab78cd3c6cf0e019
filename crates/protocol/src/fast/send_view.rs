//! A send, seen in its frame.

use crate::fast::fields::Fields;
use crate::fast::json_scan::{Raw, integer};
use crate::fast::swar::string_stop;
use crate::fast::walk::walk;
use crate::frame::Frame;
use crate::request_code::RequestCode;

/// A SEND_MESSAGE, SEND_MESSAGE_V2 or SEND_BATCH_MESSAGE request, borrowed from its frame. The
/// fields mean what those of `header::SendMessageRequestHeader` mean.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SendView<'a> {
    /// 10, 310 or 320.
    pub code: i32,
    /// To be echoed.
    pub opaque: i32,
    /// 0, or 2 for oneway.
    pub flag: i32,
    /// The producer's group.
    pub group: &'a str,
    /// Where the message goes.
    pub topic: &'a str,
    /// The topic whose configuration a new topic copies.
    pub default_topic: &'a str,
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
    if !matches!(peeked.flag, 0 | 2) || !fields.are_named(short) {
        return None;
    }
    let batch = RequestCode(peeked.code) == RequestCode::SEND_BATCH_MESSAGE;
    Some(SendView {
        code: peeked.code,
        opaque: peeked.opaque,
        flag: peeked.flag,
        group: text(fields.get(0)?)?,
        topic: text(fields.get(1)?)?,
        default_topic: text(fields.get(2)?)?,
        default_topic_queue_nums: number(fields.get(3)?)?,
        queue_id: number(fields.get(4)?)?,
        sys_flag: number(fields.get(5)?)?,
        born_timestamp: u64::try_from(integer(bytes(fields.get(6)?)?)?).ok()?,
        message_flag: number(fields.get(7)?)?,
        properties: fields.get(8).map_or(Some(&[][..]), |raw| properties(raw, scratch))?,
        reconsume_times: fields.get(9).map_or(Some(0), number)?,
        unit_mode: fields.get(10).map_or(Some(false), truth)?,
        max_reconsume_times: match fields.get(11) {
            None => None,
            Some(raw) => Some(number(raw)?),
        },
        batch: batch | fields.get(12).map_or(Some(false), truth)?,
    })
}

/// A field's bytes, if they stand for themselves.
fn bytes(raw: Raw<'_>) -> Option<&[u8]> {
    match raw {
        Raw::Text(text, false) | Raw::Bare(text) => Some(text),
        Raw::Text(_, true) => None,
    }
}

fn text(raw: Raw<'_>) -> Option<&str> {
    std::str::from_utf8(bytes(raw)?).ok()
}

fn number(raw: Raw<'_>) -> Option<i32> {
    i32::try_from(integer(bytes(raw)?)?).ok()
}

fn truth(raw: Raw<'_>) -> Option<bool> {
    match bytes(raw)? {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// The ordinary path mends broken UTF-8, so it is refused here.
fn properties<'a>(raw: Raw<'a>, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let (Raw::Text(text, _) | Raw::Bare(text)) = raw;
    std::str::from_utf8(text).ok()?;
    if matches!(raw, Raw::Text(_, true)) { unescape(text, scratch) } else { Some(text) }
}

/// Undoes `\u0001` and `\u0002`, the separators of properties; refuses any other escape.
fn unescape<'a>(text: &[u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    scratch.clear();
    scratch.reserve(text.len());
    let mut rest = text;
    while let Some(at) = string_stop(rest) {
        let (plain, escape) = rest.split_at(at);
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
