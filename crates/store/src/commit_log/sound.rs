//! Finding where the log goes on behind damage.

use std::io;

use message::record::{MAGIC_BLANK, MAGIC_V1, MAGIC_V2};

use super::read::{Bad, next_at};
use crate::layout::BLANK_HEAD_LEN;
use crate::segment_set::{Segment, SegmentSet};

/// How many bytes are looked through at once.
const LOOK_LEN: u64 = 1 << 20;
/// Where a record's magic stands in it.
const MAGIC_AT: u64 = 4;

/// The first place from `from` on where a sound record or blank stands that says it belongs there;
/// `limit`, where the log is known to go on, when none does before.
pub(crate) fn next_sound(segments: &SegmentSet, from: u64, limit: u64) -> io::Result<u64> {
    for segment in segments.within(from..limit) {
        let (start, end) = (from.max(segment.base), limit.min(segment.end()));
        if let Some(sound) = sound_in(&segment, start, end)? {
            return Ok(sound);
        }
    }
    Ok(limit)
}

fn sound_in(segment: &Segment, start: u64, end: u64) -> io::Result<Option<u64>> {
    let mut at = start;
    while at + BLANK_HEAD_LEN <= end {
        let to = end.min(at + LOOK_LEN);
        let bytes = segment.slice(at..to)?;
        for (index, magic) in bytes.windows(4).enumerate().skip(MAGIC_AT as usize) {
            let offset = at + index as u64 - MAGIC_AT;
            if is_magic(magic) && is_sound(segment, offset)? {
                return Ok(Some(offset));
            }
        }
        // The head of a record may lie across.
        at = if to == end { end } else { to - BLANK_HEAD_LEN };
    }
    Ok(None)
}

fn is_magic(bytes: &[u8]) -> bool {
    [MAGIC_V1, MAGIC_V2, MAGIC_BLANK].iter().any(|magic| bytes == magic.to_be_bytes())
}

fn is_sound(segment: &Segment, offset: u64) -> io::Result<bool> {
    match next_at(segment, offset) {
        Ok(_) => Ok(true),
        Err(Bad::Disk(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
