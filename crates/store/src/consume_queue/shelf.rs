//! The open files of all queues: so many at once, the one not used for longest is closed first.
//!
//! Closing costs nothing, except that a kernel may forget the failed writeback of a file that
//! nobody has open. So the shelf remembers that a file was closed with bytes that no sync has
//! confirmed yet; the next sync is one of the whole file system then, which never forgets.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::{Disk, SegmentFile};

/// A file: the number of its queue in this process, and its first byte.
pub(super) type Key = (u32, u64);

/// The open files of all queues.
pub(super) struct Shelf {
    disk: Disk,
    files_open_max: usize,
    queues: AtomicU32,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    files: BTreeMap<Key, Slot>,
    /// The same files by their last use.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    /// Whether a file was closed with bytes that no sync has confirmed.
    closed_dirty: bool,
}

struct Slot {
    file: SegmentFile,
    used: u64,
    /// Whether it has bytes that no sync has confirmed.
    dirty: bool,
}

impl Shelf {
    pub(super) fn new(disk: Disk, files_open_max: u64) -> Self {
        let files_open_max = usize::try_from(files_open_max).unwrap_or(usize::MAX).max(1);
        Self { disk, files_open_max, queues: AtomicU32::new(0), open: Mutex::default() }
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// A number for a queue, for its keys.
    pub(super) fn number(&self) -> u32 {
        self.queues.fetch_add(1, Ordering::Relaxed)
    }

    /// The file, if it is open.
    pub(super) fn find(&self, key: Key) -> Option<SegmentFile> {
        self.open().touch(key)
    }

    /// The file, opened if it is not.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) async fn open_file(&self, key: Key, path: &str) -> io::Result<SegmentFile> {
        let file = self.disk.open_sparse(path).await?;
        Ok(self.put(key, file))
    }

    /// Takes in an open file. When another task was faster, its file counts.
    pub(super) fn put(&self, key: Key, file: SegmentFile) -> SegmentFile {
        let mut open = self.open();
        if let Some(there) = open.touch(key) {
            return there;
        }
        while open.files.len() >= self.files_open_max {
            open.close_oldest();
        }
        open.insert(key, file.clone());
        file
    }

    /// Notes that a file was written to; the caller still holds it, so that it is open.
    pub(super) fn wrote(&self, key: Key) {
        let mut open = self.open();
        match open.files.get_mut(&key) {
            Some(slot) => slot.dirty = true,
            // It left the shelf while it was written to.
            None => open.closed_dirty = true,
        }
    }

    /// Says that a sync of this file begins, which the caller holds.
    pub(super) fn syncing(&self, key: Key) {
        if let Some(slot) = self.open().files.get_mut(&key) {
            slot.dirty = false;
        }
    }

    /// Says that a sync of everything begins.
    pub(super) fn syncing_all(&self) {
        let mut open = self.open();
        open.files.values_mut().for_each(|slot| slot.dirty = false);
        open.closed_dirty = false;
    }

    /// Whether only a sync of everything can confirm what was written.
    pub(super) fn has_closed_dirty(&self) -> bool {
        self.open().closed_dirty
    }

    /// Closes a file that will be removed.
    pub(super) fn forget(&self, key: Key) {
        let mut open = self.open();
        if let Some(slot) = open.files.remove(&key) {
            open.by_use.remove(&slot.used);
        }
    }

    /// How many files are open.
    pub(super) fn len(&self) -> usize {
        self.open().files.len()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn touch(&mut self, key: Key) -> Option<SegmentFile> {
        let slot = self.files.get_mut(&key)?;
        // The one used last stays so: a busy queue pays for one look-up.
        if slot.used != self.uses {
            self.by_use.remove(&slot.used);
            self.uses += 1;
            slot.used = self.uses;
            self.by_use.insert(self.uses, key);
        }
        Some(slot.file.clone())
    }

    fn insert(&mut self, key: Key, file: SegmentFile) {
        self.uses += 1;
        self.by_use.insert(self.uses, key);
        self.files.insert(key, Slot { file, used: self.uses, dirty: false });
    }

    fn close_oldest(&mut self) {
        let Some((_, key)) = self.by_use.pop_first() else { return };
        let slot = self.files.remove(&key);
        self.closed_dirty |= slot.is_some_and(|slot| slot.dirty);
    }
}
