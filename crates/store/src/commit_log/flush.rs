//! Flushing: from what stands in the segments to durable. One task: the watermark has one raiser.

use std::sync::Arc;
use std::time::Duration;

use runtime::sync::{Closed, Either, Stop, race};

use super::log::CommitLog;
use crate::config::FlushMode;
use crate::layout::PAGE_LEN;

/// Syncs what was appended, as the flush mode says, until it is stopped or a sync fails. A sync
/// that has begun is always waited for: its result must not be lost.
pub(crate) async fn keep_flushing(log: Arc<CommitLog>, stop: Stop) {
    if log.settle().await.is_err() {
        return;
    }
    loop {
        let Either::Right(Ok(())) = race(stop.stopped(), log.due()).await else { return };
        if log.flush().await.is_err() {
            return;
        }
    }
}

impl CommitLog {
    /// Settles what recovery left to be done while messages are taken already, and raises
    /// `flushed` to its end.
    ///
    /// # Errors
    /// [`Closed`] when that failed: the store is poisoned, now and for ever.
    pub(crate) async fn settle(&self) -> Result<(), Closed> {
        let Some(unsettled) = &self.unsettled else { return Ok(()) };
        let settled = unsettled.settle(&self.segments).await;
        settled.map_err(|error| {
            self.poison(&format!("what recovery found could not be made durable: {error}"))
        })?;
        tracing::info!(to = unsettled.to, "what recovery found is durable");
        self.flushed.raise_to(unsettled.to);
        Ok(())
    }

    /// Syncs everything that stands in the segments and raises `flushed`: one group commit.
    ///
    /// # Errors
    /// [`Closed`] when the sync failed: the store is poisoned, now and for ever.
    pub(crate) async fn flush(&self) -> Result<(), Closed> {
        let (from, to) = (self.flushed.reached(), self.committed.reached());
        for segment in self.segments.within(from..to) {
            self.syncing.begin(self.clock.monotonic());
            let synced = segment.sync(from..to).await;
            self.syncing.end();
            if let Err(error) = synced {
                let base = segment.base;
                return Err(self.poison(&format!("CommitLog segment {base}: sync failed: {error}")));
            }
        }
        self.flushed.raise_to(to);
        Ok(())
    }

    /// Returns when a flush is due; an idle log sets no timer.
    async fn due(&self) -> Result<(), Closed> {
        let flushed = self.flushed.reached();
        self.committed.wait(flushed + 1).await?;
        if self.config.flush == FlushMode::Sync {
            return Ok(());
        }
        let thorough =
            self.clock.monotonic() + Duration::from_millis(self.config.flush_thorough_ms);
        self.clock.sleep(Duration::from_millis(self.config.flush_interval_ms)).await;
        let least = flushed + self.config.flush_pages_least * PAGE_LEN;
        match self.clock.timeout_at(thorough, self.committed.wait(least)).await {
            Ok(reached) => reached,
            Err(_elapsed) => Ok(()),
        }
    }
}
