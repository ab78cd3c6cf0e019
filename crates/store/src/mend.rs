//! An entry of a queue that leads astray while its record is sound: the record is looked for in the
//! log between those of its neighbours, and the entry is written anew.
//!
//! Not synced: what a power failure takes of it is damaged as before, and mended again.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use message::record::View;
use message::{property, tags_code_of, topic};
use runtime::sync::give_way;

use crate::commit_log::{Bad, CommitLog, Found, next_at, sound_at};
use crate::consume_queue::{Entry, Queue};
use crate::proof::{is_light, is_of};

/// How much of the log is looked through for one entry.
const LOOK_LEN_MAX: u64 = 64 << 20;

/// How many neighbours on a side are asked where their records stand: they may be damaged, too.
const NEIGHBOURS_MAX: u64 = 8;

/// So many bytes of a neighbour's record are asked for before it is read.
const HEAD_LEN: u64 = 4096;

/// How many bytes are loaded, and looked through before others get their turn.
const STEP_LEN: u64 = 1 << 20;

/// Writes the entry of `queue` at `place` anew, if its record is found. The caller knows that the
/// entry is durable, and that it does not lead to its record. Says whether it did.
///
/// # Errors
/// What the disk says.
pub(crate) async fn mend(log: &CommitLog, queue: &Queue, place: u64) -> io::Result<bool> {
    // The records of a light queue say that they are of another.
    if is_light(queue) {
        return Ok(false);
    }
    let range = between_neighbours(log, queue, place).await?;
    let Some(record) = look(log, queue, place, range).await? else { return Ok(false) };
    let Ok(view) = View::parse(&record) else { return Ok(false) };
    let tags_code = match queue.entry(place).await? {
        // When it is due, which the record does not say.
        Some(entry) if view.topic == topic::SCHEDULE => entry.tags_code,
        _ => view.property(property::TAGS).map_or(0, tags_code_of),
    };
    let physical = view.physical_offset.0;
    queue.rewrite(place, &Entry { physical, len: view.store_size, tags_code }).await?;
    let (topic, queue_id) = (queue.topic(), queue.queue_id());
    tracing::error!(
        topic,
        queue_id,
        place,
        physical,
        "an entry of a ConsumeQueue was damaged; it is made anew from the CommitLog. The device \
         loses bits: look at it"
    );
    Ok(true)
}

/// Where the record of that place can stand.
async fn between_neighbours(log: &CommitLog, queue: &Queue, place: u64) -> io::Result<Range<u64>> {
    let mut from = log.segments().first().map_or(0, |first| first.base);
    for before in (place.saturating_sub(NEIGHBOURS_MAX)..place).rev() {
        if let Some(record) = record_of(log, queue, before).await? {
            from = record.end;
            break;
        }
    }
    let mut to = log.flushed().reached().min(from.saturating_add(LOOK_LEN_MAX));
    for behind in place + 1..=place + NEIGHBOURS_MAX {
        if let Some(record) = record_of(log, queue, behind).await? {
            to = to.min(record.start);
            break;
        }
    }
    Ok(from..to)
}

/// Where the record at that place stands, if its entry leads to it.
async fn record_of(log: &CommitLog, queue: &Queue, place: u64) -> io::Result<Option<Range<u64>>> {
    if place >= queue.end() {
        return Ok(None);
    }
    let Some(entry) = queue.entry(place).await? else { return Ok(None) };
    let Some(segment) = log.segments().find(entry.physical) else { return Ok(None) };
    // Its length may be what is damaged: most records are no longer than this.
    let head = entry.physical..(entry.physical + HEAD_LEN).min(segment.end());
    if !segment.is_loaded(head.clone()) {
        log.load(&segment, head).await;
    }
    let record = match sound_at(&segment, entry.physical) {
        Err(Bad::Disk(error)) => return Err(error),
        record => record.ok(),
    };
    let record = record.filter(|record| leads_to(record, queue, place));
    Ok(record.map(|record| entry.physical..entry.physical + record.len() as u64))
}

/// Whether a record is the one that the entry of `queue` at `place` means.
pub(crate) fn leads_to(record: &Bytes, queue: &Queue, place: u64) -> bool {
    View::parse(record).is_ok_and(|view| is_of(&view, queue, place))
}

/// The record of that place, if it starts in that range and is sound.
async fn look(
    log: &CommitLog,
    queue: &Queue,
    place: u64,
    range: Range<u64>,
) -> io::Result<Option<Bytes>> {
    let (mut at, mut loaded_to) = (range.start, range.start);
    while at < range.end {
        let Some(segment) = log.segments().find(at) else { return Ok(None) };
        if at >= loaded_to {
            loaded_to = (at + STEP_LEN).min(segment.end());
            if !segment.is_loaded(at..loaded_to) {
                log.load(&segment, at..loaded_to).await;
            }
            give_way().await;
        }
        match next_at(&segment, at) {
            Ok(Found::Record(record)) if leads_to(&record, queue, place) => {
                return Ok(Some(record));
            }
            Ok(Found::Record(record)) => at += record.len() as u64,
            Ok(Found::SegmentEnd) => at = segment.end(),
            Err(Bad::Disk(error)) => return Err(error),
            // Damaged: it may be the one, or goes on record and is stepped over.
            Err(_) => match log.examine(at).await?.then(|| log.quarantine().end_of(at)) {
                Some(Some(to)) => at = to,
                _ => return Ok(None),
            },
        }
    }
    Ok(None)
}
