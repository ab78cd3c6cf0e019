//! Finding messages by place in the log and by time.

use std::ops::Range;

use bytes::Bytes;
use message::record::View;
use message::{PhysicalOffset, QueueOffset};

use crate::commit_log::{Bad, CommitLog, sound_at};
use crate::consume_queue::{Entry, QueueHandle};
use crate::error::ReadError;
use crate::mend::{leads_to, mend};

/// So many bytes of a record are asked for, when it is looked for by its place alone.
const HEAD_LEN: u64 = 4096;

/// Which message is meant when none has exactly the time asked for, or several have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Boundary {
    /// The first at this time or later; the end of the queue when there is none.
    #[default]
    Lower,
    /// The last at this time or earlier; the start of the queue when there is none.
    Upper,
}

/// The record at `offset`, if a whole one that is owed starts there.
pub(crate) async fn message_at(
    log: &CommitLog,
    offset: PhysicalOffset,
) -> Result<Option<Bytes>, ReadError> {
    if offset.0 >= log.visible().reached() {
        return Ok(None);
    }
    if let Some(cause) = log.quarantine().cause_at(offset.0) {
        return Err(ReadError::Damaged { offset, cause });
    }
    let Some(segment) = log.segments().find(offset.0) else { return Ok(None) };
    // Its length is not known: most records are within a page or two, and the kernel loads more
    // than it is asked for.
    let head = offset.0..segment.end().min(offset.0 + HEAD_LEN);
    if !log.recent().contains(&offset.0) && !segment.is_loaded(head.clone()) {
        log.load(&segment, head).await;
    }
    match sound_at(&segment, offset.0) {
        Ok(record) => Ok(Some(record)),
        Err(Bad::Disk(source)) => Err(ReadError::Disk { offset, source }),
        // Whoever asks may have made the offset up: only what looks like a record is looked into.
        Err(Bad::Crc | Bad::TornProperties) => refuse_damaged(log, offset).await.map(|()| None),
        Err(_) => Ok(None),
    }
}

/// The record at `offset`, where an entry of a queue or of the index says that one stands.
///
/// # Errors
/// [`ReadError`]; `None` when the entry leads astray, or the record is gone.
pub(crate) async fn meant_at(
    log: &CommitLog,
    offset: PhysicalOffset,
) -> Result<Option<Bytes>, ReadError> {
    let record = message_at(log, offset).await?;
    if record.is_none() && offset.0 < log.visible().reached() {
        refuse_damaged(log, offset).await?;
    }
    Ok(record)
}

/// Says so if the record at `offset` is damaged.
async fn refuse_damaged(log: &CommitLog, offset: PhysicalOffset) -> Result<(), ReadError> {
    let examined = log.examine(offset.0).await;
    examined.map_err(|source| ReadError::Disk { offset, source })?;
    log.quarantine()
        .cause_at(offset.0)
        .map_or(Ok(()), |cause| Err(ReadError::Damaged { offset, cause }))
}

/// When the message at `at` of the queue was stored, in ms; `None` when it is not stored.
pub(crate) async fn store_time(
    log: &CommitLog,
    queue: &QueueHandle,
    at: QueueOffset,
) -> Result<Option<u64>, ReadError> {
    if at < queue.min_offset() || at >= queue.max_offset() {
        return Ok(None);
    }
    // The offset in the log is what could not be read.
    let failed = |source| ReadError::Disk { offset: PhysicalOffset(0), source };
    let mut entry = queue.queue().entry(at.0).await.map_err(failed)?;
    let mut record = led_to(log, queue, at, entry).await?;
    let log_first = log.segments().first().map_or(0, |first| first.base);
    let is_gone = entry.is_some_and(|entry| entry.is_filler() || entry.physical < log_first);
    let is_durable = queue.queue().is_durable(at.0) && log.refusal().is_none();
    // The time of another message, or none, would send a search anywhere.
    if record.is_none()
        && !is_gone
        && is_durable
        && mend(log, queue.queue(), at.0).await.map_err(failed)?
    {
        entry = queue.queue().entry(at.0).await.map_err(failed)?;
        record = led_to(log, queue, at, entry).await?;
    }
    if let Some(entry) = entry.filter(|_| record.is_none() && !is_gone) {
        // Its message was somewhere: when it was stored is unknown, which is not "long ago".
        let offset = PhysicalOffset(entry.physical);
        let cause = format!("the entry at {at} of its queue leads astray");
        return Err(ReadError::Damaged { offset, cause });
    }
    Ok(record.and_then(|record| View::parse(&record).ok().map(|view| view.store_timestamp)))
}

/// The record that the entry at `at` leads to, if that is its own.
async fn led_to(
    log: &CommitLog,
    queue: &QueueHandle,
    at: QueueOffset,
    entry: Option<Entry>,
) -> Result<Option<Bytes>, ReadError> {
    let Some(entry) = entry else { return Ok(None) };
    let record = meant_at(log, PhysicalOffset(entry.physical)).await?;
    Ok(record.filter(|record| leads_to(record, queue.queue(), at.0)))
}

/// The first of these places whose message is not damaged, and when it was stored. The time of a
/// damaged one is unknown, and unknown is neither old nor young.
async fn readable_time(
    log: &CommitLog,
    queue: &QueueHandle,
    places: Range<u64>,
) -> Result<Option<(u64, Option<u64>)>, ReadError> {
    for at in places {
        match store_time(log, queue, QueueOffset(at)).await {
            Err(ReadError::Damaged { .. }) => {}
            stored => return Ok(Some((at, stored?))),
        }
    }
    Ok(None)
}

/// When the first message of the queue that can be read was stored, in ms; `None` without one.
pub(crate) async fn earliest_time(
    log: &CommitLog,
    queue: &QueueHandle,
) -> Result<Option<u64>, ReadError> {
    let places = queue.min_offset().0..queue.max_offset().0;
    Ok(readable_time(log, queue, places).await?.and_then(|(_, stored)| stored))
}

/// The place in the queue of the message at `timestamp_ms`. Store times rise with the places as
/// far as the broker's clock did; where it stepped back the answer is one of several right ones.
pub(crate) async fn search_offset(
    log: &CommitLog,
    queue: &QueueHandle,
    timestamp_ms: u64,
    boundary: Boundary,
) -> Result<QueueOffset, ReadError> {
    let (min, max) = (queue.min_offset().0, queue.max_offset().0);
    // The first place that lies behind: not before the time asked for, or after it.
    let is_behind = |stored: u64| match boundary {
        Boundary::Lower => stored >= timestamp_ms,
        Boundary::Upper => stored > timestamp_ms,
    };
    let (mut low, mut high) = (min, max.max(min));
    while low < high {
        let middle = low + (high - low) / 2;
        // One that is gone is older than every one that is there.
        match readable_time(log, queue, middle..high).await? {
            None => high = middle,
            Some((at, stored)) if stored.is_none_or(|stored| !is_behind(stored)) => low = at + 1,
            Some(_) => high = middle,
        }
    }
    match boundary {
        Boundary::Lower => Ok(QueueOffset(low)),
        Boundary::Upper => Ok(QueueOffset(low.saturating_sub(1).max(min))),
    }
}
