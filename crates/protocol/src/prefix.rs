//! The eight bytes before a header: total length, serialise type, header length.

use crate::serialize_type::SerializeType;

/// Bytes of the prefix.
pub(crate) const PREFIX_SIZE: usize = 8;

/// The longest header that the 24 bits can name, exclusive.
pub(crate) const HEADER_SIZE_END: usize = 1 << 24;

/// Fills in the prefix at the front of `frame`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "header_len has 24 bits; a body beyond u32 fits no memory that frames come from"
)]
pub(crate) fn put(frame: &mut [u8], kind: SerializeType, header_len: usize, body_len: usize) {
    let total = (4 + header_len + body_len) as u32;
    let second = u32::from(kind.to_byte()) << 24 | header_len as u32;
    frame[..4].copy_from_slice(&total.to_be_bytes());
    frame[4..PREFIX_SIZE].copy_from_slice(&second.to_be_bytes());
}
