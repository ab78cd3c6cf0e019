//! Reading a queue: RocketMQ's statuses, and always a place to go on from.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use message::QueueOffset;
use message::record::View;

use crate::cold::STEP_MIN;
use crate::commit_log::CommitLog;
use crate::consume_queue::{Entry, Queue, QueueHandle};
use crate::layout::ENTRY_LEN;
use crate::mend::mend;
use crate::proof::{Unproven, prove};
use crate::segment_set::Segment;

/// How many entries one call looks at, at least, when a filter passes none of them.
const SCAN_MAX: u64 = 800;
/// The bytes that a pull gets by default; RocketMQ's `maxTransferBytesOnMessageInMemory`.
pub const BYTES_MAX: u64 = 256 << 10;
/// The messages that a pull gets by default; RocketMQ's `maxTransferCountOnMessageInMemory`.
pub const COUNT_MAX: u64 = 32;

/// What a consumer asks for.
pub struct GetRequest<'a> {
    /// Of which queue.
    pub queue: &'a QueueHandle,
    /// From which place on.
    pub from: QueueOffset,
    /// At most so many messages.
    pub count_max: u64,
    /// At most so many bytes; the first message comes whatever its length.
    pub bytes_max: u64,
    /// Which tags codes pass.
    pub filter: &'a (dyn Fn(i64) -> bool + Sync),
}

/// How a read ended; RocketMQ's `GetMessageStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GetStatus {
    /// At least one message.
    Found,
    /// There is no such queue. Only a caller that found none says this; a handle has one.
    NoMatchedLogicQueue,
    /// The queue has never held a message.
    NoMessageInQueue,
    /// The place lies before the first message still stored.
    OffsetTooSmall,
    /// The place is the end: the next message will be there.
    OffsetOverflowOne,
    /// The place lies behind the end.
    OffsetOverflowBadly,
    /// Messages were there but none passed the filter.
    NoMatchedMessage,
    /// The messages looked at are no longer stored.
    MessageWasRemoving,
    /// The queue's file with the place is gone; the next one may be there.
    OffsetFoundNull,
    /// The disk refused to read; the log says more. Nothing is known about the messages.
    ReadFailed,
}

/// What a consumer gets.
#[derive(Clone, Debug)]
pub struct GetResult {
    /// How the read ended.
    pub status: GetStatus,
    /// Where to go on: following it skips no matching message and never loops.
    pub next_begin: QueueOffset,
    /// The first message that is still stored.
    pub min_offset: QueueOffset,
    /// The place behind the last visible message.
    pub max_offset: QueueOffset,
    /// The records, in order; those that are neighbours in the log share a slice of it.
    pub messages: Vec<Bytes>,
    /// How many records there are.
    pub count: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

/// Which records a consumer wants, by their properties; see [`GetRequest::filter`] for the codes.
pub type RecordFilter<'a> = &'a (dyn Fn(&View<'_>) -> bool + Sync);

/// Reads messages of a queue. Sees nothing that is not owed: dispatch stops at what is promised.
pub(crate) async fn get(
    log: &CommitLog,
    request: &GetRequest<'_>,
    wants: Option<RecordFilter<'_>>,
) -> GetResult {
    let queue = request.queue.queue();
    // Before the end: what is not visible by then will be.
    let found = queue.found_end();
    // The end first: a minimum read later can only be higher, and then the answer is too small.
    let max = queue.dispatched().reached();
    let (from, min) = (request.from.0, queue.min_offset());
    let (status, next_begin) = match from {
        // Dispatch is still catching up with what recovery found. Whether the place lies behind
        // the end is not known before, and a consumer must not be sent back for a guess.
        _ if from >= max && max < found => (GetStatus::OffsetOverflowOne, from),
        _ if max == 0 => (GetStatus::NoMessageInQueue, 0),
        _ if from < min => (GetStatus::OffsetTooSmall, min),
        _ if from == max => (GetStatus::OffsetOverflowOne, from),
        _ if from > max => (GetStatus::OffsetOverflowBadly, max),
        _ => {
            return scan(log, request, wants, (min, max)).await;
        }
    };
    Gathered::new(log, request, wants).result(status, next_begin, min, max)
}

/// Looks at the entries of one file from the place asked for. What turns out to be damaged is put
/// on record, and the next look passes over it.
async fn scan(
    log: &CommitLog,
    request: &GetRequest<'_>,
    wants: Option<RecordFilter<'_>>,
    (min, max): (u64, u64),
) -> GetResult {
    let (queue, from) = (request.queue.queue(), request.from.0);
    let budget = SCAN_MAX.max(request.count_max).min(max - from);
    for _look in 0..=budget {
        let mut gathered = Gathered::new(log, request, wants);
        let scanned = match queue.entries(from, budget).await {
            Ok(entries) if entries.is_empty() => return without_file(gathered, max),
            Ok(entries) => gathered.take(&entries).await,
            Err(error) => Err(error.into()),
        };
        let status = match scanned {
            // The queue has not followed the log yet. A reader that was handed what comes behind
            // would never hear that something is missing.
            Ok(_) if gathered.gone_to > from => {
                let next = gathered.gone_to;
                queue.raise_min(next);
                return gathered.result(GetStatus::OffsetTooSmall, next, min.max(next), max);
            }
            Ok(_) if gathered.count > 0 => GetStatus::Found,
            Ok(_) if gathered.removed > 0 => GetStatus::MessageWasRemoving,
            Ok(_) => GetStatus::NoMatchedMessage,
            Err(unread) => match is_on_record(log, queue, &unread).await {
                Ok(true) => continue,
                known => {
                    let queue = request.queue;
                    tracing::error!(?queue, from, %unread, ?known, "a message cannot be read");
                    return gathered.result(GetStatus::ReadFailed, from, min, max);
                }
            },
        };
        let next = scanned.unwrap_or(from);
        return gathered.result(status, next, min, max);
    }
    Gathered::new(log, request, wants).result(GetStatus::ReadFailed, from, min, max)
}

/// Whether it is known now what is damaged: the record, or the entry that should lead to it. False
/// where nobody can tell, because it is not durable, or the store has failed and the cache may show
/// what a failed sync has left.
async fn is_on_record(log: &CommitLog, queue: &Queue, unread: &Unread) -> io::Result<bool> {
    let Unread::Record(Unproven { at, place, cause }) = unread else { return Ok(false) };
    if log.examine(*at).await? {
        return Ok(true);
    }
    // The log is sound there, or ends before: then it is the entry.
    let is_told = *at < log.flushed().reached() || *at >= log.appended().reached();
    if !is_told || log.refusal().is_some() || !queue.is_durable(*place) {
        return Ok(false);
    }
    if !mend(log, queue, *place).await? {
        log.quarantine().note_stray(queue, *place, cause);
    }
    Ok(true)
}

/// The answer when the place lies between the bounds and no file holds it: retention took it just
/// now, or somebody took a file out of the middle.
fn without_file(gathered: Gathered<'_>, max: u64) -> GetResult {
    let request = gathered.request;
    let (queue, from) = (request.queue.queue(), request.from.0);
    let min = queue.min_offset();
    if from < min {
        return gathered.result(GetStatus::OffsetTooSmall, min, min, max);
    }
    let next = queue.next_file_after(from).unwrap_or(max);
    tracing::error!(queue = ?request.queue, from, next, "a file of the queue is missing");
    gathered.result(GetStatus::OffsetFoundNull, next.min(max), min, max)
}

/// Why a scan ended early.
#[derive(Debug, thiserror::Error)]
enum Unread {
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// What an entry leads to is not its record.
    #[error(transparent)]
    Record(#[from] Unproven),
}

/// Whether the record passes the filter. One that is damaged does: the check of its run says so.
fn is_wanted(segment: &Segment, range: &Range<u64>, wants: RecordFilter<'_>) -> bool {
    let record = segment.slice(range.clone());
    record.map_or(true, |record| View::parse(&record).map_or(true, |view| wants(&view)))
}

/// Neighbours, in the log and in the queue.
struct Run {
    segment: Segment,
    range: Range<u64>,
    /// The place of the first in the queue.
    place: u64,
    /// Their lengths, as the queue's entries say.
    lens: Vec<u32>,
}

/// What a scan has gathered so far.
struct Gathered<'a> {
    log: &'a CommitLog,
    request: &'a GetRequest<'a>,
    wants: Option<RecordFilter<'a>>,
    messages: Vec<Bytes>,
    count: u64,
    bytes: u64,
    removed: u64,
    /// The place behind the first ones whose records retention has deleted; 0 where it has not.
    gone_to: u64,
    /// Some of it had to be read from the device, so the smaller bounds hold.
    on_disk: bool,
    /// Messages passed over because nothing can be read where they stood.
    skipped: u64,
    /// A part of the log that is in memory.
    loaded: Range<u64>,
    /// Neighbouring records that are not sliced yet.
    run: Option<Run>,
}

impl<'a> Gathered<'a> {
    fn new(
        log: &'a CommitLog,
        request: &'a GetRequest<'a>,
        wants: Option<RecordFilter<'a>>,
    ) -> Self {
        Self {
            log,
            request,
            wants,
            messages: Vec::new(),
            count: 0,
            bytes: 0,
            removed: 0,
            gone_to: 0,
            on_disk: false,
            skipped: 0,
            loaded: log.recent(),
            run: None,
        }
    }

    /// Gathers from these entries; gives the place behind the last one looked at.
    async fn take(&mut self, entries: &[u8]) -> Result<u64, Unread> {
        let queue = self.request.queue.queue();
        let mut next = self.request.from.0;
        for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
            let entry = bytes.first_chunk().and_then(Entry::decode);
            let lost = entry.is_some_and(|entry| entry.is_filler());
            if lost || self.log.quarantine().is_stray(queue, next) {
                // The message that stood here is lost.
                self.skip();
            } else if let Some(entry) = entry {
                if (self.request.filter)(entry.tags_code) && !self.offer(&entry, next).await? {
                    break;
                }
            } else {
                let cause = "the entry was never written".into();
                return Err(Unproven { at: u64::MAX, place: next, cause }.into());
            }
            next += 1;
        }
        self.end_run()?;
        Ok(next)
    }

    /// Takes the record of an entry, if it is wanted; false when there is no room for it.
    async fn offer(&mut self, entry: &Entry, place: u64) -> Result<bool, Unread> {
        let mut entry = *entry;
        if self.log.quarantine().end_of(entry.physical).is_some() {
            let Some(mended) = self.mended(&entry, place).await? else {
                self.skip();
                return Ok(true);
            };
            entry = mended;
        }
        let range = entry.physical..entry.end();
        let Some(segment) = self.segment_of(&entry) else {
            if self.is_gone(&entry, place).await? {
                self.removed += 1;
                // Whatever stood before it, lost or not wanted, is gone, too.
                if self.count == 0 {
                    self.gone_to = place + 1;
                }
                return Ok(true);
            }
            let cause = format!("no segment holds {range:?}");
            return Err(Unproven { at: range.start, place, cause }.into());
        };
        if self.gone_to > 0 {
            return Ok(false);
        }
        if range.end > segment.end() {
            let cause = format!("{range:?} ends behind its segment");
            return Err(Unproven { at: range.start, place, cause }.into());
        }
        let is_cold = self.is_cold(&segment, &range);
        self.on_disk |= is_cold;
        if self.is_full(&entry) {
            return Ok(false);
        }
        if is_cold {
            self.log.load(&segment, range.clone()).await;
        }
        if self.wants.is_none_or(|wants| is_wanted(&segment, &range, wants)) {
            self.add(segment, range, place)?;
        }
        Ok(true)
    }

    /// What the entry at `place` should be, where it leads into damage by mistake: a log's entries
    /// rise, and this one does not. An error where nobody can tell what it should be.
    async fn mended(&self, entry: &Entry, place: u64) -> io::Result<Option<Entry>> {
        let queue = self.request.queue.queue();
        let falls = |one: &Entry, next: &Entry| {
            !one.is_filler() && !next.is_filler() && one.physical >= next.physical
        };
        let before = match place.checked_sub(1) {
            Some(before) => queue.entry(before).await?,
            None => None,
        };
        let behind = if queue.is_durable(place + 1) { queue.entry(place + 1).await? } else { None };
        let is_astray = before.is_some_and(|before| falls(&before, entry))
            || behind.is_some_and(|behind| falls(entry, &behind));
        if !is_astray {
            return Ok(None);
        }
        if self.log.refusal().is_some() || !queue.is_durable(place) {
            let cause = format!("the entry at {place} leads into damage, maybe by mistake");
            return Err(io::Error::other(cause));
        }
        if mend(self.log, queue, place).await? {
            return queue.entry(place).await;
        }
        let cause = "it leads into a damaged part of the log, and its neighbours do not agree";
        self.log.quarantine().note_stray(queue, place, cause);
        Ok(None)
    }

    /// Whether retention took the record of the entry at `place`: it lies before the log, and the
    /// one before it does not lie within. Bits of one that does not stand in order have turned.
    async fn is_gone(&self, entry: &Entry, place: u64) -> io::Result<bool> {
        let Some(first) = self.log.segments().first() else { return Ok(true) };
        if entry.physical >= first.base {
            return Ok(false);
        }
        let queue = self.request.queue.queue();
        // The one before is gone, or was never here.
        if self.gone_to == place || place <= queue.min_offset() {
            return Ok(true);
        }
        let before = queue.entry(place - 1).await?.filter(|before| !before.is_filler());
        let within = first.base..self.log.visible().reached();
        Ok(before.is_none_or(|before| !within.contains(&before.physical)))
    }

    /// Passes over a message that is lost.
    fn skip(&mut self) {
        self.skipped += 1;
        self.removed += 1;
    }

    /// The segment with the record: most often that of the one before.
    fn segment_of(&self, entry: &Entry) -> Option<Segment> {
        match &self.run {
            Some(Run { segment, range, .. })
                if range.end == entry.physical && entry.end() <= segment.end() =>
            {
                Some(segment.clone())
            }
            _ => self.log.segments().find(entry.physical),
        }
    }

    /// Whether reading the range would wait for the device. The kernel is asked about more than
    /// one record at a time, and never about what was just appended.
    fn is_cold(&mut self, segment: &Segment, range: &Range<u64>) -> bool {
        if self.loaded.start <= range.start && range.end <= self.loaded.end {
            return false;
        }
        let ahead = range.start..segment.end().min(range.start + STEP_MIN).max(range.end);
        if segment.is_loaded(ahead.clone()) {
            self.loaded = ahead;
            return false;
        }
        !segment.is_loaded(range.clone())
    }

    fn is_full(&self, entry: &Entry) -> bool {
        let (count, bytes) = (self.count + 1, self.bytes + u64::from(entry.len));
        let config = self.log.config();
        let disk_is_full = count > config.disk_read_count_max || bytes > config.disk_read_bytes_max;
        self.count > 0
            && (count > self.request.count_max
                || bytes > self.request.bytes_max
                || self.on_disk && disk_is_full)
    }

    /// Adds one record: to the run if it is the neighbour of the last one, else as a new run.
    fn add(&mut self, segment: Segment, record: Range<u64>, place: u64) -> Result<(), Unread> {
        // As the entry has it, whose length is a u32.
        let len = (record.end - record.start) as u32;
        self.count += 1;
        self.bytes += u64::from(len);
        match &mut self.run {
            Some(Run { segment, range, place: first, lens })
                if (range.end, *first + lens.len() as u64) == (record.start, place)
                    && record.end <= segment.end() =>
            {
                range.end = record.end;
                lens.push(len);
            }
            _ => {
                self.end_run()?;
                self.run = Some(Run { segment, range: record, place, lens: vec![len] });
            }
        }
        Ok(())
    }

    /// Slices the run, once every record of it has proven what it is.
    fn end_run(&mut self) -> Result<(), Unread> {
        if let Some(Run { segment, range, place, lens }) = self.run.take() {
            let slice = segment.slice(range.clone())?;
            prove(&slice, range.start, self.request.queue.queue(), place, &lens)?;
            self.messages.push(slice);
        }
        Ok(())
    }

    fn result(self, status: GetStatus, next: u64, min: u64, max: u64) -> GetResult {
        self.log.quarantine().note_skipped(self.skipped);
        // A read that failed hands out nothing: its gathered half may lack the last slice.
        let found = status == GetStatus::Found;
        GetResult {
            status,
            next_begin: QueueOffset(next),
            min_offset: QueueOffset(min),
            max_offset: QueueOffset(max),
            messages: if found { self.messages } else { Vec::new() },
            count: if found { self.count } else { 0 },
            bytes: if found { self.bytes } else { 0 },
        }
    }
}
