//! Recovery of the log: find its end, cut off what is behind it, make what is left durable.

use std::io;

use message::record::View;
use runtime::Disk;

use crate::commit_log::{Bad, Found, Opened, Unsettled, next_at, next_sound};
use crate::config::StoreConfig;
use crate::error::OpenError;
use crate::layout::{join, segment_name};
use crate::quarantine::Quarantine;
use crate::segment_set::{Segment, SegmentSet};

/// How far behind the end bytes may differ from what the cache shows, after an unclean end: more
/// than what is ever appended while one sync lasts.
const DOUBT_LEN: u64 = 64 << 20;

/// What is known and what is not.
pub(super) struct Doubt {
    /// The checkpoint vouches for everything below this offset.
    pub(super) durable_to: u64,
    /// The log went on at least to here, whatever stands before it: behind this a record that is
    /// not whole is a torn tail, before it is damage.
    pub(super) proven_to: u64,
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

/// How far the log surely went on, of a store without a checkpoint of ours. After a clean end all
/// of it was durable before its last segment was begun. After an unclean one, one segment of slack:
/// nobody leaves that much to the page cache.
///
/// # Errors
/// A segment's start cannot be read: whether it was begun is unknown then, and not no.
pub(super) fn proven_without_checkpoint(
    segments: &SegmentSet,
    unclean: bool,
) -> Result<u64, OpenError> {
    let mut slack = usize::from(unclean);
    for segment in segments.all().iter().rev() {
        match next_at(segment, segment.base) {
            Ok(Found::Record(_)) if slack == 0 => return Ok(segment.base),
            Ok(Found::Record(_)) => slack -= 1,
            Err(Bad::Disk(error)) => return Err(unread(segments, segment.base, error)),
            Ok(Found::SegmentEnd) | Err(_) => {}
        }
    }
    Ok(0)
}

/// What the disk says where the log cannot be read, by file, byte and offset. It is never the end
/// of the log: what stands there is unknown.
fn unread(segments: &SegmentSet, offset: u64, source: io::Error) -> OpenError {
    let base = segments.find(offset).map_or(offset, |segment| segment.base);
    let path = join(segments.directory(), &segment_name(base));
    let what = format!("{path} at byte {} (offset {offset} of the CommitLog)", offset - base);
    OpenError::Disk { what, source }
}

/// Finds the end of the log, walking from `from`, which is the end of a record; `seen` is shown
/// every record on the way. What is damaged is quarantined.
pub(super) fn find_end(
    segments: &SegmentSet,
    doubt: &Doubt,
    quarantine: &Quarantine,
    from: u64,
    seen: impl FnMut(&View<'_>),
) -> Result<End, OpenError> {
    check_chain(segments, doubt, quarantine)?;
    let last = segments.last().map_or(0, |segment| segment.end());
    if last < doubt.durable_to {
        let cause = "the newest segments are missing".to_owned();
        return Err(OpenError::damaged(last, doubt.durable_to, cause));
    }
    let end = walk(segments, doubt, quarantine, from, seen)?;
    if end.offset < doubt.durable_to {
        return Err(OpenError::damaged(end.offset, doubt.durable_to, end.cause));
    }
    let first = segments.first().map_or(0, |segment| segment.base);
    quarantine.keep_within(first..end.offset);
    tracing::info!(from, end = end.offset, end.cause, "walked the CommitLog");
    Ok(end)
}

/// Ends the log: nothing stands behind `end` afterwards, durably. What stands before it is made
/// durable now, or, when that would take long, is left to the task that flushes.
pub(super) async fn settle(
    disk: &Disk,
    config: &StoreConfig,
    segments: SegmentSet,
    (doubt, end): (&Doubt, &End),
    quarantine: Quarantine,
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
    let mut opened = Opened {
        segments,
        segment: tail,
        end: end.offset,
        flushed: end.offset,
        unsettled: None,
        quarantine,
    };
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

/// Each segment must start where the one before it ends: they are created and removed one by one
/// and durably, so no crash leaves a hole. One in what was durable is a lost file; behind that
/// nothing is known, and nothing is touched.
fn check_chain(
    segments: &SegmentSet,
    doubt: &Doubt,
    quarantine: &Quarantine,
) -> Result<(), OpenError> {
    for pair in segments.all().windows(2) {
        let (end, next) = (pair[0].end(), pair[1].base);
        if end == next || quarantine.end_of(end).is_some_and(|to| to >= next) {
            continue;
        }
        if end > next || next > doubt.proven_to {
            let cause = format!("no segment starts here; the next one starts at {next}");
            return Err(OpenError::damaged(end, doubt.durable_to, cause));
        }
        quarantine.add(end, next, "the segment is missing");
    }
    Ok(())
}

/// Walks from record to record. A read that fails is no end: what stands there is unknown.
fn walk(
    segments: &SegmentSet,
    doubt: &Doubt,
    quarantine: &Quarantine,
    start: u64,
    mut seen: impl FnMut(&View<'_>),
) -> Result<End, OpenError> {
    let mut offset = start;
    loop {
        if let Some(to) = quarantine.end_of(offset) {
            offset = to;
            continue;
        }
        let Some(segment) = segments.find(offset) else {
            return Ok(End { offset, cause: "no segment follows".into() });
        };
        match next_at(&segment, offset) {
            Ok(Found::Record(record)) => {
                View::parse(&record).iter().for_each(&mut seen);
                offset += record.len() as u64;
            }
            Ok(Found::SegmentEnd) => offset = segment.end(),
            Err(Bad::Disk(error)) => return Err(unread(segments, offset, error)),
            Err(bad) if offset < doubt.proven_to => {
                let to = next_sound(segments, offset + 1, doubt.proven_to)
                    .map_err(|error| unread(segments, offset + 1, error))?;
                quarantine.add(offset, to, &bad.to_string());
                offset = to;
            }
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
