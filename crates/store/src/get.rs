//! Reading a queue: RocketMQ's statuses, and always a place to go on from.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use message::QueueOffset;
use message::record::{FIXED_LEN, PHYSICAL_OFFSET_AT, View};

use crate::cold::STEP_MIN;
use crate::commit_log::CommitLog;
use crate::consume_queue::{Entry, QueueHandle};
use crate::layout::ENTRY_LEN;
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
            let gathered = Gathered::new(log, request, wants);
            return scan(gathered, min, max).await;
        }
    };
    Gathered::new(log, request, wants).result(status, next_begin, min, max)
}

/// Looks at the entries of one file from the place asked for.
async fn scan(mut gathered: Gathered<'_>, min: u64, max: u64) -> GetResult {
    let request = gathered.request;
    let (queue, from) = (request.queue.queue(), request.from.0);
    let budget = SCAN_MAX.max(request.count_max).min(max - from);
    let scanned = match queue.entries(from, budget).await {
        Ok(entries) if entries.is_empty() => return without_file(gathered, max),
        Ok(entries) => gathered.take(&entries).await,
        Err(error) => Err(error),
    };
    let (status, next) = match scanned {
        Ok(next) if gathered.count > 0 => (GetStatus::Found, next),
        Ok(next) if gathered.removed > 0 => (GetStatus::MessageWasRemoving, next),
        Ok(next) => (GetStatus::NoMatchedMessage, next),
        Err(error) => {
            tracing::error!(queue = ?request.queue, from, %error, "a message cannot be read");
            (GetStatus::ReadFailed, from)
        }
    };
    gathered.result(status, next, min, max)
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

/// Whether records follow each other in these bytes of the log from `offset` on, by size and
/// place. After a failed sync the cache may show something else, which nobody shall be handed.
fn are_records(bytes: &[u8], offset: u64) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        let head = bytes.get(at..at + FIXED_LEN).unwrap_or_default();
        let size = head.first_chunk().map_or(0, |size| u32::from_be_bytes(*size) as usize);
        let place = head.get(PHYSICAL_OFFSET_AT..).and_then(|rest| rest.first_chunk());
        if size < FIXED_LEN || place != Some(&(offset + at as u64).to_be_bytes()) {
            return false;
        }
        at += size;
    }
    at == bytes.len()
}

/// Whether the record passes the filter. One that is damaged does: the check of its run says so.
fn is_wanted(segment: &Segment, range: &Range<u64>, wants: RecordFilter<'_>) -> bool {
    let record = segment.slice(range.clone());
    record.map_or(true, |record| View::parse(&record).map_or(true, |view| wants(&view)))
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
    /// Some of it had to be read from the device, so the smaller bounds hold.
    on_disk: bool,
    /// A part of the log that is in memory.
    loaded: Range<u64>,
    /// Neighbouring records that are not sliced yet, and their segment.
    run: Option<(Segment, Range<u64>)>,
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
            on_disk: false,
            loaded: log.recent(),
            run: None,
        }
    }

    /// Gathers from these entries; gives the place behind the last one looked at. What was
    /// gathered before an error is kept whole.
    async fn take(&mut self, entries: &[u8]) -> io::Result<u64> {
        let mut next = self.request.from.0;
        for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
            let entry = bytes.first_chunk().and_then(Entry::decode);
            let Some(entry) = entry else {
                return Err(io::Error::other(format!("entry {next} was never written")));
            };
            if entry.is_filler() {
                // The message that stood here is lost.
                self.skip();
            } else if (self.request.filter)(entry.tags_code) && !self.offer(&entry).await? {
                break;
            }
            next += 1;
        }
        self.end_run()?;
        Ok(next)
    }

    /// Takes the record of an entry, if it is wanted; false when there is no room for it.
    async fn offer(&mut self, entry: &Entry) -> io::Result<bool> {
        let range = entry.physical..entry.end();
        if self.log.quarantine().end_of(range.start).is_some() {
            self.skip();
            return Ok(true);
        }
        let Some(segment) = self.segment_of(entry) else {
            self.removed += 1;
            return Ok(true);
        };
        let is_cold = self.is_cold(&segment, &range);
        self.on_disk |= is_cold;
        if self.is_full(entry) {
            return Ok(false);
        }
        if is_cold {
            self.log.load(&segment, range.clone()).await;
        }
        if self.wants.is_none_or(|wants| is_wanted(&segment, &range, wants)) {
            self.add(segment, range)?;
        }
        Ok(true)
    }

    /// Passes over a message that is lost.
    fn skip(&mut self) {
        self.log.quarantine().note_skipped();
        self.removed += 1;
    }

    /// The segment with the record: most often that of the one before.
    fn segment_of(&self, entry: &Entry) -> Option<Segment> {
        match &self.run {
            Some((segment, run)) if run.end == entry.physical && entry.end() <= segment.end() => {
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
    fn add(&mut self, segment: Segment, record: Range<u64>) -> io::Result<()> {
        self.count += 1;
        self.bytes += record.end - record.start;
        match &mut self.run {
            Some((last, run)) if run.end == record.start && record.end <= last.end() => {
                run.end = record.end;
            }
            _ => {
                self.end_run()?;
                self.run = Some((segment, record));
            }
        }
        Ok(())
    }

    fn end_run(&mut self) -> io::Result<()> {
        if let Some((segment, run)) = self.run.take() {
            let slice = segment.slice(run.clone())?;
            if !are_records(&slice, run.start) {
                return Err(io::Error::other(format!("no whole records stand at {run:?}")));
            }
            self.messages.push(slice);
        }
        Ok(())
    }

    fn result(self, status: GetStatus, next: u64, min: u64, max: u64) -> GetResult {
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

#[cfg(test)]
mod tests {
    use message::record::Fields;
    use message::{PhysicalOffset, SysFlag};

    use super::*;

    fn record(offset: u64, body: &[u8]) -> Vec<u8> {
        let host = std::net::SocketAddr::from(([10, 0, 0, 1], 1));
        let fields = Fields {
            queue_id: 0,
            flag: 0,
            queue_offset: QueueOffset(0),
            physical_offset: PhysicalOffset(offset),
            sys_flag: SysFlag(0),
            born_timestamp: 0,
            born_host: host,
            store_timestamp: 0,
            store_host: host,
            reconsume_times: 0,
            prepared_transaction_offset: PhysicalOffset(0),
            body_crc: 0,
            body,
            topic: "T",
            properties: &[],
        };
        fields.encode()
    }

    #[test]
    fn only_records_in_their_places_are_handed_out() {
        let first = record(4096, b"first");
        let both = [first.clone(), record(4096 + first.len() as u64, b"second")].concat();
        assert!(are_records(&both, 4096));
        assert!(!are_records(&both, 4097), "elsewhere");
        assert!(!are_records(&both[..both.len() - 1], 4096), "cut short");
        assert!(!are_records(&vec![0; 300], 4096), "zeros");
        assert!(!are_records(&[first.clone(), first].concat(), 4096), "the same twice");
    }
}
