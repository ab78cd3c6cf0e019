//! The segments of one log in one directory, by the offset of their first byte.
//!
//! The CommitLog is such a set. A segment's end is its base and the length its file has, so a store
//! whose configured sizes changed still reads.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use runtime::{Disk, EntryKind, SegmentFile};

use crate::layout::{join, segment_base, segment_name};

/// One segment of a log.
#[derive(Clone)]
pub(crate) struct Segment {
    /// The offset of its first byte in the log.
    pub(crate) base: u64,
    /// Its bytes.
    pub(crate) file: SegmentFile,
}

impl Segment {
    /// The offset behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.file.len()
    }

    /// The bytes of the log in `range`, which lies in this segment.
    pub(crate) fn slice(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.file.slice(range.start - self.base, range.end - range.start)
    }

    /// Writes the parts at an offset of the log that lies in this segment.
    pub(crate) fn write(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.file.write_at(offset - self.base, parts)
    }

    /// Syncs the part of `range` that lies in this segment.
    pub(crate) async fn sync(&self, range: Range<u64>) -> io::Result<()> {
        let (from, to) = (range.start.max(self.base), range.end.min(self.end()));
        if from >= to {
            return Ok(());
        }
        self.file.sync(from - self.base..to - self.base).await
    }

    /// Makes the pages of `range`, which lies in this segment, be there. A hint.
    pub(crate) async fn populate(&self, range: Range<u64>) {
        self.file.populate(range.start - self.base..range.end - self.base).await;
    }

    /// Reads the part of `range` that lies in this segment into memory.
    pub(crate) async fn load(&self, range: Range<u64>) {
        self.file.load(self.own(range)).await;
    }

    /// Whether the part of `range` that lies in this segment is in memory.
    pub(crate) fn is_loaded(&self, range: Range<u64>) -> bool {
        self.file.is_loaded(self.own(range))
    }

    /// The part of `range` that lies in this segment will not be read again soon.
    pub(crate) fn release(&self, range: Range<u64>) {
        self.file.release(self.own(range));
    }

    /// The part of `range` that lies in this segment, in bytes of its file.
    fn own(&self, range: Range<u64>) -> Range<u64> {
        let (from, to) = (range.start.max(self.base), range.end.min(self.end()));
        from - self.base..to.max(from) - self.base
    }

    /// Makes `range` zero: up to `surely_to` by writing, behind it only where it is not. Says
    /// whether it wrote.
    pub(crate) fn zero(&self, range: Range<u64>, surely_to: u64) -> io::Result<bool> {
        static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
        let (mut from, mut wrote) = (range.start, false);
        while from < range.end {
            let to = range.end.min(from + ZEROS.len() as u64);
            let zeros = &ZEROS[..(to - from) as usize];
            if from < surely_to || self.slice(from..to)? != zeros {
                self.write(from, &[zeros])?;
                wrote = true;
            }
            from = to;
        }
        Ok(wrote)
    }
}

/// The segments of one log.
pub(crate) struct SegmentSet {
    directory: String,
    segments: RwLock<BTreeMap<u64, SegmentFile>>,
}

impl SegmentSet {
    /// A set without segments, whose directory need not exist yet.
    pub(crate) fn new(directory: String) -> Self {
        Self { directory, segments: RwLock::default() }
    }

    /// Opens every segment in `directory`. An empty file is the rest of a creation that a crash
    /// cut short: it is removed. Names that are no segment's are left alone.
    pub(crate) async fn open(disk: &Disk, directory: String) -> io::Result<Self> {
        let set = Self::new(directory);
        for entry in disk.list(&set.directory).await? {
            let Some(base) = segment_base(&entry.name).filter(|_| entry.kind == EntryKind::File)
            else {
                tracing::warn!(directory = set.directory, name = entry.name, "no segment; ignored");
                continue;
            };
            let path = join(&set.directory, &entry.name);
            if entry.len == 0 {
                disk.remove_file(&path).await?;
                continue;
            }
            let file = disk.open_segment(&path).await?;
            set.write().insert(base, file);
        }
        Ok(set)
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> &str {
        &self.directory
    }

    /// The segment that holds the byte at `offset`.
    pub(crate) fn find(&self, offset: u64) -> Option<Segment> {
        let segments = self.read();
        let (base, file) = segments.range(..=offset).next_back()?;
        let segment = Segment { base: *base, file: file.clone() };
        (offset < segment.end()).then_some(segment)
    }

    /// The oldest segment.
    pub(crate) fn first(&self) -> Option<Segment> {
        self.read().first_key_value().map(|(base, file)| segment(*base, file))
    }

    /// The newest segment.
    pub(crate) fn last(&self) -> Option<Segment> {
        self.read().last_key_value().map(|(base, file)| segment(*base, file))
    }

    /// All of them, oldest first.
    pub(crate) fn all(&self) -> Vec<Segment> {
        self.read().iter().map(|(base, file)| segment(*base, file)).collect()
    }

    /// Those that hold a part of `range`, oldest first.
    pub(crate) fn within(&self, range: Range<u64>) -> Vec<Segment> {
        let mut segments = self.all();
        segments.retain(|segment| segment.base < range.end && range.start < segment.end());
        segments
    }

    /// Creates a segment and adds it once its length and its name are durable, so that nothing is
    /// ever written into a segment that a power failure takes back.
    pub(crate) async fn create_durably(
        &self,
        disk: &Disk,
        base: u64,
        len: u64,
    ) -> Result<Segment, CreateError> {
        let path = join(&self.directory, &segment_name(base));
        let file = disk.create_segment(&path, len).await.map_err(CreateError::Create)?;
        file.sync(0..len).await.map_err(CreateError::Sync)?;
        disk.sync_dir(&self.directory).await.map_err(CreateError::Sync)?;
        self.write().insert(base, file.clone());
        Ok(Segment { base, file })
    }

    /// Removes the segments from `base` on, newest first and each durably before the next: a crash
    /// in between leaves no hole in the chain.
    pub(crate) async fn remove_from(&self, disk: &Disk, base: u64) -> io::Result<()> {
        while let Some(last) = self.last().filter(|last| last.base >= base) {
            disk.remove_file(&join(&self.directory, &segment_name(last.base))).await?;
            disk.sync_dir(&self.directory).await?;
            self.write().remove(&last.base);
        }
        Ok(())
    }

    /// Removes the segments that end at `below` or before, oldest first and each durably before the
    /// next, never the last one. Gives how many. Each leaves the set before its name goes, so that
    /// the first offset has risen when a reader can miss the file; whoever holds a slice keeps it.
    /// The first that cannot be removed ends it: a log has no holes.
    ///
    /// # Errors
    /// What the disk says; a segment that could not be removed is in the set as before.
    pub(crate) async fn remove_front(&self, disk: &Disk, below: u64) -> Result<u64, RemoveError> {
        let mut removed = 0;
        while let Some(first) = self.take_front(below) {
            let gone = disk.remove_file(&join(&self.directory, &segment_name(first.base))).await;
            if let Err(error) = gone {
                self.write().insert(first.base, first.file);
                return Err(RemoveError::Remove(error));
            }
            disk.sync_dir(&self.directory).await.map_err(RemoveError::Sync)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// Takes the oldest segment out if it ends at `below` or before and is not the last.
    fn take_front(&self, below: u64) -> Option<Segment> {
        let mut segments = self.write();
        let (base, file) = segments.first_key_value()?;
        let first = segment(*base, file);
        if segments.len() < 2 || first.end() > below {
            return None;
        }
        segments.remove(&first.base);
        Some(first)
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<u64, SegmentFile>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, SegmentFile>> {
        self.segments.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn segment(base: u64, file: &SegmentFile) -> Segment {
    Segment { base, file: file.clone() }
}

/// Why there is no new segment.
#[derive(Debug)]
pub(crate) enum CreateError {
    /// It could not be created: worth another try.
    Create(io::Error),
    /// Its name could not be made durable: final.
    Sync(io::Error),
}

/// Why a segment was not removed.
#[derive(Debug)]
pub(crate) enum RemoveError {
    /// It could not be removed: worth another try.
    Remove(io::Error),
    /// The removal could not be made durable: final.
    Sync(io::Error),
}

impl From<CreateError> for io::Error {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Create(error) | CreateError::Sync(error) => error,
        }
    }
}
