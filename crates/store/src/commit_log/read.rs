//! Reading records where they stand, trusting nothing.

use std::io;

use bytes::Bytes;
use message::PhysicalOffset;
use message::record::{MAGIC_BLANK, RecordError, View};

use crate::layout::BLANK_HEAD_LEN;
use crate::segment_set::Segment;

/// What stands at an offset of the log.
pub(crate) enum Found {
    /// A record, whole and in its place.
    Record(Bytes),
    /// The segment ends here; the log goes on in the next one.
    SegmentEnd,
}

/// Why no record stands at an offset.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Bad {
    /// Its bytes are none.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It says that it stands elsewhere: the rest of an older log.
    #[error("the record says that it stands at {0}; it is a stale one")]
    Position(PhysicalOffset),
    /// Its body is not the one it was written with.
    #[error("the checksum of the body does not hold; the record is torn or damaged")]
    Crc,
    /// A part of its properties was never written.
    #[error("the properties hold zero bytes; the record is torn")]
    TornProperties,
    /// The blank does not end where the segment ends.
    #[error("a blank of {len} bytes does not end the segment")]
    Blank {
        /// The bytes it says it fills.
        len: u32,
    },
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

/// What stands at `offset` of the log, in `segment`: checked as recovery needs it, with its
/// lengths, its place and its body's checksum.
pub(crate) fn next_at(segment: &Segment, offset: u64) -> Result<Found, Bad> {
    if segment.end() - offset < BLANK_HEAD_LEN {
        return Ok(Found::SegmentEnd);
    }
    let head = segment.slice(offset..offset + BLANK_HEAD_LEN)?;
    let (len, magic) = head.split_at(4);
    if magic == MAGIC_BLANK.to_be_bytes() {
        let len = u32::from_be_bytes([len[0], len[1], len[2], len[3]]);
        let fills = u64::from(len) == segment.end() - offset;
        return if fills { Ok(Found::SegmentEnd) } else { Err(Bad::Blank { len }) };
    }
    sound_at(segment, offset).map(Found::Record)
}

/// The record at `offset`, whole and checked.
pub(crate) fn sound_at(segment: &Segment, offset: u64) -> Result<Bytes, Bad> {
    let record = record_at(segment, offset)?;
    check(&View::parse(&record)?, offset)?;
    Ok(record)
}

/// Whether a record of the right lengths, found at `offset`, belongs there and is whole.
pub(crate) fn check(view: &View<'_>, offset: u64) -> Result<(), Bad> {
    if view.physical_offset.0 != offset {
        return Err(Bad::Position(view.physical_offset));
    }
    if !view.crc_holds() {
        return Err(Bad::Crc);
    }
    // The checksum covers the body alone. A sector that was never written is zero, because the
    // tail is zeroed and synced before it is used; and no properties with a zero byte are taken.
    if view.properties.contains(&0) {
        return Err(Bad::TornProperties);
    }
    Ok(())
}

/// The record at `offset`, if one that belongs there stands there; its body is not checked.
pub(crate) fn record_at(segment: &Segment, offset: u64) -> Result<Bytes, Bad> {
    let left = segment.end() - offset;
    let head = segment.slice(offset..offset + left.min(BLANK_HEAD_LEN))?;
    let needed = match View::parse(&head) {
        Err(RecordError::Short { needed, .. }) => needed as u64,
        Err(other) => return Err(other.into()),
        Ok(whole) => u64::from(whole.store_size),
    };
    if needed > left {
        return Err(RecordError::Short { needed: needed as usize, have: left as usize }.into());
    }
    let record = segment.slice(offset..offset + needed)?;
    let view = View::parse(&record)?;
    if view.physical_offset.0 != offset {
        return Err(Bad::Position(view.physical_offset));
    }
    Ok(record)
}
