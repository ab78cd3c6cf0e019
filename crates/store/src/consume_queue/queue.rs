//! One ConsumeQueue: its place counter, its files, its visible end.
//!
//! Three ends, and which task moves them: `next` (the place of the next message) moves under the
//! append lock; `end` (the entries written) and `dispatched` (the entries visible) move with
//! dispatch. `dispatched ≤ end ≤ next`.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use runtime::Disk;
use runtime::sync::Watermark;

use super::entry::Entry;
use super::file_set::{FileSet, fill};
use crate::layout::{ENTRY_LEN, is_directory_name};
use crate::segment_set::{Segment, SegmentSet};

/// The most places that may be missing between two records of one queue. More is damage.
const GAP_MAX: u64 = 1 << 20;

/// One queue of one topic.
pub(crate) struct Queue {
    topic: String,
    queue_id: u32,
    /// Whether the topic can be a directory.
    storable: bool,
    /// The place of the next message; written only under the append lock.
    next: AtomicU64,
    /// The first place that still holds a message.
    min: AtomicU64,
    /// The place behind the last message that recovery found and dispatch may still have to show;
    /// 0 once dispatch has caught up with recovery.
    found: AtomicU64,
    /// The visible end, in entries.
    dispatched: Watermark,
    /// Whether dispatch still has to show what it wrote; dispatch's own note.
    hidden: AtomicBool,
    files: FileSet,
    writer: Mutex<Writer>,
}

/// What dispatch and the flush of the queue share.
#[derive(Default)]
struct Writer {
    /// The position behind the last entry written.
    end: u64,
    /// The file that holds position `end`, if it exists.
    segment: Option<Segment>,
    /// Entries from here on may not be durable.
    synced: u64,
    /// Whether the name of a file, or zeros behind the end, may not be durable.
    dirty: bool,
}

/// What became of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Written; so many places the end moved.
    Done(u64),
    /// It was there before.
    Already,
    /// Its file must be added first.
    NeedsFile,
    /// It is so far behind the end that the record must be damaged.
    Gap,
}

impl Queue {
    /// A queue with the files of `segments`, of which none is read yet.
    pub(crate) fn new(topic: &str, queue_id: u32, segments: SegmentSet) -> Self {
        Self {
            topic: topic.into(),
            queue_id,
            storable: is_directory_name(topic),
            next: AtomicU64::new(0),
            min: AtomicU64::new(0),
            found: AtomicU64::new(0),
            dispatched: Watermark::default(),
            hidden: AtomicBool::new(false),
            files: FileSet::new(segments),
            writer: Mutex::default(),
        }
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn queue_id(&self) -> u32 {
        self.queue_id
    }

    /// Whether the topic can be the name of a directory.
    pub(crate) fn is_storable(&self) -> bool {
        self.storable
    }

    /// The place of the next message. Read under the append lock.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Sets the place of the next message. Called under the append lock, or before there is one.
    pub(crate) fn assign_from(&self, next: u64) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// Recovery has found a message at `at`: the next one comes behind it, and whoever reads
    /// is told that there is more than is visible. A place far behind all others is damage, which
    /// dispatch reports.
    pub(crate) fn found(&self, at: u64) {
        let next = self.next_offset();
        let is_first = next == 0 && self.files.first().is_none();
        if at >= next && (is_first || at - next <= GAP_MAX) {
            self.assign_from(at + 1);
            self.found.store(at + 1, Ordering::Release);
        }
    }

    /// The place behind the last message that recovery found; 0 once all of them were dispatched.
    pub(crate) fn found_end(&self) -> u64 {
        self.found.load(Ordering::Acquire)
    }

    /// Dispatch has passed the end of what recovery found: what is visible now is all there is.
    pub(crate) fn caught_up(&self) {
        self.found.store(0, Ordering::Release);
    }

    /// The first place that still holds a message.
    pub(crate) fn min_offset(&self) -> u64 {
        self.min.load(Ordering::Acquire)
    }

    /// Raises the first place that still holds a message.
    pub(crate) fn raise_min(&self, min: u64) {
        self.min.fetch_max(min, Ordering::AcqRel);
    }

    /// The visible end.
    pub(crate) fn dispatched(&self) -> &Watermark {
        &self.dispatched
    }

    /// The position behind the last entry written.
    pub(crate) fn end(&self) -> u64 {
        self.writer().end
    }

    /// The bytes of up to `count` entries from `at` on, to the end of their file at most.
    pub(crate) async fn entries(&self, at: u64, count: u64) -> io::Result<Bytes> {
        self.files.entries(at, count)
    }

    /// The entry at `at`, if one was ever written there.
    pub(crate) async fn entry(&self, at: u64) -> io::Result<Option<Entry>> {
        self.files.entry(at)
    }

    /// The queue's files; their offsets are bytes.
    pub(crate) fn segments(&self) -> &SegmentSet {
        self.files.segments()
    }

    /// Takes over what recovery found: everything below `end` is durable and nothing is behind it,
    /// which `zeroed` says had to be made so.
    pub(crate) fn recovered(&self, min: u64, end: u64, zeroed: bool) {
        let mut writer = self.writer();
        let segment = self.files.find(end);
        *writer = Writer { end, segment, synced: end, dirty: zeroed };
        drop(writer);
        self.raise_min(min);
        self.dispatched.raise_to(end);
    }

    /// Writes the entry of the message whose place is `at`. Not visible yet: see
    /// [`Queue::show`].
    pub(crate) fn put(&self, at: u64, entry: &Entry) -> io::Result<Put> {
        let mut writer = self.writer();
        let end = writer.end;
        if at < end {
            return Ok(Put::Already);
        }
        if at - end > GAP_MAX && self.files.first().is_some() {
            return Ok(Put::Gap);
        }
        let Some(segment) = &writer.segment else { return Ok(Put::NeedsFile) };
        if at > end {
            // Records between are gone, so nobody will ever put these entries.
            tracing::error!(self.topic, self.queue_id, end, at, "a hole in the queue; filled");
            let last = at.min(segment.end() / ENTRY_LEN);
            fill(segment, end, last)?;
            writer.moved_to(last);
            drop(writer);
            return match self.put(at, entry)? {
                Put::Done(moved) => Ok(Put::Done(moved + last - end)),
                other => Ok(other),
            };
        }
        segment.write(at * ENTRY_LEN, &[&entry.encode()])?;
        writer.moved_to(at + 1);
        Ok(Put::Done(1))
    }

    /// Adds the file for the entry at `at`, as [`Put::NeedsFile`] asks. Gives how many places the
    /// end moved: a queue that starts late starts behind fillers.
    pub(crate) async fn add_file(&self, disk: &Disk, at: u64, entries: u64) -> io::Result<u64> {
        let end = self.end();
        let is_first = self.files.first().is_none();
        let start = if is_first { at } else { end };
        let segment = self.files.add(disk, start, entries).await?;
        let mut writer = self.writer();
        writer.segment = Some(segment);
        writer.end = start;
        writer.dirty = true;
        drop(writer);
        if is_first {
            self.raise_min(start);
        }
        Ok(start - end)
    }

    /// Notes that there is something to show; true when it was not noted before.
    pub(crate) fn hide(&self) -> bool {
        !self.hidden.swap(true, Ordering::Relaxed)
    }

    /// Makes every entry written so far visible and wakes who waits for it.
    pub(crate) fn show(&self) {
        self.hidden.store(false, Ordering::Relaxed);
        let end = self.end();
        self.dispatched.raise_to(end);
    }

    /// Makes every entry written so far durable, and the names of their files.
    ///
    /// # Errors
    /// Final: the entries are unknown for ever.
    pub(crate) async fn sync(&self, disk: &Disk) -> io::Result<()> {
        let (from, to, dirty) = {
            let writer = self.writer();
            (writer.synced, writer.end, writer.dirty)
        };
        if from == to && !dirty {
            return Ok(());
        }
        // To the end of the file: what was cut behind the entries is durably zero, too.
        let to_byte = self.files.find(to).map_or(to * ENTRY_LEN, |segment| segment.end());
        for segment in self.segments().within(from * ENTRY_LEN..to_byte) {
            segment.sync(from * ENTRY_LEN..to_byte).await?;
        }
        if dirty && self.files.first().is_some() {
            disk.sync_dir(self.segments().directory()).await?;
        }
        let mut writer = self.writer();
        writer.synced = to;
        writer.dirty = false;
        Ok(())
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    /// The entries below `end` are written.
    fn moved_to(&mut self, end: u64) {
        self.end = end;
        let is_full = self.segment.as_ref().is_some_and(|file| end * ENTRY_LEN == file.end());
        if is_full {
            self.segment = None;
        }
    }
}
