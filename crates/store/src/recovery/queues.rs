//! Recovery of the queues: open their files and cut them back to what the checkpoint vouches for.
//! What was behind is dispatched again from the log.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use message::record::View;
use runtime::{Disk, Entry as Found, EntryKind};

use crate::commit_log::{Bad, Found as InLog, next_at, next_sound, record_at};
use crate::config::StoreConfig;
use crate::consume_queue::{Entry, Moment, Queue, Queues, Span, take_over_ends};
use crate::crowd::all_of;
use crate::error::OpenError;
use crate::layout::{ENTRY_LEN, Layout, join, segment_base};
use crate::quarantine::Quarantine;
use crate::segment_set::SegmentSet;

/// How many entries before the end of a queue are looked at one by one.
const LAST_ENTRIES: u64 = 512;

/// Finds every queue that has a directory, and its files, by one walk; opens none of them. An
/// empty file is the rest of a creation that a crash cut short: it is removed. What is neither a
/// queue's directory nor a file of one is left alone.
pub(super) async fn open(
    disk: &Disk,
    layout: &Layout,
    config: &StoreConfig,
) -> Result<Queues, OpenError> {
    let queues = Queues::new(disk.clone(), layout.clone(), config);
    let root = layout.queues();
    let failed = |error| OpenError::disk(&root, error);
    let mut last: Option<Arc<Queue>> = None;
    for found in disk.walk(&root).await.map_err(failed)? {
        let Some(name) = Name::parse(&found) else {
            let name = found.name;
            tracing::warn!(directory = root, name, "no file of a ConsumeQueue; ignored");
            continue;
        };
        let Name { topic, queue_id: Some(queue_id), base } = name else { continue };
        let queue = match last.take() {
            // The files of a queue follow each other.
            Some(last) if last.queue_id() == queue_id && last.topic() == topic => last,
            _ => queues.get(topic, queue_id),
        };
        match base {
            Some(_) if found.len == 0 => {
                disk.remove_file(&join(&root, &found.name)).await.map_err(failed)?;
            }
            Some(base) => queue.add_span(Span { base, len: found.len }),
            None => {}
        }
        last = Some(queue);
    }
    Ok(queues)
}

/// A path below the directory of the queues: `topic/queue/file`, or the start of one.
struct Name<'a> {
    topic: &'a str,
    queue_id: Option<u32>,
    base: Option<u64>,
}

impl<'a> Name<'a> {
    fn parse(found: &'a Found) -> Option<Self> {
        let mut parts = found.name.split('/');
        let (topic, queue, file) = (parts.next()?, parts.next(), parts.next());
        let is_file = found.kind == EntryKind::File;
        if parts.next().is_some() || is_file != file.is_some() {
            return None;
        }
        // "+7" and "07" read as numbers, too, but are nobody's.
        let queue_id = match queue {
            Some(name) => Some(name.parse().ok().filter(|id: &u32| id.to_string() == name)?),
            None => None,
        };
        let base = match file {
            Some(name) => Some(segment_base(name)?),
            None => None,
        };
        Some(Self { topic, queue_id, base })
    }
}

/// Takes over the ends that a clean shutdown has written, if they are those of this `moment`: no
/// file of a queue is looked into then. Says whether it did.
pub(super) async fn take_over(
    disk: &Disk,
    layout: &Layout,
    queues: &Queues,
    moment: Option<Moment>,
) -> Result<bool, OpenError> {
    let Some(moment) = moment else { return Ok(false) };
    let path = layout.queue_ends();
    match disk.read(&path).await {
        Ok(bytes) => Ok(take_over_ends(&bytes, queues, &moment)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::disk(&path, error)),
    }
}

/// What the entries of queues lead to.
pub(super) struct Beneath<'a> {
    /// The log, of which nothing is cut yet.
    pub(super) log: &'a SegmentSet,
    /// Where what is found damaged goes.
    pub(super) quarantine: &'a Quarantine,
    /// The checkpoint vouches for everything below this offset.
    pub(super) vouched: u64,
    /// By segment, how far it was looked through for damage.
    examined: Mutex<BTreeMap<u64, u64>>,
}

impl<'a> Beneath<'a> {
    pub(super) fn new(log: &'a SegmentSet, quarantine: &'a Quarantine, vouched: u64) -> Self {
        Self { log, quarantine, vouched, examined: Mutex::default() }
    }

    /// Whether the log is damaged at `offset`, which is vouched for: then an entry that leads there
    /// may well be right. Reads its segment from the start on, as nothing else is known to be the
    /// start of a record, and each part of it once.
    fn is_damaged(&self, offset: u64) -> io::Result<bool> {
        let Some(segment) = self.log.find(offset) else { return Ok(true) };
        let mut examined = self.examined.lock().unwrap_or_else(PoisonError::into_inner);
        let at = examined.entry(segment.base).or_insert(segment.base);
        while *at <= offset {
            if let Some(to) = self.quarantine.end_of(*at) {
                *at = to;
                continue;
            }
            match next_at(&segment, *at) {
                Ok(InLog::Record(record)) => *at += record.len() as u64,
                Ok(InLog::SegmentEnd) => *at = segment.end(),
                Err(Bad::Disk(error)) => return Err(error),
                Err(bad) => {
                    let limit = self.vouched.min(segment.end());
                    let to = next_sound(self.log, *at + 1, limit)?;
                    self.quarantine.add(*at, to, &bad.to_string());
                    *at = to;
                }
            }
        }
        Ok(self.quarantine.end_of(offset).is_some())
    }
}

/// Cuts every queue back to the entries of records below what is vouched for. Says whether all of
/// them were sound; otherwise they must be filled from the start of the log.
pub(super) async fn cut(queues: &Queues, beneath: &Beneath<'_>) -> Result<bool, OpenError> {
    let sound = &AtomicBool::new(true);
    let cut = |queue: Arc<Queue>| async move {
        let is_sound = cut_one(queues, &queue, beneath).await;
        let is_sound = is_sound.map_err(|error| OpenError::disk(&queue.directory(), error))?;
        sound.fetch_and(is_sound, Ordering::Relaxed);
        Ok(())
    };
    all_of(queues.all().into_iter().map(cut)).await?;
    Ok(sound.load(Ordering::Relaxed))
}

async fn cut_one(queues: &Queues, queue: &Arc<Queue>, beneath: &Beneath<'_>) -> io::Result<bool> {
    drop_misfits(queue).await?;
    let scanned = vouched_end(queue, beneath.vouched).await?;
    let end = match scanned {
        Some(scanned) => matching_end(queue, beneath, scanned).await?,
        None => None,
    };
    let Some(end) = end else {
        queue.remove_from(0).await?;
        return Ok(scanned.is_none());
    };
    let (later, zeroed) = match queue.span(end) {
        Some(file) => (file.end(), queue.zero_from(file, end).await?),
        None => (end * ENTRY_LEN, false),
    };
    queue.remove_from(later).await?;
    queue.recovered(first_message(queue, beneath.log, end).await?, end, zeroed);
    if zeroed {
        queues.note_dirty(queue);
    }
    Ok(scanned == Some(end))
}

/// Removes files from the first on that does not follow the one before, or that no whole number
/// of entries fits into.
async fn drop_misfits(queue: &Queue) -> io::Result<()> {
    let mut expected = None;
    for file in queue.spans() {
        let fits = file.len.is_multiple_of(ENTRY_LEN) && file.base.is_multiple_of(ENTRY_LEN);
        if !fits || expected.is_some_and(|expected| expected != file.base) {
            let (directory, Span { base, len }) = (queue.directory(), file);
            tracing::error!(directory, base, len, "a ConsumeQueue file does not fit; removed");
            return queue.remove_from(file.base).await;
        }
        expected = Some(file.end());
    }
    Ok(())
}

/// The position behind the last entry that the checkpoint vouches for; `None` when there is none.
///
/// All of those are durable and in the order of the log. What stands behind is nothing, or entries
/// of later records: whatever was there is made zero at every start. So the end can be halved for.
async fn vouched_end(queue: &Queue, vouched: u64) -> io::Result<Option<u64>> {
    let spans = queue.spans();
    let (mut low, mut high) = (0, spans.len());
    while low < high {
        let middle = low.midpoint(high);
        if is_vouched(queue, spans[middle].first(), vouched).await? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let Some(file) = low.checked_sub(1).map(|last| spans[last]) else { return Ok(None) };
    // No further than there is data: a look into a hole takes a page of memory, and 100,000 queues
    // would each take one for every halving.
    let (mut low, mut high) = (file.first() + 1, queue.data_behind(file).await?);
    while low < high {
        let middle = low.midpoint(high);
        if is_vouched(queue, middle, vouched).await? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    in_order(queue, file.first(), low).await.map(Some)
}

/// Whether the checkpoint vouches for the entry at `at`, if there is one.
async fn is_vouched(queue: &Queue, at: u64, vouched: u64) -> io::Result<bool> {
    let entry = queue.entry(at).await?;
    Ok(entry.is_some_and(|entry| entry.is_filler() || entry.end() <= vouched))
}

/// `end`, or a position before it where the last entries stop to be there in the log's order.
async fn in_order(queue: &Queue, first: u64, end: u64) -> io::Result<u64> {
    let from = first.max(end.saturating_sub(LAST_ENTRIES));
    let entries = queue.entries(from, end - from).await?;
    let (mut at, mut order) = (from, 0);
    for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
        let Some(entry) = bytes.first_chunk().and_then(Entry::decode) else { break };
        if !entry.is_filler() {
            if entry.physical < order {
                break;
            }
            order = entry.end();
        }
        at += 1;
    }
    Ok(at)
}

/// The position behind the last entry, at `end` or before, whose record says that it is its own, or
/// is lost.
async fn matching_end(queue: &Queue, beneath: &Beneath<'_>, end: u64) -> io::Result<Option<u64>> {
    let Some(first) = queue.spans().first().copied() else { return Ok(None) };
    let mut end = end;
    while end > first.first() {
        if matches(queue, beneath, end - 1).await? {
            return Ok(Some(end));
        }
        let queue_id = queue.queue_id();
        tracing::error!(topic = queue.topic(), queue_id, at = end - 1, "an entry points astray");
        end -= 1;
    }
    Ok(None)
}

/// Whether the entry at `at` points to the record that has this place, or to one that is gone, or
/// to where the log is damaged.
///
/// Scenario that the last is for: 1. a message is durable and consumed, and the group's offset lies
/// behind it; 2. its record rots; 3. a start cuts its entry, and gives its place to the next
/// message; 4. the group never asks for that one.
async fn matches(queue: &Queue, beneath: &Beneath<'_>, at: u64) -> io::Result<bool> {
    let Some(entry) = queue.entry(at).await? else { return Ok(false) };
    let log = beneath.log;
    let first = log.first().map_or(0, |segment| segment.base);
    if entry.is_filler() || entry.physical < first {
        return Ok(true);
    }
    // Bits of it have turned: it was vouched for, and leads to where nothing is. The log knows
    // better.
    if entry.end() > beneath.vouched {
        return Ok(false);
    }
    let Some(segment) = log.find(entry.physical) else { return Ok(true) };
    let record = match record_at(&segment, entry.physical) {
        Ok(record) => record,
        // What cannot be read is unknown, and no reason to cut what is vouched for.
        Err(Bad::Disk(error)) => return Err(error),
        Err(_) => return beneath.is_damaged(entry.physical),
    };
    let is_its_own = View::parse(&record).is_ok_and(|record| {
        record.queue_offset.0 == at
            && record.queue_id == queue.queue_id()
            && record.topic == queue.topic()
            && record.store_size == entry.len
    });
    Ok(is_its_own || beneath.is_damaged(entry.physical)?)
}

/// The first position before `end` whose message is still in the log; `end` when none is.
async fn first_message(queue: &Queue, log: &SegmentSet, end: u64) -> io::Result<u64> {
    let log_first = log.first().map_or(0, |segment| segment.base);
    queue.first_at(log_first, end).await
}
