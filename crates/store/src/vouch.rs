//! Vouching: log, then queues, then the index, then the checkpoint that says so. Never in another
//! order.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use runtime::sync::{Closed, Either, Stop, Watermark, race};
use runtime::{Clock, Disk};

use crate::checkpoint::{Checkpoint, IndexMark};
use crate::commit_log::CommitLog;
use crate::consume_queue::Queues;
use crate::dispatch::Progress;
use crate::index::{Index, SyncError};
use crate::layout::Layout;

/// Writes the checkpoint, after making durable what it vouches for.
pub(crate) struct Voucher {
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    pub(crate) layout: Layout,
    pub(crate) log: Arc<CommitLog>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) index: Arc<Index>,
    pub(crate) progress: Arc<Progress>,
    /// The pause between two checkpoints.
    pub(crate) interval: Duration,
    /// How far the checkpoint on the disk vouches.
    pub(crate) vouched: Watermark,
    /// Why nothing can be vouched for any more: a sync has failed, and the next one, which finds
    /// nothing left to sync, would say that all is well.
    pub(crate) failed: OnceLock<Closed>,
}

/// Why nothing was vouched for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VouchError {
    /// The store has failed.
    #[error("{0}")]
    Closed(#[from] Closed),
    /// The checkpoint could not be written; the old one stands and still tells the truth.
    #[error("the checkpoint could not be written: {0}")]
    Checkpoint(io::Error),
    /// What the header or the slots of an IndexFile have become could not be written.
    #[error("an IndexFile could not be written: {0}")]
    Index(io::Error),
}

/// As soon as so many bytes are dispatched that no checkpoint vouches for, the next one is written:
/// an unclean start has to read them again.
const UNVOUCHED_LEN: u64 = 64 << 20;
/// Into how many parts an interval is divided, at most, however much is dispatched in it.
const HURRY_MAX: u32 = 8;

impl Voucher {
    /// Vouches for what is dispatched, an interval after it was, until it is stopped or the store
    /// fails. Idle, it sets no timer.
    pub(crate) async fn keep_vouching(self: Arc<Self>, stop: Stop) {
        loop {
            let due = self.due(self.vouched.reached());
            let Either::Right(Ok(())) = race(stop.stopped(), due).await else { return };
            match self.vouch().await {
                Ok(_) => {}
                Err(VouchError::Closed(_)) => return,
                Err(error) => tracing::warn!(%error, "trying again"),
            }
        }
    }

    /// How far the checkpoint on the disk vouches for log and queues.
    pub(crate) fn vouched(&self) -> &Watermark {
        &self.vouched
    }

    /// Returns when there is something to vouch for: an interval after it came, or sooner when it
    /// is much.
    async fn due(&self, vouched: u64) -> Result<(), Closed> {
        self.progress.position.wait(vouched + 1).await?;
        let pause = self.interval / HURRY_MAX;
        self.clock.sleep(pause).await;
        let much = self.progress.position.wait(vouched.saturating_add(UNVOUCHED_LEN));
        match self.clock.timeout(self.interval - pause, much).await {
            Ok(reached) => reached,
            Err(_elapsed) => Ok(()),
        }
    }

    /// Vouches for everything that is dispatched by now, once it is flushed. Gives the offset up to
    /// which. It waits for nothing that comes later, so that no load can keep it from its end.
    ///
    /// Scenario that the order is for: a checkpoint that is newer than the queues it vouches for
    /// makes recovery start behind their holes, which nobody ever fills then.
    pub(crate) async fn vouch(&self) -> Result<u64, VouchError> {
        if let Some(failed) = self.failed.get() {
            return Err(failed.clone().into());
        }
        let vouched = self.try_to_vouch().await;
        if let Err(VouchError::Closed(closed)) = &vouched {
            self.failed.get_or_init(|| closed.clone());
        }
        vouched
    }

    async fn try_to_vouch(&self) -> Result<u64, VouchError> {
        let now = self.progress.snapshot();
        if now.position < self.vouched.reached() {
            // Only the index is dispatched again here; the queues have all of it.
            return Ok(now.position);
        }
        self.log.flushed().wait(now.position).await?;
        if let Err(error) = self.queues.sync().await {
            return Err(self.log.poison(&error.to_string()).into());
        }
        let timestamp = self.index.sync().await.map_err(|error| match error {
            SyncError::Write(error) => VouchError::Index(error),
            SyncError::Sync(error) => {
                self.log.poison(&format!("IndexFile: sync failed: {error}")).into()
            }
        })?;
        let index = IndexMark { timestamp, ..now.index };
        let page = Checkpoint {
            durable_to: now.position,
            queue_entries: now.queue_entries,
            index,
            store_timestamp: now.store_timestamp,
        };
        // What it skips is on record first.
        self.log.quarantine().write(&self.disk).await.map_err(VouchError::Checkpoint)?;
        let written = self.disk.replace(&self.layout.checkpoint(), &page.encode()).await;
        written.map_err(VouchError::Checkpoint)?;
        self.vouched.raise_to(now.position);
        Ok(now.position)
    }
}
