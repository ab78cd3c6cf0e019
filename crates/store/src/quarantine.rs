//! Ranges of the log that were durable and do not read as records any more: bit rot, a lost
//! segment. They are reported, skipped and kept as they are; never cut away.
//!
//! *Invariant:* a range starts where a record should and ends where one does (or at a segment's
//! start), so that whoever walks along the log can step over it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use runtime::sync::Watermark;
use runtime::{Clock, Disk};
use serde::{Deserialize, Serialize};

use crate::consume_queue::Queue;

/// Entries that lead astray are remembered, and so not looked into again: so many at the most.
const STRAYS_MAX: usize = 4096;

/// A range of the log that holds no readable record though it once did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quarantined {
    /// Where the first unreadable record starts.
    pub from: u64,
    /// Where the log goes on.
    pub to: u64,
    /// What stands there instead of a record.
    pub cause: String,
    /// When it was found, in ms.
    pub found_at_ms: u64,
}

/// The file: `{"ranges":[…]}`.
#[derive(Default, Serialize, Deserialize)]
struct Page {
    ranges: Vec<Quarantined>,
}

/// All such ranges of one store.
pub(crate) struct Quarantine {
    clock: Clock,
    path: String,
    ranges: RwLock<BTreeMap<u64, Quarantined>>,
    /// Whether there is any, or a stray entry: what every read asks first.
    is_used: AtomicBool,
    /// How many times a range was added, and how many of them the file holds.
    changes: Watermark,
    written: AtomicU64,
    /// Entries of queues that lead astray: topic, queue, place.
    strays: RwLock<BTreeSet<(String, u32, u64)>>,
    /// How many messages were passed over because nothing can be read where they stood.
    skipped: AtomicU64,
}

impl Quarantine {
    /// What the file holds; nothing when there is none or when it cannot be understood: what is
    /// damaged is found again by whoever meets it.
    pub(crate) async fn open(disk: &Disk, clock: Clock, path: String) -> io::Result<Self> {
        let page: Page = match disk.read(&path).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::error!(path, %error, "the list of damaged ranges cannot be read; anew");
                Page::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Page::default(),
            Err(error) => return Err(error),
        };
        let ranges = page.ranges.into_iter().filter(|range| range.from < range.to);
        let ranges: BTreeMap<_, _> = ranges.map(|range| (range.from, range)).collect();
        Ok(Self {
            clock,
            path,
            is_used: AtomicBool::new(!ranges.is_empty()),
            ranges: RwLock::new(ranges),
            changes: Watermark::default(),
            written: AtomicU64::new(0),
            strays: RwLock::default(),
            skipped: AtomicU64::new(0),
        })
    }

    /// Where the log goes on, when `offset` lies in a range.
    pub(crate) fn end_of(&self, offset: u64) -> Option<u64> {
        if !self.is_used.load(Ordering::Acquire) {
            return None;
        }
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        let (_, range) = ranges.range(..=offset).next_back()?;
        (offset < range.to).then_some(range.to)
    }

    /// What stands at `offset` instead of a record, when it lies in a range.
    pub(crate) fn cause_at(&self, offset: u64) -> Option<String> {
        self.end_of(offset)?;
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        ranges.range(..=offset).next_back().map(|(_, range)| range.cause.clone())
    }

    /// Whether the entry at `place` is known to lead astray.
    pub(crate) fn is_stray(&self, queue: &Queue, place: u64) -> bool {
        if !self.is_used.load(Ordering::Acquire) {
            return false;
        }
        let key = (queue.topic().to_owned(), queue.queue_id(), place);
        self.strays.read().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Notes that the durable entry at `place` does not lead to its message, and says so once.
    pub(crate) fn note_stray(&self, queue: &Queue, place: u64, cause: &str) {
        let (topic, queue_id) = (queue.topic(), queue.queue_id());
        tracing::error!(
            topic,
            queue_id,
            place,
            cause,
            "an entry of a ConsumeQueue is damaged; its message is skipped. Stop the broker, \
             remove the queue's directory and start again: it is filled from the CommitLog"
        );
        let mut strays = self.strays.write().unwrap_or_else(PoisonError::into_inner);
        if strays.len() >= STRAYS_MAX {
            strays.pop_first();
        }
        strays.insert((topic.to_owned(), queue_id, place));
        drop(strays);
        self.is_used.store(true, Ordering::Release);
    }

    /// Adds a range and says so. It reaches the file with [`Quarantine::write`].
    pub(crate) fn add(&self, from: u64, to: u64, cause: &str) {
        tracing::error!(
            from,
            to,
            cause,
            "a range of the CommitLog is damaged; it is skipped and kept. Restore the segment from \
             a copy, or let its messages be sent again"
        );
        let range = Quarantined { from, to, cause: cause.into(), found_at_ms: self.clock.now_ms() };
        let mut ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        ranges.insert(from, range);
        drop(ranges);
        self.is_used.store(true, Ordering::Release);
        self.changes.raise_to(self.changes.reached() + 1);
    }

    /// Forgets what lies outside the log: cleaned away in front, cut off behind.
    pub(crate) fn keep_within(&self, log: std::ops::Range<u64>) {
        let mut ranges = self.ranges.write().unwrap_or_else(PoisonError::into_inner);
        ranges.retain(|_, range| range.from < log.end && log.start < range.to);
        let has_strays = !self.strays.read().unwrap_or_else(PoisonError::into_inner).is_empty();
        self.is_used.store(has_strays || !ranges.is_empty(), Ordering::Release);
    }

    /// So many messages were passed over.
    pub(crate) fn note_skipped(&self, count: u64) {
        self.skipped.fetch_add(count, Ordering::Relaxed);
    }

    /// How many messages were passed over since the store opened.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// All ranges, in the order of the log.
    pub(crate) fn all(&self) -> Vec<Quarantined> {
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        ranges.values().cloned().collect()
    }

    /// Writes the file, when it lacks something. Before any checkpoint that vouches for more.
    ///
    /// # Errors
    /// What the disk says; the old file stands.
    pub(crate) async fn write(&self, disk: &Disk) -> io::Result<()> {
        let changes = self.changes.reached();
        if self.written.load(Ordering::Acquire) == changes {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(&Page { ranges: self.all() });
        disk.replace(&self.path, &json.map_err(io::Error::other)?).await?;
        self.written.store(changes, Ordering::Release);
        Ok(())
    }
}
