//! The files of one ConsumeQueue as an array of entries; positions are queue offsets.

use std::io;

use bytes::Bytes;
use runtime::Disk;

use super::entry::Entry;
use crate::layout::ENTRY_LEN;
use crate::segment_set::{Segment, SegmentSet};

/// How many fillers are written at once.
const FILLERS_AT_ONCE: u64 = 512;

/// The files of one queue.
pub(super) struct FileSet {
    segments: SegmentSet,
}

impl FileSet {
    pub(super) fn new(segments: SegmentSet) -> Self {
        Self { segments }
    }

    /// The segments; their offsets are bytes, 20 for an entry.
    pub(super) fn segments(&self) -> &SegmentSet {
        &self.segments
    }

    /// The file that holds the entry at `at`.
    pub(super) fn find(&self, at: u64) -> Option<Segment> {
        self.segments.find(at * ENTRY_LEN)
    }

    /// The position of the first entry in the first file.
    pub(super) fn first(&self) -> Option<u64> {
        self.segments.first().map(|segment| segment.base / ENTRY_LEN)
    }

    /// The entry at `at`, if one was ever written there.
    pub(super) fn entry(&self, at: u64) -> io::Result<Option<Entry>> {
        let bytes = self.entries(at, 1)?;
        Ok(bytes.first_chunk().and_then(Entry::decode))
    }

    /// The bytes of up to `count` entries from `at` on, to the end of their file at most; empty
    /// when there is no such file.
    pub(super) fn entries(&self, at: u64, count: u64) -> io::Result<Bytes> {
        let Some(segment) = self.find(at) else { return Ok(Bytes::new()) };
        let from = at * ENTRY_LEN;
        let whole = (segment.end() - from) / ENTRY_LEN;
        segment.slice(from..from + count.min(whole) * ENTRY_LEN)
    }

    /// Creates the file that will hold the entry at `at`. When it is the queue's first, everything
    /// before `at` in it is filled: those messages are gone, or were never here.
    pub(super) async fn add(&self, disk: &Disk, at: u64, entries: u64) -> io::Result<Segment> {
        let len = entries * ENTRY_LEN;
        let base = match self.segments.last() {
            Some(last) => last.end(),
            None => at / entries * len,
        };
        disk.create_dir(self.segments.directory()).await?;
        let segment = self.segments.create(disk, base, len).await?;
        fill(&segment, base / ENTRY_LEN, at)?;
        Ok(segment)
    }
}

/// Writes fillers at the positions `from .. to` of a file.
pub(super) fn fill(segment: &Segment, from: u64, to: u64) -> io::Result<()> {
    let filler = Entry::FILLER.encode();
    let block = filler.repeat(FILLERS_AT_ONCE as usize);
    let mut at = from;
    while at < to {
        let count = FILLERS_AT_ONCE.min(to - at);
        segment.write(at * ENTRY_LEN, &[&block[..(count * ENTRY_LEN) as usize]])?;
        at += count;
    }
    Ok(())
}
