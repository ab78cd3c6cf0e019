//! One pass over a header of either form: the numbers that say where it goes, and its fields.

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

/// Hands each ext field to `field`, which may refuse it.
pub(crate) fn walk<'a>(
    frame: &'a Frame,
    field: impl FnMut(&'a [u8], Raw<'a>) -> Option<()>,
) -> Option<Peeked> {
    match frame.serialize_type {
        SerializeType::Json => walk_json(&frame.header, field),
        SerializeType::RocketMq => walk_binary(&frame.header, field),
    }
}

/// The fixed part of a binary header.
pub(crate) fn binary_numbers(reader: &mut Reader<'_>) -> Option<Peeked> {
    let code = i32::from(reader.i16("code").ok()?);
    reader.u8("language").ok()?;
    reader.i16("version").ok()?;
    let opaque = reader.i32("opaque").ok()?;
    let flag = reader.i32("flag").ok()?;
    Some(Peeked { code, opaque, flag })
}

fn walk_binary<'a>(
    header: &'a [u8],
    mut field: impl FnMut(&'a [u8], Raw<'a>) -> Option<()>,
) -> Option<Peeked> {
    let mut reader = Reader(header);
    let peeked = binary_numbers(&mut reader)?;
    reader.long("remark").ok()?;
    let mut entries = Reader(reader.long("fields").ok()?);
    while !entries.0.is_empty() {
        let name = entries.short("field name").ok()?;
        field(name, Raw::text(entries.long("field value").ok()?))?;
    }
    Some(peeked)
}

/// The members of a JSON header that matter, each at most once.
#[derive(Default)]
struct Members {
    code: Option<i32>,
    opaque: Option<i32>,
    flag: Option<i32>,
    version: Option<i32>,
    ext_fields: Option<()>,
}

fn set(slot: &mut Option<i32>, scan: &mut Scan<'_>) -> Option<()> {
    let raw = scan.scalar()?;
    let value = i32::try_from(integer(raw.bytes)?).ok().filter(|_| !raw.is_text())?;
    slot.replace(value).is_none().then_some(())
}

fn walk_json<'a>(
    header: &'a [u8],
    mut field: impl FnMut(&'a [u8], Raw<'a>) -> Option<()>,
) -> Option<Peeked> {
    let mut scan = Scan { rest: header };
    let mut seen = Members::default();
    scan.take(b'{')?;
    loop {
        match scan.key()? {
            b"code" => set(&mut seen.code, &mut scan)?,
            b"opaque" => set(&mut seen.opaque, &mut scan)?,
            b"flag" => set(&mut seen.flag, &mut scan)?,
            b"version" => set(&mut seen.version, &mut scan)?,
            b"extFields" => {
                seen.ext_fields.replace(()).is_none().then_some(())?;
                each_ext_field(&mut scan, &mut field)?;
            }
            // None of them matters here, whatever it says; but it must be a sound scalar.
            b"language" | b"serializeTypeCurrentRPC" | b"remark" => drop(scan.scalar()?),
            _ => return None,
        }
        if !scan.more()? {
            break;
        }
    }
    if !scan.is_at_end() {
        return None;
    }
    Some(Peeked { code: seen.code?, opaque: seen.opaque?, flag: seen.flag? })
}

fn each_ext_field<'a>(
    scan: &mut Scan<'a>,
    field: &mut impl FnMut(&'a [u8], Raw<'a>) -> Option<()>,
) -> Option<()> {
    scan.take(b'{')?;
    if scan.rest.first() == Some(&b'}') {
        return scan.take(b'}');
    }
    loop {
        let name = scan.key()?;
        field(name, scan.scalar()?)?;
        if !scan.more()? {
            return Some(());
        }
    }
}
