//! Pages ahead of the tail, so that no append waits for the kernel to make one.
//!
//! An append into a page that is not there stops in the kernel with the append lock held, and all
//! others stop behind it. So a task asks for the pages first: a bounded stretch ahead of the tail,
//! in steps, and with a warm-up the whole of the next segment, which is also pinned.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use runtime::sync::{Either, Stop, race};

use super::log::CommitLog;
use crate::segment_set::Segment;

/// How many bytes ahead of the tail have their pages.
const POPULATE_AHEAD: u64 = 32 << 20;
/// How many bytes are asked for at once.
const POPULATE_STEP: u64 = 4 << 20;
/// How long after the roll a segment stays pinned: RocketMQ's six seconds.
const UNPIN_AFTER: Duration = Duration::from_secs(6);

/// Keeps the pages ahead of the tail populated until it is stopped or the store fails. Idle, it
/// sets no timer.
pub(crate) async fn keep_populated(log: Arc<CommitLog>, stop: Stop) {
    let mut populated = 0;
    loop {
        // Counted before looking, so that a segment that comes in between is not missed.
        let preparations = log.preparations.reached();
        let tail = log.committed.reached();
        populated = populated.max(tail);
        if populated >= tail + POPULATE_AHEAD {
            let nearer = log.committed.wait(populated + POPULATE_STEP - POPULATE_AHEAD);
            let Either::Right(Ok(())) = race(stop.stopped(), nearer).await else { return };
        } else if let Some(segment) = log.segments.find(populated) {
            let to = segment.end().min(populated + POPULATE_STEP);
            let Some(()) = populate(&segment, populated..to, &stop).await else { return };
            populated = to;
        } else {
            let next = log.preparations.wait(preparations + 1);
            let Either::Right(Ok(())) = race(stop.stopped(), next).await else { return };
        }
    }
}

/// Warm-up: each segment that is prepared gets all its pages and is pinned, until some time after
/// the tail has left it. Ends as [`keep_populated`] does.
pub(crate) async fn keep_warm(log: Arc<CommitLog>, stop: Stop) {
    let mut pinned: Vec<Segment> = Vec::new();
    let mut from = log.committed.reached();
    loop {
        let preparations = log.preparations.reached();
        while let Some(segment) = log.segments.find(from) {
            let Some(()) = warm(&segment, from, &stop).await else { return };
            from = segment.end();
            pinned.push(segment);
        }
        let next = log.preparations.wait(preparations + 1);
        let Either::Right(Ok(())) = race(stop.stopped(), next).await else { return };
        // A segment is prepared when the tail has entered the one before: the roll has just been.
        let pause = log.clock.sleep(UNPIN_AFTER);
        let Either::Right(()) = race(stop.stopped(), pause).await else { return };
        let tail = log.committed.reached();
        pinned.retain(|segment| segment.end() > tail || !unpin(segment));
    }
}

/// Makes the pages of `range`; `None` when stopped before.
async fn populate(segment: &Segment, range: Range<u64>, stop: &Stop) -> Option<()> {
    match race(stop.stopped(), segment.populate(range)).await {
        Either::Left(()) => None,
        Either::Right(()) => Some(()),
    }
}

/// Makes all pages of the segment from `from` on and pins it; `None` when stopped before.
async fn warm(segment: &Segment, from: u64, stop: &Stop) -> Option<()> {
    let mut at = from;
    while at < segment.end() {
        let to = segment.end().min(at + POPULATE_STEP);
        populate(segment, at..to, stop).await?;
        at = to;
    }
    if let Err(error) = segment.file.pin(true) {
        let base = segment.base;
        tracing::warn!(base, %error, "a warm segment could not be pinned; it may be paged out");
    }
    Some(())
}

/// Unpins a segment; true, because one that cannot be is let go, too.
fn unpin(segment: &Segment) -> bool {
    if let Err(error) = segment.file.pin(false) {
        tracing::debug!(segment.base, %error, "a segment could not be unpinned");
    }
    true
}
