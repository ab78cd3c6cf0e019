//! The one task that deletes, and that looks at the disk's space.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use message::record::View;
use runtime::sync::{Closed, Either, Stop, Watermark, race};
use runtime::{Clock, Disk, DiskSpace};

use super::decide::{BATCH_MAX, Candidate, Moment, decide, is_above, is_due};
use crate::commit_log::{CommitLog, Found, next_at};
use crate::consume_queue::Queues;
use crate::disk_guard::Partition;
use crate::index::Index;
use crate::retention::Retention;
use crate::segment_set::{RemoveError, Segment};
use crate::vouch::Voucher;

/// How many passes an operator's wish lasts; RocketMQ's number.
const MANUAL_PASSES: u32 = 20;
/// How often the disk is looked at while it refuses appends: how late they are taken again.
const LOOK_WHILE_FULL: Duration = Duration::from_secs(1);

/// What cleans one open store.
pub(crate) struct Cleaner {
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<CommitLog>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) index: Arc<Index>,
    pub(crate) voucher: Arc<Voucher>,
    pub(crate) policy: Retention,
    pub(crate) wishes: Wishes,
}

/// What operators asked for.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Passes that are still to delete what is expired, whatever the hour.
    passes: AtomicU32,
    /// How often somebody asked.
    asked: Watermark,
    /// The lowest offset that the queues have followed. One at a time lets them follow: files go
    /// oldest first.
    followed: tokio::sync::Mutex<u64>,
}

impl Cleaner {
    /// Deletes what is expired in the next passes, whatever the hour. Returns at once.
    pub(crate) fn delete_expired(&self) {
        self.wishes.passes.store(MANUAL_PASSES, Ordering::Relaxed);
        self.wishes.asked.raise_to(self.wishes.asked.reached() + 1);
    }

    /// Passes, again and again, until it is stopped or the store fails. A pass that finds nothing
    /// to do asks the disk for its space and touches no file.
    pub(crate) async fn keep_cleaning(self: Arc<Self>, stop: Stop) {
        self.guard(self.space());
        while self.until_due(&stop).await {
            if self.log.refusal().is_some() || self.pass(&stop).await.is_err() {
                return;
            }
            // Also what an earlier process left undone, or a removal that failed.
            if self.follow().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the next pass is due, and lets queues follow meanwhile that left a stale file
    /// behind. False when it is stopped, or the store has failed.
    async fn until_due(&self, stop: &Stop) -> bool {
        let asked = self.wishes.asked.wait(self.wishes.asked.reached() + 1);
        let is_full = self.log.guard().full().is_some();
        let interval = Duration::from_millis(self.policy.interval_ms);
        let pause = if is_full { LOOK_WHILE_FULL.min(interval) } else { interval };
        let mut due = pin!(race(asked, self.clock.sleep(pause)));
        let outlived = self.queues.outlived();
        let mut seen = outlived.reached();
        loop {
            let outlived_more = outlived.wait(seen + 1);
            match race(stop.stopped(), race(due.as_mut(), outlived_more)).await {
                Either::Left(()) => return false,
                Either::Right(Either::Left(_)) => return true,
                Either::Right(Either::Right(_)) => seen = outlived.reached(),
            }
            if self.log.refusal().is_some() || self.follow().await.is_err() {
                return false;
            }
        }
    }

    /// Looks once and deletes what must go.
    ///
    /// # Errors
    /// The removal of a file could not be made durable: the store has failed.
    async fn pass(&self, stop: &Stop) -> Result<(), Closed> {
        let moment = self.moment();
        self.guard(moment.space);
        if !is_due(&moment, &self.policy) {
            return Ok(());
        }
        let going = decide(&self.candidates(), &moment, &self.policy);
        let pause = Duration::from_millis(self.policy.delete_pause_ms);
        let mut removed = 0;
        for reason in &going {
            let Some(first) = self.log.segments().first() else { break };
            tracing::info!(base = first.base, ?reason, "a segment of the log is deleted");
            if let Err(error) = self.log.remove_first().await {
                self.failed("a segment of the log", error)?;
                break;
            }
            removed += 1;
            let Either::Right(()) = race(stop.stopped(), self.clock.sleep(pause)).await else {
                break;
            };
        }
        if removed > 0 {
            self.guard(self.space());
        }
        Ok(())
    }

    /// Lets the queues and the index follow the log's lowest offset.
    ///
    /// # Errors
    /// The store has failed.
    pub(crate) async fn follow(&self) -> Result<(), Closed> {
        let mut followed = self.wishes.followed.lock().await;
        let min = self.log.min_offset();
        if let Err(error) = self.queues.clean_outlived(min).await {
            return self.failed("a file of a ConsumeQueue", error);
        }
        if *followed == min {
            return Ok(());
        }
        if let Err(error) = self.queues.clean(min).await {
            return self.failed("a file of a ConsumeQueue", error);
        }
        if let Err(error) = self.index.clean(min).await {
            return self.failed("an IndexFile", error);
        }
        *followed = min;
        Ok(())
    }

    /// What became of a removal that failed: tried again in the next pass, or final.
    fn failed(&self, what: &str, error: RemoveError) -> Result<(), Closed> {
        match error {
            RemoveError::Remove(error) => {
                tracing::error!(what, %error, "cannot be removed; trying again");
                Ok(())
            }
            RemoveError::Sync(error) => {
                Err(self.log.poison(&format!("the removal of {what} was not synced: {error}")))
            }
        }
    }

    fn moment(&self) -> Moment {
        let now_ms = self.clock.now_ms();
        let passes = &self.wishes.passes;
        let left = passes.load(Ordering::Relaxed);
        passes.store(left.saturating_sub(1), Ordering::Relaxed);
        let utc_offset_ms = self.clock.utc_offset_ms(now_ms);
        Moment { now_ms, utc_offset_ms, manual: left > 0, space: self.space() }
    }

    /// The disk's space; `None` when it does not say.
    fn space(&self) -> Option<DiskSpace> {
        match self.disk.space() {
            Ok(space) => Some(space),
            Err(error) => {
                tracing::warn!(%error, "the disk does not say how full it is");
                None
            }
        }
    }

    /// Lets appends be refused or taken. Space that nobody knows changes nothing.
    fn guard(&self, space: Option<DiskSpace>) {
        if let Some(is_full) = is_above(space, self.policy.disk_warning_percent) {
            self.log.guard().set(Partition::Log, is_full);
        }
    }

    /// The oldest segments that are not written any more, and of which everything is dispatched
    /// and vouched for: a start would otherwise look for records that are gone.
    fn candidates(&self) -> Vec<Candidate> {
        let end = self.log.active_base().min(self.voucher.vouched().reached());
        let segments = self.log.segments().all();
        let closed = segments.iter().take_while(|segment| segment.end() <= end);
        let candidates = closed.take(BATCH_MAX).enumerate().map(|(at, segment)| Candidate {
            len: segment.file.len(),
            newest_ms: first_time(&segments[at + 1..]),
        });
        candidates.collect()
    }
}

/// The store time of the first record from these segments on: no record before them was stored
/// later, as far as the node's clock did not step back. `None` when none can be read.
fn first_time(segments: &[Segment]) -> Option<u64> {
    segments.iter().find_map(|segment| match next_at(segment, segment.base) {
        Ok(Found::Record(record)) => View::parse(&record).ok().map(|view| view.store_timestamp),
        Ok(Found::SegmentEnd) | Err(_) => None,
    })
}
