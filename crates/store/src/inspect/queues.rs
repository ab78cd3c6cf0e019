//! The ConsumeQueues beside the log: every record has its entry, every entry its record.
//!
//! The log is read in its own order and names the queues in turn; each queue is read in its order,
//! a block at a time. Memory: [`BLOCKS_LEN_MAX`] for all blocks together (at least
//! [`BLOCK_ENTRIES_MIN`] entries for each queue), and some 300 bytes a queue.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;

use bytes::Bytes;
use message::delay::Levels;
use message::record::View;
use message::{delay, property, tags_code_of, topic};
use runtime::Disk;

use super::finding::{Finding, Findings, Kind, Severity};
use super::survey::{Piece, QueueFiles};
use super::trust::Trust;
use crate::commit_log::takes_place;
use crate::consume_queue::Entry;
use crate::layout::{ENTRY_LEN, is_directory_name};

/// The bytes of all blocks that are held at the same time.
pub(super) const BLOCKS_LEN_MAX: u64 = 64 << 20;
/// The fewest and the most entries that are read at once.
const BLOCK_ENTRIES_MIN: u64 = 16;
const BLOCK_ENTRIES_MAX: u64 = 4096;
/// Codes up to here are addresses in RocketMQ's ConsumeQueueExt.
const EXT_ADDRESS_MAX: i64 = i32::MIN as i64 - 1;
/// Light queues: their entries belong to records of other topics.
const LIGHT_PREFIX: &str = "%LMQ%";

/// What the queues hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) queues: u64,
    pub(super) files: u64,
    /// Entries that have a record.
    pub(super) entries: u64,
    /// Entries whose record was cleaned away, and fillers.
    pub(super) gone: u64,
    /// Queues with errors that filling them again from the log mends.
    pub(super) broken: BTreeSet<(String, u32)>,
}

/// A queue with errors that filling it again from the log mends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokenQueue {
    pub(super) topic: String,
    pub(super) queue_id: u32,
    /// Whether the log has a record of it, so that its places are known when its files are gone.
    pub(super) is_in_log: bool,
}

/// All queues, each where the log has come to.
pub(super) struct Queues<'a> {
    source: Source<'a>,
    queues: BTreeMap<&'a str, BTreeMap<u32, Queue<'a>>>,
    /// Queues that the log knows and the disk does not.
    absent: BTreeMap<(String, u32), u64>,
    levels: Levels,
    trust: Trust,
    /// Where the log begins: entries of older records are right.
    log_start: u64,
    pub(super) counts: Counts,
}

/// Where entries are read from, and how many at once.
#[derive(Clone, Copy)]
struct Source<'a> {
    disk: &'a Disk,
    block: u64,
}

/// One queue.
struct Queue<'a> {
    files: &'a QueueFiles,
    /// The next place, once the log has named one.
    next: Option<u64>,
    /// The block that was read last: its first place, its bytes.
    at: u64,
    bytes: Bytes,
}

/// What stands at a place.
enum Slot {
    Nothing,
    Entry(Entry),
    Garbage,
    Unread(io::Error),
}

impl<'a> Queues<'a> {
    pub(super) fn new(
        disk: &'a Disk,
        files: &'a [QueueFiles],
        trust: Trust,
        log_start: u64,
    ) -> Self {
        let mut queues: BTreeMap<&str, BTreeMap<u32, Queue<'_>>> = BTreeMap::new();
        for files in files {
            let queue = Queue { files, next: None, at: 0, bytes: Bytes::new() };
            queues.entry(&files.topic).or_default().insert(files.queue_id, queue);
        }
        let count = files.len() as u64;
        let block = BLOCKS_LEN_MAX / ENTRY_LEN / count.max(1);
        let block = block.clamp(BLOCK_ENTRIES_MIN, BLOCK_ENTRIES_MAX);
        Self {
            source: Source { disk, block },
            queues,
            absent: BTreeMap::new(),
            levels: Levels::default(),
            trust,
            log_start,
            counts: Counts {
                queues: count,
                files: files.iter().map(|files| files.pieces.len() as u64).sum(),
                ..Counts::default()
            },
        }
    }

    /// Compares a record of the log with its queue.
    pub(super) async fn record(&mut self, view: &View<'_>, findings: &mut Findings) {
        if !takes_place(view.sys_flag) || !is_directory_name(view.topic) {
            return;
        }
        let (at, place) = (view.physical_offset.0, view.queue_offset.0);
        let severity = self.trust.severity(at, view.store_timestamp);
        let of_topic = self.queues.get_mut(view.topic);
        let Some(queue) = of_topic.and_then(|queues| queues.get_mut(&view.queue_id)) else {
            return self.record_without_queue(view, severity, findings);
        };
        let about = About { severity, findings, counts: &mut self.counts };
        let Some(mut about) = queue.advance(self.source, place, self.log_start, about).await else {
            return;
        };
        let expected = Entry { physical: at, len: view.store_size, tags_code: 0 };
        let what = match queue.slot(self.source, place).await {
            Slot::Nothing => {
                let what = format!("place {place} is empty; its record stands at {at}");
                return about.add(queue, Kind::QueueMissing, place, what);
            }
            Slot::Unread(error) => return about.add(queue, Kind::Unread, place, error.to_string()),
            Slot::Garbage => format!("place {place} holds no entry; its record stands at {at}"),
            Slot::Entry(Entry { physical, len, tags_code }) => {
                if (physical, len) == (expected.physical, expected.len) {
                    about.counts.entries += 1;
                    return check_tags(&self.levels, view, tags_code, queue, &mut about);
                }
                let right = view.store_size;
                format!("place {place} says {len} bytes at {physical}, not {right} at {at}")
            }
        };
        about.add(queue, Kind::QueueEntry, place, what);
    }

    fn record_without_queue(
        &mut self,
        view: &View<'_>,
        severity: Severity,
        findings: &mut Findings,
    ) {
        let (topic, queue_id) = (view.topic, view.queue_id);
        let seen = self.absent.entry((topic.to_owned(), queue_id)).or_default();
        *seen += 1;
        if *seen == 1 {
            let at = view.physical_offset;
            let what = format!("there is no such directory; a record of the queue stands at {at}");
            let file = format!("consumequeue/{topic}/{queue_id}");
            findings.add(Finding { severity, kind: Kind::QueueMissing, file, at: None, what });
        }
    }

    /// The broken ones, and whether the log still has a record of each.
    pub(super) fn broken(&self) -> Vec<BrokenQueue> {
        let broken = self.counts.broken.iter();
        let broken = broken.map(|(topic, queue_id)| {
            let queue = self.queues.get(topic.as_str()).and_then(|queues| queues.get(queue_id));
            let is_in_log = queue.is_some_and(|queue| queue.next.is_some());
            BrokenQueue { topic: topic.clone(), queue_id: *queue_id, is_in_log }
        });
        broken.collect()
    }

    /// Looks at what the log has not named: the files themselves, and entries behind the last.
    pub(super) async fn finish(&mut self, findings: &mut Findings) {
        let (source, log_start) = (self.source, self.log_start);
        let trust = self.trust;
        for queue in self.queues.values_mut().flat_map(BTreeMap::values_mut) {
            let severity = if trust.unclean { Severity::Note } else { Severity::Error };
            if !queue.check_files(severity, findings) && severity == Severity::Error {
                let name = (queue.files.topic.clone(), queue.files.queue_id);
                self.counts.broken.insert(name);
            }
            if queue.files.topic.starts_with(LIGHT_PREFIX) {
                let (severity, kind) = (Severity::Note, Kind::Unchecked);
                let what = "a light queue: its entries belong to other topics' records".to_owned();
                let file = queue.file_of(0).0;
                findings.add(Finding { severity, kind, file, at: None, what });
                continue;
            }
            let start = queue.next.unwrap_or_else(|| queue.first());
            let mut is_behind = false;
            for places in queue.data(source.disk, start).await {
                let mut at = places.start;
                while at < places.end {
                    let slot = queue.slot(source, at).await;
                    let severity = match &slot {
                        Slot::Entry(entry) => trust.severity(entry.physical, u64::MAX),
                        _ => trust.severity(u64::MAX, u64::MAX),
                    };
                    let mut about = About { severity, findings, counts: &mut self.counts };
                    let is_gone = |entry: &Entry| entry.is_filler() || entry.end() <= log_start;
                    match slot {
                        Slot::Nothing => is_behind = true,
                        Slot::Entry(entry) if queue.next.is_none() && is_gone(&entry) => {
                            about.counts.gone += 1;
                        }
                        slot => about.stray(queue, at, &slot, is_behind),
                    }
                    at += 1;
                }
            }
            queue.bytes = Bytes::new();
        }
    }
}

/// Where findings of one place go.
struct About<'a> {
    severity: Severity,
    findings: &'a mut Findings,
    counts: &'a mut Counts,
}

impl About<'_> {
    fn add(&mut self, queue: &Queue<'_>, kind: Kind, place: u64, what: String) {
        let (file, at) = queue.file_of(place);
        let severity = if kind == Kind::Unread { Severity::Error } else { self.severity };
        let is_entry = !matches!(kind, Kind::Unread | Kind::PlaceGap | Kind::PlaceTwice);
        if is_entry && severity == Severity::Error {
            self.counts.broken.insert((queue.files.topic.clone(), queue.files.queue_id));
        }
        self.findings.add(Finding { severity, kind, file, at: Some(at), what });
    }

    /// An entry that no record stands behind.
    fn stray(&mut self, queue: &Queue<'_>, place: u64, slot: &Slot, is_behind: bool) {
        let what = match slot {
            Slot::Unread(error) => return self.add(queue, Kind::Unread, place, error.to_string()),
            Slot::Nothing => return,
            Slot::Garbage => format!("place {place} holds bytes that are no entry"),
            Slot::Entry(entry) if entry.is_filler() => {
                format!("place {place} is a filler, where the log has no message to come")
            }
            Slot::Entry(entry) => {
                let (len, physical) = (entry.len, entry.physical);
                format!("place {place} says {len} bytes at {physical}: no record has this place")
            }
        };
        let behind = if is_behind { ", and it stands behind the queue's end" } else { "" };
        self.add(queue, Kind::QueueDangling, place, what + behind);
    }
}

impl Queue<'_> {
    /// Comes to `place`, which a record has. `None` when there is nothing to compare there.
    async fn advance<'b>(
        &mut self,
        source: Source<'_>,
        place: u64,
        log_start: u64,
        mut about: About<'b>,
    ) -> Option<About<'b>> {
        let next = self.next.replace(place + 1);
        match next {
            None => self.check_gone(source, self.first()..place, log_start, &mut about).await,
            Some(next) if place < next => {
                self.next = Some(next);
                let what = format!("place {place} again, after place {}", next - 1);
                about.add(self, Kind::PlaceTwice, place, what);
                return None;
            }
            Some(next) if place > next => {
                let what = format!("after place {} comes place {place}", next - 1);
                about.add(self, Kind::PlaceGap, next, what);
                let holes = next..place.min(next + self.held_places());
                self.check_gone(source, holes, 0, &mut about).await;
            }
            Some(_) => {}
        }
        Some(about)
    }

    /// Places before the first record that is still there: fillers and older entries.
    async fn check_gone(
        &mut self,
        source: Source<'_>,
        places: Range<u64>,
        log_start: u64,
        about: &mut About<'_>,
    ) {
        for place in places {
            match self.slot(source, place).await {
                Slot::Entry(entry) if entry.is_filler() || entry.end() <= log_start => {
                    about.counts.gone += 1;
                }
                slot => about.stray(self, place, &slot, false),
            }
        }
    }

    /// What stands at a place.
    async fn slot(&mut self, source: Source<'_>, place: u64) -> Slot {
        let held = self.at..self.at + self.bytes.len() as u64 / ENTRY_LEN;
        if !held.contains(&place) {
            match self.read(source, place).await {
                Ok(bytes) => (self.at, self.bytes) = (place, bytes),
                Err(error) => return Slot::Unread(error),
            }
        }
        let from = ((place - self.at) * ENTRY_LEN) as usize;
        let bytes = self.bytes.get(from..).and_then(|bytes| bytes.first_chunk());
        match bytes.map(|bytes| (Entry::decode(bytes), bytes)) {
            None => Slot::Nothing,
            Some((Some(entry), _)) => Slot::Entry(entry),
            Some((None, bytes)) if *bytes == [0; ENTRY_LEN as usize] => Slot::Nothing,
            Some(_) => Slot::Garbage,
        }
    }

    /// Up to a block of entries from `place` on, of one file; none when there is no such file.
    async fn read(&self, source: Source<'_>, place: u64) -> io::Result<Bytes> {
        let byte = place * ENTRY_LEN;
        let piece = self.files.pieces.iter().rfind(|piece| piece.base <= byte);
        let Some(piece) = piece.filter(|piece| byte < piece.end()) else {
            return Ok(Bytes::new());
        };
        let file = source.disk.open_sparse(&piece.path).await?;
        let from = byte - piece.base;
        file.slice(from, (source.block * ENTRY_LEN).min(file.len().saturating_sub(from)))
    }

    /// The places from `start` on where something may stand, by file.
    async fn data(&self, disk: &Disk, start: u64) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        for piece in &self.files.pieces {
            let end = match disk.open_sparse(&piece.path).await {
                Ok(file) => piece.base + file.data_end().unwrap_or(piece.len).min(piece.len),
                Err(_) => piece.end(),
            };
            let places = (piece.base / ENTRY_LEN).max(start)..end.div_ceil(ENTRY_LEN);
            ranges.extend(Some(places).filter(|places| !places.is_empty()));
        }
        ranges
    }

    /// The place that the first file begins with.
    fn first(&self) -> u64 {
        self.files.pieces.first().map_or(0, |piece| piece.base / ENTRY_LEN)
    }

    /// How many places its files have.
    fn held_places(&self) -> u64 {
        self.files.pieces.iter().map(|piece| piece.len / ENTRY_LEN).sum()
    }

    /// The file of a place and the byte in it.
    fn file_of(&self, place: u64) -> (String, u64) {
        let byte = place * ENTRY_LEN;
        match self.files.pieces.iter().rfind(|piece| piece.base <= byte && byte < piece.end()) {
            Some(piece) => (piece.path.clone(), byte - piece.base),
            None => (self.files.directory.clone(), byte),
        }
    }

    /// Whether each file begins where the one before it ends, and holds whole entries.
    fn check_files(&self, severity: Severity, findings: &mut Findings) -> bool {
        let mut is_sound = true;
        let mut add = |piece: &Piece, what: String| {
            is_sound = false;
            let kind = Kind::QueueFile;
            findings.add(Finding { severity, kind, file: piece.path.clone(), at: None, what });
        };
        for piece in &self.files.pieces {
            if piece.len % ENTRY_LEN != 0 || piece.base % ENTRY_LEN != 0 {
                let (base, len) = (piece.base, piece.len);
                add(piece, format!("no whole number of entries: it starts at {base}, {len} long"));
            }
        }
        for pair in self.files.pieces.windows(2) {
            if pair[0].end() != pair[1].base {
                let expected = pair[0].end();
                add(&pair[1], format!("the file before it ends at {expected}, not here"));
            }
        }
        is_sound
    }
}

/// The tags code of an entry, against the record's.
fn check_tags(
    levels: &Levels,
    view: &View<'_>,
    code: i64,
    queue: &Queue<'_>,
    about: &mut About<'_>,
) {
    let place = view.queue_offset.0;
    let hash = view.property(property::TAGS).map_or(0, tags_code_of);
    if code == hash && view.topic != topic::SCHEDULE || code <= EXT_ADDRESS_MAX {
        return;
    }
    let delay = view.property(property::DELAY).filter(|_| view.topic == topic::SCHEDULE);
    let level = delay.and_then(|text| std::str::from_utf8(text).ok()).and_then(delay::level);
    let Some(delay_ms) = level.and_then(|level| levels.delay_ms(level)) else {
        if code != hash {
            let what = format!("place {place} has the code {code}, its record's tags have {hash}");
            about.add(queue, Kind::QueueTags, place, what);
        }
        return;
    };
    let due = view.store_timestamp.saturating_add(delay_ms) as i64;
    if code != due {
        // Levels can be configured otherwise, so this is no proof of anything.
        about.severity = about.severity.min(Severity::Warning);
        let why = if code == hash {
            ", but the code of its tags (a RocketMQ that rebuilt the queue)"
        } else {
            ""
        };
        let what = format!("place {place} is due at {due} ms, and its code is {code}{why}");
        about.add(queue, Kind::QueueTags, place, what);
    }
}
