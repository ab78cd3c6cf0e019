//! Recovery of the log: find its end, cut off what is behind it, make what is left durable.

use std::io;

use message::record::View;
use runtime::Disk;

use crate::commit_log::{Bad, Found, Opened, next_at};
use crate::config::StoreConfig;
use crate::error::OpenError;
use crate::segment_set::{Segment, SegmentSet};

/// How many bytes are written anew at once.
const REWRITE_LEN: u64 = 1 << 20;
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

/// Ends the log: nothing stands behind `end` afterwards, and everything below it is durable.
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
            let in_doubt = if doubt.unclean { end.offset + DOUBT_LEN } else { end.offset };
            // After a clean end nothing was ever written behind it; looking would read it all.
            if doubt.unclean || end.offset != doubt.durable_to {
                // So that no stale byte behind the end ever reads as a record again.
                tail.zero(end.offset..tail.end(), in_doubt).map_err(failed)?;
            }
            tail
        }
        // A new one is zero by the disk's promise; looking at all of it would cost seconds.
        None => {
            let created = segments.create_durably(disk, end.offset, config.segment_size).await;
            created.map_err(|error| failed(error.into()))?
        }
    };
    make_durable(&segments, end.offset, doubt).await.map_err(failed)?;
    Ok(Opened { segments, segment: tail, end: end.offset })
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

/// Makes the log durable up to its end, and the zeros behind it.
///
/// Scenario that the writing anew is for: 1. a sync fails and the kernel calls its pages clean;
/// 2. the process ends and this one reads them from the cache; 3. a sync has nothing to do and
/// succeeds; 4. power fails, and a hole cuts off everything that was acknowledged since. Written
/// anew, the pages are dirty again and the sync means something.
async fn make_durable(segments: &SegmentSet, end: u64, doubt: &Doubt) -> io::Result<()> {
    let start = doubt.durable_to.min(end);
    let unsettled = segments.within(start..u64::MAX);
    if doubt.unclean {
        // A failed sync stops all appends, so what it left in doubt is close to the end.
        let close = unsettled.len().saturating_sub(2);
        for segment in &unsettled[close..] {
            rewrite(segment, doubt.durable_to.max(segment.base), end.min(segment.end()))?;
        }
    }
    for segment in &unsettled {
        segment.sync(start..segment.end()).await?;
    }
    Ok(())
}

/// Writes the bytes `from .. to` of a segment anew, as they are.
fn rewrite(segment: &Segment, from: u64, to: u64) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let next = to.min(at + REWRITE_LEN);
        // A copy: a slice may be a view of the very bytes that are written.
        let bytes = segment.slice(at..next)?.to_vec();
        segment.write(at, &[&bytes])?;
        at = next;
    }
    Ok(())
}
