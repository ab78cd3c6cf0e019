//! Which request or response is this?

use crate::codec::binary::Reader;
use crate::fast::json_scan::{Raw, Scan, integer};
use crate::frame::Frame;
use crate::serialize_type::SerializeType;

/// The three numbers that tell where a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peeked {
    /// A `RequestCode`, or a `ResponseCode` when bit 0 of `flag` is set.
    pub code: i32,
    /// Matches a response to its request.
    pub opaque: i32,
    /// Bit 0: a response. Bit 1: oneway.
    pub flag: i32,
}

/// Looks into a header without decoding it.
pub fn peek(frame: &Frame) -> Option<Peeked> {
    match frame.serialize_type {
        SerializeType::RocketMq => peek_binary(&frame.header),
        SerializeType::Json => {
            let mut numbers = Numbers::default();
            members(&frame.header, &mut numbers, |scan| {
                if scan.rest.first() == Some(&b'}') {
                    return scan.take(b'}');
                }
                loop {
                    scan.key()?;
                    scan.scalar()?;
                    if !scan.more()? {
                        return Some(());
                    }
                }
            })?;
            numbers.peeked()
        }
    }
}

fn peek_binary(header: &[u8]) -> Option<Peeked> {
    let mut reader = Reader(header);
    let code = i32::from(reader.i16("code").ok()?);
    reader.u8("language").ok()?;
    reader.i16("version").ok()?;
    let opaque = reader.i32("opaque").ok()?;
    let flag = reader.i32("flag").ok()?;
    Some(Peeked { code, opaque, flag })
}

/// The numbers of a JSON header, each at most once.
#[derive(Default)]
pub(crate) struct Numbers {
    code: Option<i32>,
    opaque: Option<i32>,
    flag: Option<i32>,
    version: Option<i32>,
}

impl Numbers {
    pub(crate) fn peeked(&self) -> Option<Peeked> {
        Some(Peeked { code: self.code?, opaque: self.opaque?, flag: self.flag? })
    }

    fn set(slot: &mut Option<i32>, scan: &mut Scan<'_>) -> Option<()> {
        let Raw::Bare(text) = scan.scalar()? else { return None };
        let value = i32::try_from(integer(text)?).ok()?;
        slot.replace(value).is_none().then_some(())
    }
}

/// Walks the members of a JSON header; `ext_fields` stands behind the `{` of its object and must
/// leave behind the `}`. A stranger among the members is refused.
pub(crate) fn members<'a>(
    header: &'a [u8],
    numbers: &mut Numbers,
    mut ext_fields: impl FnMut(&mut Scan<'a>) -> Option<()>,
) -> Option<()> {
    let mut scan = Scan { rest: header };
    let mut ext_fields_seen = false;
    scan.take(b'{')?;
    loop {
        match scan.key()? {
            b"code" => Numbers::set(&mut numbers.code, &mut scan)?,
            b"opaque" => Numbers::set(&mut numbers.opaque, &mut scan)?,
            b"flag" => Numbers::set(&mut numbers.flag, &mut scan)?,
            b"version" => Numbers::set(&mut numbers.version, &mut scan)?,
            b"extFields" => {
                if ext_fields_seen {
                    return None;
                }
                ext_fields_seen = true;
                scan.take(b'{')?;
                ext_fields(&mut scan)?;
            }
            // None of them matters here, whatever it says; but it must be a sound scalar.
            b"language" | b"serializeTypeCurrentRPC" | b"remark" => drop(scan.scalar()?),
            _ => return None,
        }
        if !scan.more()? {
            break;
        }
    }
    scan.is_at_end().then_some(())
}
