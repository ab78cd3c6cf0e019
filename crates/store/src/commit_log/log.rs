//! The log's state: its segments, its tail, and the watermarks every promise is made of.
//!
//! *Invariant:* `flushed ≤ committed ≤ appended`, and all are always the end of a record (or 0, or
//! the start of a segment). Whatever lies below `appended` is never written again.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::sync::{Closed, Watermark};
use runtime::{Clock, Disk};

use super::pool::Pool;
use super::settle::Unsettled;
use crate::cold::ColdReads;
use crate::config::{FlushMode, StoreConfig};
use crate::disk_guard::Guard;
use crate::flow::Since;
use crate::quarantine::Quarantine;
use crate::segment_set::{RemoveError, Segment, SegmentSet};

/// The CommitLog of one open store.
pub(crate) struct CommitLog {
    pub(super) disk: Disk,
    pub(super) clock: Clock,
    pub(super) config: Arc<StoreConfig>,
    pub(super) segments: SegmentSet,
    /// The append lock and what it guards.
    pub(super) tail: Mutex<Tail>,
    /// The end of what was appended.
    pub(super) appended: Watermark,
    /// The end of what stands in the segments: `appended` itself, unless there is a pool.
    pub(super) committed: Watermark,
    /// The end of what survives power loss.
    pub(super) flushed: Watermark,
    /// What recovery left to be made durable.
    pub(super) unsettled: Option<Unsettled>,
    quarantine: Quarantine,
    /// Held by who looks for what is damaged: one at a time.
    pub(super) examining: tokio::sync::Mutex<()>,
    /// How many attempts to prepare a segment have ended, well or badly.
    pub(super) preparations: Watermark,
    /// Why the last attempt ended badly.
    pub(super) preparation_failure: Mutex<Option<String>>,
    /// Reads of what is not in memory.
    cold: ColdReads,
    /// Since when the append lock is held.
    pub(super) lock_held: Since,
    /// Since when a sync lasts.
    pub(super) syncing: Since,
    /// The first offset that is still stored.
    min: AtomicU64,
    /// Whether the disk has room for more.
    guard: Guard,
}

/// Where the next record goes.
pub(super) struct Tail {
    pub(super) segment: Segment,
    /// The offset of the next record, in `segment` or at its end.
    pub(super) end: u64,
    /// Set once nothing may be appended any more.
    pub(super) refusal: Option<Closed>,
    /// Where appends go instead of the segment.
    pub(super) pool: Option<Pool>,
}

impl Tail {
    /// Refuses every further append with `reason`. The first reason stays.
    pub(super) fn refuse(&mut self, reason: &str) -> Closed {
        self.refusal.get_or_insert_with(|| Closed { reason: reason.into() }).clone()
    }
}

/// What a log is opened with.
pub(crate) struct Opened {
    pub(crate) segments: SegmentSet,
    /// The segment that the next record goes to.
    pub(crate) segment: Segment,
    /// The end of the log.
    pub(crate) end: u64,
    /// The end of what is durable.
    pub(crate) flushed: u64,
    /// What lies between the two, if anything does.
    pub(crate) unsettled: Option<Unsettled>,
    /// What is damaged.
    pub(crate) quarantine: Quarantine,
}

impl CommitLog {
    /// The log as recovery found it.
    pub(crate) fn new(disk: Disk, clock: Clock, config: Arc<StoreConfig>, opened: Opened) -> Self {
        let Opened { segments, segment, end, flushed, unsettled, quarantine } = opened;
        assert!(segment.base <= end && end <= segment.end(), "the tail lies in its segment");
        let pool = Pool::of(&config, &disk);
        if config.pool.is_some() && pool.is_none() {
            tracing::warn!("SYNC_FLUSH: the transient store pool is not used");
        }
        let appended = Watermark::new(end);
        let committed = if pool.is_some() { Watermark::new(end) } else { appended.clone() };
        let first = segments.first().map_or(0, |segment| segment.base);
        let cold = ColdReads::new(clock.clone(), &config, end);
        Self {
            disk,
            clock,
            config,
            segments,
            cold,
            tail: Mutex::new(Tail { segment, end, refusal: None, pool }),
            appended,
            committed,
            flushed: Watermark::new(flushed),
            unsettled,
            quarantine,
            examining: tokio::sync::Mutex::default(),
            preparations: Watermark::default(),
            preparation_failure: Mutex::default(),
            lock_held: Since::default(),
            syncing: Since::default(),
            min: AtomicU64::new(first),
            guard: Guard::default(),
        }
    }

    /// The log's segments.
    pub(crate) fn segments(&self) -> &SegmentSet {
        &self.segments
    }

    /// What is damaged, and skipped.
    pub(crate) fn quarantine(&self) -> &Quarantine {
        &self.quarantine
    }

    /// The end of what was appended.
    pub(crate) fn appended(&self) -> &Watermark {
        &self.appended
    }

    /// The end of what survives power loss.
    pub(crate) fn flushed(&self) -> &Watermark {
        &self.flushed
    }

    /// What an acknowledgement waits for.
    pub(crate) fn promised(&self) -> &Watermark {
        match self.config.flush {
            FlushMode::Sync => &self.flushed,
            FlushMode::Async => &self.appended,
        }
    }

    /// The settings.
    pub(crate) fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// What was appended last, and so is in memory.
    pub(crate) fn recent(&self) -> Range<u64> {
        let end = self.committed.reached();
        self.cold.recent_from(end)..end
    }

    /// Reads `range`, and some of what follows, into memory, when it is its turn.
    pub(crate) async fn load(&self, segment: &Segment, range: Range<u64>) {
        self.cold.load(&self.segments, segment, range, self.committed.reached()).await;
    }

    /// What nothing visible passes: never beyond what is promised, nor beyond what can be read.
    pub(crate) fn visible(&self) -> &Watermark {
        match self.config.flush {
            FlushMode::Sync => &self.flushed,
            FlushMode::Async => &self.committed,
        }
    }

    /// The first offset that is still stored. It never falls, also not by a crash: a segment is
    /// counted until its removal is durable.
    pub(crate) fn min_offset(&self) -> u64 {
        self.min.load(Ordering::Acquire)
    }

    /// Removes the oldest segment, durably, and says how many went. The lowest offset rises only
    /// then: scenario 1. it had risen before, and the file could not be removed; 2. queues and
    /// index followed it; 3. the next start finds the file, and records that nothing leads to.
    pub(crate) async fn remove_first(&self) -> Result<u64, RemoveError> {
        let Some(first) = self.segments.first() else { return Ok(0) };
        assert!(first.end() <= self.active_base(), "the segment that is written stays");
        let removed = self.segments.remove_front(&self.disk, first.end()).await?;
        self.min.fetch_max(first.end(), Ordering::AcqRel);
        Ok(removed)
    }

    /// The start of the segment that is written.
    pub(crate) fn active_base(&self) -> u64 {
        self.locked().segment.base
    }

    /// Whether the disk has room for more.
    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Why nothing can be appended any more, if so.
    pub(crate) fn refusal(&self) -> Option<Closed> {
        self.locked().refusal.clone()
    }

    /// Refuses every further append with `reason`. The first reason stays.
    pub(crate) fn refuse(&self, reason: &str) -> Closed {
        self.locked().refuse(reason)
    }
    /// Ends the store for ever: a failed sync (or write) leaves a range unknown, and no later
    /// success says anything about it. Nothing is appended, flushed or promised any more.
    pub(crate) fn poison(&self, reason: &str) -> Closed {
        tracing::error!(reason, "the store has failed and takes nothing more");
        let closed = self.refuse(reason);
        self.close(reason);
        closed
    }

    /// Ends the waits of those who still wait, when the store shuts down.
    pub(crate) fn close(&self, reason: &str) {
        self.flushed.close(reason);
        self.committed.close(reason);
        self.appended.close(reason);
        self.preparations.close(reason);
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
