//! The answer to a send, seen in its frame.

use crate::fast::json_scan::integer;
use crate::fast::walk::walk;
use crate::frame::Frame;
use crate::response_code::ResponseCode;

/// Sees an answer that means "stored": its opaque, code, queue id and queue offset. `None` when
/// it is anything else; the ordinary path says what.
pub fn send_reply_view(frame: &Frame) -> Option<(i32, ResponseCode, u32, u64)> {
    let (mut queue_id, mut queue_offset, mut fields) = (None, None, 0);
    let peeked = walk(frame, |name, value| {
        fields += 1;
        let slot = match name {
            _ if fields > FIELDS_MAX => return None,
            b"queueId" => &mut queue_id,
            b"queueOffset" => &mut queue_offset,
            _ => return Some(()),
        };
        let value = u64::try_from(integer(value.plain()?)?).ok()?;
        slot.replace(value).is_none().then_some(())
    })?;
    let code = ResponseCode(peeked.code);
    if peeked.flag & 1 == 0 || !code.is_stored() {
        return None;
    }
    Some((peeked.opaque, code, u32::try_from(queue_id?).ok()?, queue_offset?))
}

/// More fields than any answer to a send has.
const FIELDS_MAX: usize = 32;
