//! Frames: the outer layout of everything on a connection (reference protocol.md §1.1).
//!
//! ```text
//! u32 total = 4 + header + body · u8 serialise type · u24 header length · header · body
//! ```

use bytes::{Buf, Bytes, BytesMut};

use crate::command::RemotingCommand;
use crate::error::DecodeError;
use crate::prefix::PREFIX_SIZE;
use crate::serialize_type::SerializeType;

/// The greatest frame, all of it; both sides close the connection over a greater one.
pub const FRAME_SIZE_MAX: usize = 16 * 1024 * 1024;

/// A complete frame, its header not looked into.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// The form of the header.
    pub serialize_type: SerializeType,
    /// The header's bytes.
    pub header: Bytes,
    /// The body's bytes.
    pub body: Bytes,
}

/// Why the stream holds no frame. There is no way to find the next one: close the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// The first word is no length of a frame: negative, too great, or without room for a header.
    #[error("a frame of length {0} is announced (at most {FRAME_SIZE_MAX}); close the connection")]
    Total(i32),
    /// The header would be longer than its frame.
    #[error("a header of {header} bytes is announced in {total}; close the connection")]
    Header {
        /// The announced header.
        header: usize,
        /// What the frame has room for.
        total: usize,
    },
    /// The header is in no known form.
    #[error("the serialise type {0} is unknown (0 JSON, 1 ROCKETMQ); close the connection")]
    Type(u8),
}

/// Takes the first frame out of what was read, without copying; `None` when it is not complete.
/// Garbage is refused as soon as its eight bytes of prefix are there, so a reader never makes
/// room for it.
///
/// # Errors
/// The stream holds no frame.
pub fn next_frame(from: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let Some(prefix) = Prefix::read(from)? else { return Ok(None) };
    if from.len() < 4 + prefix.total {
        return Ok(None);
    }
    let mut body = from.split_to(4 + prefix.total).freeze();
    body.advance(PREFIX_SIZE);
    let header = body.split_to(prefix.header);
    // An empty view would keep the whole read buffer alive for nothing.
    let body = if body.is_empty() { Bytes::new() } else { body };
    Ok(Some(Frame { serialize_type: prefix.serialize_type, header, body }))
}

/// How many bytes the frame at the front of `from` has in all; `None` while that is unknown.
/// For a reader that wants to make room.
///
/// # Errors
/// The stream holds no frame.
pub fn frame_size(from: &[u8]) -> Result<Option<usize>, FrameError> {
    Ok(Prefix::read(from)?.map(|prefix| 4 + prefix.total))
}

struct Prefix {
    /// Bytes after the first word, in `4..=FRAME_SIZE_MAX - 4`.
    total: usize,
    serialize_type: SerializeType,
    /// Bytes of the header, at most `total - 4`.
    header: usize,
}

impl Prefix {
    fn read(from: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some((first, rest)) = from.split_first_chunk::<4>() else { return Ok(None) };
        let announced = i32::from_be_bytes(*first);
        let total = usize::try_from(announced).unwrap_or(0);
        if !(4..=FRAME_SIZE_MAX - 4).contains(&total) {
            return Err(FrameError::Total(announced));
        }
        let Some((second, _)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let [kind, high, middle, low] = *second;
        let serialize_type = SerializeType::from_byte(kind).ok_or(FrameError::Type(kind))?;
        let header = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if header > total - 4 {
            return Err(FrameError::Header { header, total: total - 4 });
        }
        Ok(Some(Self { total, serialize_type, header }))
    }
}

impl Frame {
    /// Decodes the header.
    ///
    /// # Errors
    /// The header is malformed; the connection is beyond repair.
    pub fn decode(&self) -> Result<RemotingCommand, DecodeError> {
        RemotingCommand::decode(self.serialize_type, &self.header, self.body.clone())
    }
}
