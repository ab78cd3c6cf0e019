//! The answer to a send, seen in its frame.

use crate::codec::binary::Reader;
use crate::fast::json_scan::{Raw, integer};
use crate::fast::peek::{Numbers, Peeked, members};
use crate::frame::Frame;
use crate::response_code::ResponseCode;
use crate::serialize_type::SerializeType;

/// Sees an answer that means "stored": its opaque, code, queue id and queue offset. `None` when
/// it is anything else; the ordinary path says what.
pub fn send_reply_view(frame: &Frame) -> Option<(i32, ResponseCode, u32, u64)> {
    let mut found = Found::default();
    let peeked = match frame.serialize_type {
        SerializeType::Json => json_fields(&frame.header, &mut found)?,
        SerializeType::RocketMq => binary_fields(&frame.header, &mut found)?,
    };
    let code = ResponseCode(peeked.code);
    if peeked.flag & 1 == 0 || !code.is_stored() {
        return None;
    }
    Some((peeked.opaque, code, u32::try_from(found.queue_id?).ok()?, found.queue_offset?))
}

#[derive(Default)]
struct Found {
    queue_id: Option<u64>,
    queue_offset: Option<u64>,
}

impl Found {
    fn put(&mut self, name: &[u8], value: Raw<'_>) -> Option<()> {
        let slot = match name {
            b"queueId" => &mut self.queue_id,
            b"queueOffset" => &mut self.queue_offset,
            _ => return Some(()),
        };
        let (Raw::Text(text, false) | Raw::Bare(text)) = value else { return None };
        let value = u64::try_from(integer(text)?).ok()?;
        slot.replace(value).is_none().then_some(())
    }
}

fn json_fields(header: &[u8], found: &mut Found) -> Option<Peeked> {
    let mut numbers = Numbers::default();
    members(header, &mut numbers, |scan| {
        loop {
            let name = scan.key()?;
            found.put(name, scan.scalar()?)?;
            if !scan.more()? {
                return Some(());
            }
        }
    })?;
    numbers.peeked()
}

fn binary_fields(header: &[u8], found: &mut Found) -> Option<Peeked> {
    let mut reader = Reader(header);
    let code = i32::from(reader.i16("code").ok()?);
    reader.u8("language").ok()?;
    reader.i16("version").ok()?;
    let opaque = reader.i32("opaque").ok()?;
    let flag = reader.i32("flag").ok()?;
    reader.long("remark").ok()?;
    let mut entries = Reader(reader.long("fields").ok()?);
    while !entries.0.is_empty() {
        let name = entries.short("field name").ok()?;
        found.put(name, Raw::Text(entries.long("field value").ok()?, false))?;
    }
    Some(Peeked { code, opaque, flag })
}
