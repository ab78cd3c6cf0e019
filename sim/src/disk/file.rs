//! One file: what the page cache shows, and what the device holds.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::Rng;

use super::page::{PAGE, Pages, SECTOR};

/// A file apart from its names. It lives as long as a name or a handle holds it.
pub(crate) struct Inode {
    /// Its number on the node's disk, never given twice.
    pub(crate) id: u64,
    content: Mutex<Content>,
    /// What all files of the disk take, in bytes.
    used: Arc<AtomicU64>,
    charged: AtomicU64,
    /// How many segments of it are open.
    open: AtomicU64,
}

impl Inode {
    pub(crate) fn new(id: u64, used: Arc<AtomicU64>) -> Self {
        Self {
            id,
            content: Mutex::default(),
            used,
            charged: AtomicU64::new(0),
            open: AtomicU64::new(0),
        }
    }

    pub(crate) fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment of it was opened.
    pub(crate) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A segment of it was closed. The kernel may forget what nobody has open, and with it that
    /// its writeback failed: here it always does.
    pub(crate) fn closed(&self) {
        if self.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.content().tell_failure();
        }
    }

    /// Lets the file take `len` bytes of the disk from now on.
    pub(crate) fn charge(&self, len: u64) {
        let before = self.charged.swap(len, Ordering::Relaxed);
        self.used.fetch_add(len, Ordering::Relaxed);
        self.used.fetch_sub(before, Ordering::Relaxed);
    }
}

impl Drop for Inode {
    fn drop(&mut self) {
        self.charge(0);
    }
}

/// How a power failure treats what was not synced.
#[derive(Clone, Copy)]
pub(crate) struct Survival {
    /// The chance that a dirty page, a length or a name is lost.
    pub(crate) lost: f64,
    /// The chance that a dirty page that is not lost is torn.
    pub(crate) torn: f64,
}

/// What a power failure did to the pages that were not synced.
#[derive(Clone, Copy, Default)]
pub(crate) struct Toll {
    pub(crate) kept: u64,
    pub(crate) lost: u64,
    pub(crate) torn: u64,
}

/// The bytes of a file, twice.
#[derive(Clone, Default)]
pub(crate) struct Content {
    /// What the process sees.
    cache: Pages,
    /// What the device holds.
    durable: Pages,
    /// The pages of the cache that the kernel knows to differ from the device. After a failed sync
    /// a page may differ without standing here: it is lost, and nobody will say so again.
    dirty: BTreeSet<u64>,
    /// The file was cut to nothing and the device does not know yet.
    truncated: bool,
    /// The kernel's own writeback failed, and no sync has said so yet.
    failed_unseen: bool,
    /// Pages that the device cannot read.
    bad: BTreeSet<u64>,
    /// Only pages that were written take room.
    sparse: bool,
    /// Pages that somebody let go of and nobody has touched since. They still show the cache's
    /// bytes: what a clean page of the device is.
    cold: BTreeSet<u64>,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.cache.len()
    }

    /// Makes it `len` zero bytes, in the cache.
    pub(crate) fn allocate(&mut self, len: u64) {
        self.cache = Pages::zeros(len);
    }

    /// The clean pages of the range go out of memory.
    pub(crate) fn release(&mut self, range: Range<u64>) {
        let pages = range.start.div_ceil(PAGE)..range.end / PAGE;
        self.cold.extend(pages.filter(|page| !self.dirty.contains(page)));
    }

    /// The pages of the range come into memory.
    pub(crate) fn load(&mut self, range: &Range<u64>) {
        for page in range.start / PAGE..range.end.div_ceil(PAGE) {
            self.cold.remove(&page);
        }
    }

    /// Whether all pages of the range are in memory.
    pub(crate) fn is_loaded(&self, range: &Range<u64>) -> bool {
        let pages = range.start / PAGE..range.end.div_ceil(PAGE);
        self.cold.is_empty() || self.cold.range(pages).next().is_none()
    }

    /// Whether its blocks come with the first write.
    pub(crate) fn is_sparse(&self) -> bool {
        self.sparse
    }

    pub(crate) fn set_sparse(&mut self, sparse: bool) {
        self.sparse = sparse;
    }

    /// The room it takes on the disk, in bytes.
    pub(crate) fn takes(&self) -> u64 {
        if self.sparse { self.cache.written() * PAGE } else { self.len() }
    }

    /// The offset behind the last page that was ever written.
    pub(crate) fn data_end(&self) -> u64 {
        self.cache.written_end().min(self.len())
    }

    pub(crate) fn read(&self, offset: u64, len: u64) -> Vec<u8> {
        self.cache.read(offset, len)
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        self.cache.write(offset, bytes);
        self.load(&(offset..offset + bytes.len() as u64));
        self.dirty.extend(Pages::touched(offset, bytes.len() as u64));
    }

    /// Cuts the file to nothing, in the cache.
    pub(crate) fn truncate(&mut self) {
        self.cache.resize(0);
        self.dirty.clear();
        self.truncated = true;
    }

    /// Cuts the file and writes it anew.
    pub(crate) fn rewrite(&mut self, bytes: &[u8]) {
        self.truncate();
        self.cache.resize(bytes.len() as u64);
        self.write(0, bytes);
    }

    /// The dirty pages in a range of bytes.
    pub(crate) fn dirty_in(&self, range: &Range<u64>) -> Vec<u64> {
        let pages = range.start / PAGE..range.end.div_ceil(PAGE);
        self.dirty.range(pages).copied().collect()
    }

    pub(crate) fn dirty(&self) -> impl Iterator<Item = u64> + '_ {
        self.dirty.iter().copied()
    }

    /// The device takes the page as the cache shows it now, if it is still dirty.
    pub(crate) fn flush(&mut self, page: u64) {
        if self.dirty.remove(&page) {
            self.commit_truncation();
            self.durable.copy_page(page, &self.cache);
            self.bad.remove(&page);
        }
    }

    /// The device puts the page over another one.
    pub(crate) fn misdirect(&mut self, page: u64, onto: u64) {
        if self.dirty.remove(&page) {
            self.commit_truncation();
            self.durable.misplace_page(page, &self.cache, onto);
        }
    }

    /// The page drops out of the cache, and the next look at it sees the device.
    pub(crate) fn reload(&mut self, page: u64) {
        if !self.truncated && self.durable.len() == self.cache.len() && !self.dirty.contains(&page)
        {
            self.cache.copy_page(page, &self.durable);
        }
    }

    /// The pages that the device holds and the cache does not know better.
    pub(crate) fn clean_pages(&self) -> Vec<u64> {
        if self.truncated {
            return Vec::new();
        }
        self.durable.numbers().filter(|page| !self.dirty.contains(page)).collect()
    }

    /// The kernel's own writeback of some pages failed. The next sync will say so, once.
    pub(crate) fn fail_unseen(&mut self) {
        self.failed_unseen = true;
    }

    /// Whether there is a failure to tell; it is told once.
    pub(crate) fn tell_failure(&mut self) -> bool {
        std::mem::take(&mut self.failed_unseen)
    }

    /// The device cannot read the page at `offset` any more.
    pub(crate) fn spoil(&mut self, offset: u64) {
        self.bad.insert(offset / PAGE);
    }

    /// The device can read every page again.
    pub(crate) fn mend(&mut self) {
        self.bad.clear();
    }

    /// Whether the device can read all of a range.
    pub(crate) fn is_readable(&self, offset: u64, len: u64) -> bool {
        self.bad.is_empty() || self.bad.range(Pages::touched(offset, len)).next().is_none()
    }

    /// The kernel takes the page for clean although the device never got it.
    pub(crate) fn forget(&mut self, page: u64) {
        self.dirty.remove(&page);
    }

    /// The device takes the file's length.
    pub(crate) fn flush_len(&mut self) {
        self.commit_truncation();
        self.durable.resize(self.cache.len());
    }

    /// The power goes: the device keeps what it holds and a part of what was under way.
    pub(crate) fn power_fail(&mut self, rng: &Rng, survival: Survival) -> Toll {
        let mut toll = Toll::default();
        if self.truncated && rng.chance(survival.lost) {
            // Not even the cut reached the device: the old content stands.
            self.truncated = false;
            self.dirty.clear();
        }
        self.commit_truncation();
        if self.durable.len() != self.cache.len() && !rng.chance(survival.lost) {
            self.durable.resize(self.cache.len());
        }
        for page in std::mem::take(&mut self.dirty) {
            self.survive(page, rng, survival, &mut toll);
        }
        self.durable.trim();
        self.failed_unseen = false;
        self.cache = self.durable.clone();
        toll
    }

    /// One dirty page: lost, kept, or torn between sectors.
    fn survive(&mut self, page: u64, rng: &Rng, survival: Survival, toll: &mut Toll) {
        if rng.chance(survival.lost) {
            toll.lost += 1;
            return;
        }
        if !rng.chance(survival.torn) {
            toll.kept += 1;
            self.durable.copy_page(page, &self.cache);
            return;
        }
        toll.torn += 1;
        for sector in page * PAGE / SECTOR..(page + 1) * PAGE / SECTOR {
            if rng.chance(0.5) {
                self.durable.copy_sector(sector, &self.cache);
            }
        }
    }

    /// One bit of the device turns over; the cache shows it unless it holds a newer page.
    pub(crate) fn rot(&mut self, offset: u64, bit: u8) {
        if offset < self.durable.len() {
            self.durable.flip(offset, bit);
            if !self.dirty.contains(&(offset / PAGE)) {
                self.cache.copy_page(offset / PAGE, &self.durable);
            }
        }
    }

    /// The pages drop out of the cache where the kernel takes them for clean; what the device does
    /// not hold is gone then.
    pub(crate) fn evict(&mut self) {
        if self.truncated || self.durable.len() != self.cache.len() {
            return;
        }
        let mut evicted = self.durable.clone();
        for &page in &self.dirty {
            evicted.copy_page(page, &self.cache);
        }
        self.cache = evicted;
    }

    pub(crate) fn is_dirty(&self, page: u64) -> bool {
        self.dirty.contains(&page)
    }

    /// What the device would hold if it took these pages, and the length, from `shown`, an earlier
    /// or the same state of the file.
    pub(crate) fn with_pages_of(&self, shown: &Content, pages: impl Iterator<Item = u64>) -> Pages {
        if self.truncated {
            // The cut and what came with it are one step of a small file: all or nothing.
            return if shown.truncated { shown.cache.clone() } else { self.durable.clone() };
        }
        let mut device = self.durable.clone();
        if device.len() != self.cache.len() {
            device.resize(shown.cache.len());
        }
        pages.for_each(|page| device.copy_page(page, &shown.cache));
        device.trim();
        device
    }

    /// Takes these bytes in place of all there are, durably.
    pub(crate) fn lay(&mut self, pages: Pages, sparse: bool) {
        *self = Self { cache: pages.clone(), durable: pages, sparse, ..Self::default() };
    }

    pub(crate) fn cache(&self) -> &Pages {
        &self.cache
    }

    pub(crate) fn durable(&self) -> &Pages {
        &self.durable
    }

    fn commit_truncation(&mut self) {
        if std::mem::take(&mut self.truncated) {
            self.durable = Pages::default();
        }
    }
}
