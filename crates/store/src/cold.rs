//! Reading what is not in memory, so that nobody who writes has to wait for it.
//!
//! Whoever touches a page of a mapping that the kernel does not hold stands still until the device
//! has brought it, with all tasks of its thread. So a reader asks first, and has the bytes loaded
//! off its thread: in steps that grow while it goes on in order, a few at a time, and no faster
//! than the budget. What such a reader has left behind goes out of memory again, before the kernel
//! looks for room among the pages of the writers.
//!
//! *Invariant:* bytes that are in memory are read without waiting for anybody here.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use runtime::{Clock, Monotonic};
use tokio::sync::{Notify, Semaphore};

use crate::config::StoreConfig;
use crate::segment_set::{Segment, SegmentSet};

/// What this process appended last, in bytes of the log, is in memory: nobody asks the kernel.
const RECENT_MAX: u64 = 64 << 20;
/// How many bytes the kernel is asked about at once, and the first step of a cold reader.
pub(crate) const STEP_MIN: u64 = 256 << 10;
/// The longest step of a cold reader, in bytes.
const STEP_MAX: u64 = 4 << 20;
/// How many bytes stay in memory behind a cold reader, for others that read the same.
const KEPT_BEHIND_MAX: u64 = 64 << 20;
/// How many readers are remembered; the one that was not seen for the longest is forgotten first.
const READERS_MAX: usize = 64;

/// The cold reads of one log.
pub(crate) struct ColdReads {
    clock: Clock,
    /// Where the log ended when it was opened: what lies behind was written by this process.
    opened_at: u64,
    /// As many loads as may be under way.
    permits: Semaphore,
    /// Zero: as fast as the device.
    bytes_per_s_max: u64,
    budget: Mutex<Budget>,
    /// What is being loaded, or waits for its turn.
    loading: Mutex<Vec<Range<u64>>>,
    /// Wakes who waits for the load of another.
    finished: Notify,
    readers: Mutex<VecDeque<Reader>>,
}

/// When the budget is paid off.
#[derive(Default)]
struct Budget {
    free_at: Monotonic,
}

/// A load under way. It ends also when its reader goes away.
struct Claim<'a> {
    reads: &'a ColdReads,
    range: Range<u64>,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut loading = self.reads.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = loading.iter().position(|range| *range == self.range) {
            loading.swap_remove(at);
        }
        drop(loading);
        self.reads.finished.notify_waiters();
    }
}

/// Somebody who reads what is cold, in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reader {
    /// Everything below was loaded for it; where it goes on.
    at: u64,
    /// The length of its last load.
    step: u64,
    /// Everything below was released, or is none of its business.
    released: u64,
}

impl ColdReads {
    pub(crate) fn new(clock: Clock, config: &StoreConfig, opened_at: u64) -> Self {
        Self {
            clock,
            opened_at,
            permits: Semaphore::new(config.cold_reads_max.max(1)),
            bytes_per_s_max: config.cold_read_bytes_per_s_max,
            budget: Mutex::default(),
            loading: Mutex::default(),
            finished: Notify::new(),
            readers: Mutex::default(),
        }
    }

    /// Everything from here on to the end of the log, which is `end`, is surely in memory.
    pub(crate) fn recent_from(&self, end: u64) -> u64 {
        self.opened_at.max(end.saturating_sub(RECENT_MAX))
    }

    /// Loads `needed`, and ahead of it what the reader will ask for next; `end` is the end of the
    /// log. Waits for its turn and for the budget.
    pub(crate) async fn load(
        &self,
        segments: &SegmentSet,
        segment: &Segment,
        needed: Range<u64>,
        end: u64,
    ) {
        let ahead_max = segment.end().min(end).max(needed.end);
        let (claim, release) = loop {
            let finished = self.finished.notified();
            if segment.is_loaded(needed.clone()) {
                return;
            }
            match self.claim(&needed, ahead_max) {
                Some(claimed) => break claimed,
                None => finished.await,
            }
        };
        // It is never closed; and without a permit a read is slow but not wrong.
        let _permit = self.permits.acquire().await;
        self.pay(claim.range.end - claim.range.start).await;
        segment.load(claim.range.clone()).await;
        drop(claim);
        for segment in segments.within(release.clone()) {
            segment.release(release.clone());
        }
    }

    /// What to load, unless somebody loads it already.
    fn claim(&self, needed: &Range<u64>, ahead_max: u64) -> Option<(Claim<'_>, Range<u64>)> {
        let mut loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if loading.iter().any(|range| range.contains(&needed.start)) {
            return None;
        }
        let (range, release) = self.step(needed, ahead_max);
        loading.push(range.clone());
        Some((Claim { reads: self, range }, release))
    }

    /// What to load for a reader, and what it left behind for good.
    fn step(&self, needed: &Range<u64>, ahead_max: u64) -> (Range<u64>, Range<u64>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = readers.iter().position(|reader| reader.is_asking(needed));
        let mut reader = match known.and_then(|at| readers.remove(at)) {
            Some(reader) => Reader { step: (reader.step * 2).min(STEP_MAX), ..reader },
            None => Reader { at: 0, step: STEP_MIN, released: needed.start },
        };
        reader.at = (needed.start + reader.step).min(ahead_max).max(needed.end);
        let behind = reader.released..reader.at.saturating_sub(KEPT_BEHIND_MAX);
        let is_followed = readers.iter().any(|other| behind.contains(&other.at));
        let release = if behind.is_empty() || is_followed { 0..0 } else { behind };
        reader.released = reader.released.max(release.end);
        let load = needed.start..reader.at;
        if readers.len() == READERS_MAX {
            readers.pop_front();
        }
        readers.push_back(reader);
        (load, release)
    }

    /// Waits until the budget has room for so many bytes.
    async fn pay(&self, bytes: u64) {
        if self.bytes_per_s_max == 0 {
            return;
        }
        let price = Duration::from_micros(bytes.saturating_mul(1_000_000) / self.bytes_per_s_max);
        let turn = {
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = budget.free_at.max(self.clock.monotonic());
            budget.free_at = turn + price;
            turn
        };
        self.clock.sleep_until(turn).await;
    }
}

impl Reader {
    /// Whether it goes on there: not before its last load, and not much behind it.
    fn is_asking(&self, needed: &Range<u64>) -> bool {
        let expected = self.at.saturating_sub(self.step)..=self.at + self.step;
        expected.contains(&needed.start)
    }
}
