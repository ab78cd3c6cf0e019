//! Committing: from the pool's buffers to the segments, without the append lock.

use std::sync::Arc;
use std::time::Duration;

use runtime::sync::{Closed, Either, Stop, give_way, race};

use super::log::CommitLog;
use super::pool::Filled;
use crate::config::PoolConfig;
use crate::layout::PAGE_LEN;

/// How many bytes are written before others get their turn: a commit of a whole buffer would keep
/// its thread from everybody for milliseconds.
const COMMIT_LEN: usize = 1 << 20;

/// Commits what was appended until it is stopped or the store fails. Idle, it sets no timer.
pub(crate) async fn keep_committing(log: Arc<CommitLog>, pool: PoolConfig, stop: Stop) {
    loop {
        let due = log.commit_due(&pool);
        let Either::Right(Ok(())) = race(stop.stopped(), due).await else { break };
        if log.commit().await.is_err() {
            return;
        }
    }
    // Whatever ended it, a shutdown or a failed sync: this was acknowledged, and once it stands in
    // the page cache the end of this process does not take it.
    let _ = log.commit().await;
}

impl CommitLog {
    /// Returns when a commit is due.
    async fn commit_due(&self, pool: &PoolConfig) -> Result<(), Closed> {
        let committed = self.committed.reached();
        self.appended.wait(committed + 1).await?;
        let least = self.appended.wait(committed + pool.commit_pages_least * PAGE_LEN);
        let pause = Duration::from_millis(pool.commit_delay_ms());
        self.clock.timeout(pause, least).await.unwrap_or(Ok(()))
    }

    /// Copies everything appended so far into the segments and raises `committed`, which is the end
    /// of a record and so rises when all is written, not in between. Without a pool there is
    /// nothing to do. One at a time, and never dropped half-way: what it took from the pool stands
    /// nowhere else.
    ///
    /// # Errors
    /// [`Closed`] when the store has failed: now, because a segment could not be written, or
    /// before.
    pub(crate) async fn commit(&self) -> Result<(), Closed> {
        let (to, filled) = {
            let mut tail = self.locked();
            let filled = tail.pool.as_mut().map(|pool| pool.take_filled());
            (tail.end, filled.unwrap_or_default())
        };
        for Filled { segment, start, bytes } in filled {
            for (at, part) in (start..).step_by(COMMIT_LEN).zip(bytes.chunks(COMMIT_LEN)) {
                if at > start {
                    give_way().await;
                }
                if let Err(error) = segment.write(at, &[part]) {
                    let what = format!("the CommitLog could not be written at {at}: {error}");
                    return Err(self.poison(&what));
                }
            }
            if let Some(pool) = &mut self.locked().pool {
                pool.give_back(bytes);
            }
        }
        self.committed.raise_to(to);
        self.committed.closed().map_or(Ok(()), Err)
    }
}
