//! The ROCKETMQ form of a header (reference protocol.md §1.3):
//!
//! ```text
//! code i16 · language u8 · version i16 · opaque i32 · flag i32
//! remark length i32 · remark · fields length i32 · fields: (i16 name · i32 value)*
//! ```
//!
//! Code and version have 16 bits: greater ones lose their upper half, as with every other peer.

use bytes::{BufMut, BytesMut};

use crate::error::DecodeError;
use crate::ext_fields::ExtFields;
use crate::head::{Head, HeadRef};
use crate::language::Language;

/// Takes what a header is made of from its front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(DecodeError::Short(part))?;
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(DecodeError::Short(part))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn i16(&mut self, part: &'static str) -> Result<i16, DecodeError> {
        self.fixed(part).map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, part: &'static str) -> Result<i32, DecodeError> {
        self.fixed(part).map(i32::from_be_bytes)
    }

    pub(crate) fn u8(&mut self, part: &'static str) -> Result<u8, DecodeError> {
        self.fixed::<1>(part).map(|[byte]| byte)
    }

    /// Bytes after their 16-bit length.
    pub(crate) fn short(&mut self, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.i16(part)?;
        self.bytes(usize::try_from(length).map_err(|_| DecodeError::Negative(part))?, part)
    }

    /// Bytes after their 32-bit length.
    pub(crate) fn long(&mut self, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.i32(part)?;
        self.bytes(usize::try_from(length).map_err(|_| DecodeError::Negative(part))?, part)
    }
}

/// Decodes a header; broken UTF-8 is mended as Java does it.
pub(crate) fn decode(header: &[u8]) -> Result<Head, DecodeError> {
    let mut reader = Reader(header);
    let code = i32::from(reader.i16("code")?);
    let language = Language(reader.u8("language")?);
    let version = i32::from(reader.i16("version")?);
    let opaque = reader.i32("opaque")?;
    let flag = reader.i32("flag")?;
    let remark = reader.long("remark")?;
    let remark = (!remark.is_empty()).then(|| String::from_utf8_lossy(remark).into_owned());
    let mut fields = Reader(reader.long("fields")?);
    let mut ext_fields = ExtFields::new();
    while !fields.0.is_empty() {
        if ext_fields.len() == ExtFields::COUNT_MAX {
            return Err(DecodeError::TooManyFields);
        }
        let name = String::from_utf8_lossy(fields.short("field name")?);
        let value = String::from_utf8_lossy(fields.long("field value")?);
        ext_fields.insert(name, value);
    }
    Ok(Head { code, language, version, opaque, flag, remark, ext_fields })
}

/// Appends a header. A field whose name exceeds 32,767 bytes cannot be said and is left out.
#[expect(
    clippy::cast_possible_truncation,
    reason = "16-bit code and version are the format; the lengths are below the frame bound"
)]
pub(crate) fn encode(head: HeadRef<'_>, to: &mut BytesMut) {
    to.put_i16(head.code as i16);
    to.put_u8(head.language.0);
    to.put_i16(head.version as i16);
    to.put_i32(head.opaque);
    to.put_i32(head.flag);
    let remark = head.remark.unwrap_or_default();
    to.put_i32(remark.len() as i32);
    to.put_slice(remark.as_bytes());
    let length_at = to.len();
    to.put_i32(0);
    for (name, value) in head.ext_fields.iter() {
        let Ok(name_length) = i16::try_from(name.len()) else { continue };
        to.put_i16(name_length);
        to.put_slice(name.as_bytes());
        to.put_i32(value.len() as i32);
        to.put_slice(value.as_bytes());
    }
    let length = (to.len() - length_at - 4) as i32;
    to[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
}
