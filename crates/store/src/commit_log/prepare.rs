//! Preparing the next segment while the last one fills, so that an append never waits for blocks.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use runtime::sync::{Either, Stop, race};

use super::log::CommitLog;
use crate::segment_set::CreateError;

/// The pause after a failed attempt.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Keeps one segment ahead of the one that is written. A segment is prepared as soon as the last
/// one holds its first record; a record fits into an empty segment, so an append that has to wait
/// always has a preparation under way.
pub(crate) async fn keep_prepared(log: Arc<CommitLog>, stop: Stop) {
    loop {
        let Some(last) = log.segments.last() else { return };
        let entered = log.appended.wait(last.base + 1);
        let Either::Right(Ok(())) = race(stop.stopped(), entered).await else { return };
        match log.segments.create_durably(&log.disk, last.end(), log.config.segment_size).await {
            Ok(_) => log.preparation_ended(None),
            Err(CreateError::Sync(error)) => {
                log.poison(&format!("the name of a new segment could not be synced: {error}"));
                return;
            }
            Err(CreateError::Create(error)) => {
                tracing::error!(%error, "the next segment could not be created; trying again");
                log.preparation_ended(Some(error.to_string()));
                let pause = log.clock.sleep(PAUSE_AFTER_FAILURE);
                let Either::Right(()) = race(stop.stopped(), pause).await else { return };
            }
        }
    }
}

impl CommitLog {
    /// Returns when an append that found no next segment is worth another try: there is one now,
    /// or the attempt to make one has failed.
    ///
    /// # Errors
    /// [`runtime::sync::Closed`] when the store has failed or ended.
    pub(crate) async fn segment_ready(&self) -> Result<(), runtime::sync::Closed> {
        // Counted before looking, so that an attempt that ends in between is not missed.
        let ended = self.preparations.reached();
        let next = self.locked().segment.end();
        if self.segments.find(next).is_some() {
            return Ok(());
        }
        self.preparations.wait(ended + 1).await
    }

    fn preparation_ended(&self, failure: Option<String>) {
        let mut slot = self.preparation_failure.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = failure;
        drop(slot);
        self.preparations.raise_to(self.preparations.reached() + 1);
    }
}
