//! Recovery of the log: find its end, cut off what is behind it, make what is left durable.

use std::io;

use message::record::View;
use runtime::Disk;

use crate::commit_log::{Bad, Found, Opened, Unsettled, next_at};
use crate::config::StoreConfig;
use crate::error::OpenError;
use crate::segment_set::{Segment, SegmentSet};

/// How far behind the end bytes may differ from what the cache shows, after an unclean end: more
/// than what is ever appended while one sync lasts.
const DOUBT_LEN: u64 = 64 << 20;

/// What is known and what is not.
pub(super) struct Doubt {
    /// The checkpoint vouches for everything below this offset.
    pub(super) durable_to: u64,
    /// Whether the last process ended without saying so.
    pub(super) unclean: bool,
}

/// Where a walk along the log ended.
pub(super) struct End {
    /// The offset behind the last record.
    pub(super) offset: u64,
    /// What stands there instead of a record.
    cause: String,
}

/// Opens the log's segments, of which none is read yet.
pub(super) async fn open(disk: &Disk, directory: &str) -> Result<SegmentSet, OpenError> {
    let failed = |error| OpenError::disk(directory, error);
    disk.create_dir(directory).await.map_err(failed)?;
    SegmentSet::open(disk, directory.into()).await.map_err(failed)
}

/// Finds the end of the log, walking from `from`, which is the end of a record; `seen` is shown
/// every record on the way.
pub(super) fn find_end(
    segments: &SegmentSet,
    doubt: &Doubt,
    from: u64,
    seen: impl FnMut(&View<'_>),
) -> Result<End, OpenError> {
    check_chain(segments, doubt)?;
    let directory = segments.directory();
    let end = walk(segments, from, seen).map_err(|error| OpenError::disk(directory, error))?;
    if end.offset < doubt.durable_to {
        return Err(OpenError::damaged(end.offset, doubt.durable_to, end.cause));
    }
    tracing::info!(from, end = end.offset, end.cause, "walked the CommitLog");
    Ok(end)
}

/// Ends the log: nothing stands behind `end` afterwards, durably. What stands before it is made
/// durable now, or, when that would take long, is left to the task that flushes.
pub(super) async fn settle(
    disk: &Disk,
    config: &StoreConfig,
    segments: SegmentSet,
    doubt: &Doubt,
    end: &End,
) -> Result<Opened, OpenError> {
    let directory = segments.directory().to_owned();
    let failed = |error| OpenError::disk(&directory, error);
    let tail = match segments.find(end.offset) {
        Some(tail) => {
            cut(disk, &segments, &tail, end).await.map_err(failed)?;
            clear(&tail, end.offset, doubt).await.map_err(failed)?;
            tail
        }
        // A new one is zero by the disk's promise; looking at all of it would cost seconds.
        None => {
            let created = segments.create_durably(disk, end.offset, config.segment_size).await;
            created.map_err(|error| failed(error.into()))?
        }
    };
    let from = doubt.durable_to.min(end.offset);
    let unsettled = Unsettled { from, to: end.offset, in_doubt: doubt.unclean };
    let mut opened =
        Opened { segments, segment: tail, end: end.offset, flushed: end.offset, unsettled: None };
    if end.offset - unsettled.from > config.settle_len_max {
        opened.flushed = unsettled.from;
        opened.unsettled = Some(unsettled);
    } else {
        unsettled.settle(&opened.segments).await.map_err(failed)?;
    }
    Ok(opened)
}

/// Makes everything behind the end zero, durably, before anything is appended: a stale byte there
/// must never read as a record again.
async fn clear(tail: &Segment, end: u64, doubt: &Doubt) -> io::Result<()> {
    if !doubt.unclean && end == doubt.durable_to {
        // After a clean end nothing was ever written behind it.
        return Ok(());
    }
    let in_doubt = if doubt.unclean { end + DOUBT_LEN } else { end };
    let written_to = (tail.base + tail.file.data_end()?).max(end);
    if tail.zero(end..tail.end().min(written_to), in_doubt)? {
        tail.sync(end..tail.end()).await?;
    }
    Ok(())
}

/// Each segment must start where the one before it ends. They are created and removed one by one
/// and durably, so no crash leaves a hole.
fn check_chain(segments: &SegmentSet, doubt: &Doubt) -> Result<(), OpenError> {
    let all = segments.all();
    for pair in all.windows(2) {
        if pair[0].end() != pair[1].base {
            let cause = format!("no segment starts here; the next one starts at {}", pair[1].base);
            return Err(OpenError::damaged(pair[0].end(), doubt.durable_to, cause));
        }
    }
    Ok(())
}

/// Walks from record to record. A read that fails is no end: what stands there is unknown.
fn walk(segments: &SegmentSet, start: u64, mut seen: impl FnMut(&View<'_>)) -> io::Result<End> {
    let mut offset = start;
    loop {
        let Some(segment) = segments.find(offset) else {
            return Ok(End { offset, cause: "the last segment is full".into() });
        };
        match next_at(&segment, offset) {
            Ok(Found::Record(record)) => {
                View::parse(&record).iter().for_each(&mut seen);
                offset += record.len() as u64;
            }
            Ok(Found::SegmentEnd) => offset = segment.end(),
            Err(Bad::Disk(error)) => return Err(error),
            Err(bad) => return Ok(End { offset, cause: bad.to_string() }),
        }
    }
}

/// Cuts off the segments behind the one that the log ends in.
async fn cut(disk: &Disk, segments: &SegmentSet, tail: &Segment, end: &End) -> io::Result<()> {
    report_what_is_lost(segments, tail, end);
    segments.remove_from(disk, tail.end()).await
}

/// A record at the start of a later segment means that the log went on behind the end: pages of
/// an unsynced tail that a power failure took, or damage. Never silently.
fn report_what_is_lost(segments: &SegmentSet, tail: &Segment, end: &End) {
    let Some(next) = segments.find(tail.end()) else { return };
    if let Ok(Found::Record(_)) = next_at(&next, next.base) {
        let (offset, cause) = (end.offset, &end.cause);
        tracing::error!(offset, cause, "records behind this offset of the CommitLog are cut off");
    }
}
