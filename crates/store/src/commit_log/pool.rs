//! The off-heap pool: appends go to private buffers, and a commit copies them into the segments.
//!
//! Writes and reads meet in the page cache no more: an append touches memory that is there, the
//! commit waits for the kernel, without the append lock. The price: what is not committed dies with
//! the process, although it was acknowledged.
//!
//! *Invariant:* `flushed ≤ committed ≤ appended`. What lies between the last two stands in the
//! buffers and nowhere else; nobody reads it, and nothing is visible before it is committed.

use std::collections::VecDeque;

use runtime::Disk;

use crate::config::StoreConfig;
use crate::layout::BLANK_HEAD_LEN;
use crate::segment_set::Segment;

/// The length of a buffer in bytes, unless a record may be longer or a segment is shorter. In
/// RocketMQ it is that of a segment; but a buffer is empty again after each commit, so it need hold
/// no more than what arrives during one.
const BUFFER_LEN: u64 = 16 << 20;

/// The buffers. Their memory is `buffers × buffer length`, taken when the store opens, with its
/// pages, and pinned; no append takes more.
pub(super) struct Pool {
    /// What was appended and is not being committed, in the order of the log; the last one fills.
    filled: VecDeque<Filled>,
    free: Vec<Vec<u8>>,
    /// How many there are in all.
    count: u64,
    buffer_len: u64,
}

/// A part of the log that stands in a buffer.
pub(super) struct Filled {
    pub(super) segment: Segment,
    /// The offset in the log of its first byte.
    pub(super) start: u64,
    pub(super) bytes: Vec<u8>,
}

impl Pool {
    /// The pool of a store that is configured to have one. Only ASYNC_FLUSH can, as in RocketMQ:
    /// under SYNC_FLUSH the setting says nothing, and the stronger promise holds.
    /// What the system does not let be pinned is used all the same.
    pub(super) fn of(config: &StoreConfig, disk: &Disk) -> Option<Self> {
        let pool = config.pool_in_use()?;
        let buffer_len = BUFFER_LEN.max(config.record_len_bound()).min(config.segment_size);
        let pages = |_| vec![1; (buffer_len + BLANK_HEAD_LEN) as usize];
        let mut free: Vec<Vec<u8>> = (0..pool.buffers).map(pages).collect();
        // As RocketMQ's: an append into a page that was swapped out holds the lock until it is
        // back.
        if let Err(error) = free.iter().try_for_each(|buffer| disk.pin_memory(buffer)) {
            let bytes = pool.buffers * buffer_len;
            tracing::warn!(
                bytes,
                %error,
                "the transient store pool is not pinned; it may be paged out. Raise the limit of \
                 locked memory to more than these bytes (ulimit -l, LimitMEMLOCK of systemd)"
            );
        }
        free.iter_mut().for_each(Vec::clear);
        Some(Self { filled: VecDeque::new(), free, count: pool.buffers, buffer_len })
    }

    /// Whether a record of `len` bytes at `at` of the segment finds a buffer.
    pub(super) fn has_room(&self, segment: &Segment, at: u64, len: u64) -> bool {
        !self.free.is_empty() || self.fits_last(segment, at, len)
    }

    /// Whether a blank at `at` of the segment and a record behind it, in the next, find buffers.
    pub(super) fn has_room_to_roll(&self, segment: &Segment, at: u64) -> bool {
        let blank = usize::from(!self.fits_last(segment, at, 0));
        self.free.len() > blank
    }

    /// Whether records of `len` bytes in all find buffers, the first of them at `at` of the
    /// segment; `rolls`: they may go on in the next one, behind a blank.
    ///
    /// # Errors
    /// They never will, however empty the pool: they are longer than this.
    pub(super) fn has_room_for_batch(
        &self,
        segment: &Segment,
        at: u64,
        len: u64,
        rolls: bool,
    ) -> Result<bool, u64> {
        let here = if self.fits_last(segment, at, len) { 0 } else { self.buffers_for(len) };
        let next = if rolls { self.buffers_for(len) } else { 0 };
        if self.buffers_for(len) * (1 + u64::from(rolls)) > self.count {
            return Err(self.buffer_len);
        }
        Ok(self.free.len() as u64 >= here + next)
    }

    /// So many empty buffers surely take records of `len` bytes in all. One that does not fit into
    /// the rest of a buffer leaves it, so two that follow each other hold more than one is long.
    fn buffers_for(&self, len: u64) -> u64 {
        if len <= self.buffer_len { 1 } else { 2 * len.div_ceil(self.buffer_len) }
    }

    /// Whether `len` bytes at `at` go on where the last buffer ends. A blank's head always does:
    /// no record takes the room for it.
    fn fits_last(&self, segment: &Segment, at: u64, len: u64) -> bool {
        self.filled.back().is_some_and(|last| {
            let used = last.bytes.len() as u64;
            last.segment.base == segment.base
                && last.start + used == at
                && used + len <= self.buffer_len
        })
    }

    /// Copies the parts, which stand at `at` of the segment from now on.
    ///
    /// # Panics
    /// When there was no room, which the caller has asked for.
    pub(super) fn put(&mut self, segment: &Segment, at: u64, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let len = if len as u64 <= BLANK_HEAD_LEN { 0 } else { len as u64 };
        if !self.fits_last(segment, at, len) {
            let bytes = self.free.pop().expect("the append has asked for room");
            self.filled.push_back(Filled { segment: segment.clone(), start: at, bytes });
        }
        if let Some(last) = self.filled.back_mut() {
            parts.iter().for_each(|part| last.bytes.extend_from_slice(part));
        }
    }

    /// Takes what is to be committed, in the order of the log.
    pub(super) fn take_filled(&mut self) -> VecDeque<Filled> {
        std::mem::take(&mut self.filled)
    }

    /// Takes a buffer back whose bytes are committed.
    pub(super) fn give_back(&mut self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.free.push(bytes);
    }
}
