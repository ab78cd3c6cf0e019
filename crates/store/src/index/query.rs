//! Looking messages up by key.

use std::io;

use bytes::Bytes;
use message::PhysicalOffset;
use message::record::View;

use super::format::{ENTRY_LEN, Entry, SLOT_LEN};
use super::key::{has_key, key_hash};
use super::set::{Head, Index};
use crate::commit_log::CommitLog;
use crate::error::ReadError;
use crate::search::meant_at;

/// The most messages in one answer: RocketMQ's `maxMsgsNumBatch`.
pub const QUERY_COUNT_MAX: usize = 64;
/// The most entries that one lookup reads. A chain of a full file has four on average; one that
/// is longer than this belongs to a key of very many messages, asked for at an old time.
const QUERY_ENTRIES_MAX: u32 = 1 << 16;
/// How far the clock is believed to have stepped back: entries so much older than what is asked
/// for are still read, because records behind them may be younger than they.
const CLOCK_STEP_MS_MAX: u64 = 3_600_000;

/// Which messages are looked for.
#[derive(Clone, Copy, Debug)]
pub struct QueryRequest<'a> {
    /// The topic.
    pub topic: &'a str,
    /// A unique key or one word of KEYS.
    pub key: &'a str,
    /// The most messages wanted; never more than [`QUERY_COUNT_MAX`].
    pub count_max: usize,
    /// Not stored before this, in ms.
    pub begin_ms: u64,
    /// Not stored after this, in ms.
    pub end_ms: u64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct QueryResult {
    /// Records, in the order of the log: the newest of those that match.
    pub messages: Vec<Bytes>,
    /// Whether there may be more that match and are older: the lookup read as many entries as one
    /// may, or found as many messages as were wanted.
    pub cut_short: bool,
    /// When the last message that is in the index was stored, in ms; 0 when none is.
    pub index_timestamp: u64,
    /// Where its record stands in the CommitLog.
    pub index_physical: u64,
}

/// One lookup under way.
struct Lookup<'a> {
    log: &'a CommitLog,
    request: &'a QueryRequest<'a>,
    hash: u32,
    entries_left: u32,
    /// Newest first.
    found: Vec<(u64, Bytes)>,
    /// The newest record that cannot be compared because it is damaged.
    damaged: Option<ReadError>,
}

/// Looks messages up: newest file first, each chain from its newest entry on. A record is read and
/// compared before it is handed out, for different keys may have one hash.
pub(crate) async fn query(
    index: &Index,
    log: &CommitLog,
    request: &QueryRequest<'_>,
) -> Result<QueryResult, ReadError> {
    let hash = key_hash(request.topic, request.key.as_bytes());
    // First, so that whatever lies before it is in the files.
    let (index_timestamp, index_physical) = index.last_update();
    let (entries_left, found) = (QUERY_ENTRIES_MAX, Vec::new());
    let mut lookup = Lookup { log, request, hash, entries_left, found, damaged: None };
    for head in index.heads(hash) {
        if lookup.is_over() {
            break;
        }
        lookup.walk(&head).await?;
    }
    let cut_short = lookup.is_over();
    // "Not there" would be a guess: it may be what was looked for.
    if let Some(damaged) = lookup.damaged.filter(|_| lookup.found.is_empty()) {
        return Err(damaged);
    }
    let mut found = lookup.found;
    found.sort_unstable_by_key(|(physical, _)| *physical);
    let messages = found.into_iter().map(|(_, record)| record).collect();
    Ok(QueryResult { messages, cut_short, index_timestamp, index_physical })
}

impl Lookup<'_> {
    /// Whether nothing more is to be read.
    fn is_over(&self) -> bool {
        self.found.len() >= self.request.count_max.min(QUERY_COUNT_MAX) || self.entries_left == 0
    }

    /// Walks along the chain of one file.
    async fn walk(&mut self, head: &Head) -> Result<(), ReadError> {
        let header = &head.header;
        let begin = header.begin_timestamp;
        if begin > self.request.end_ms.saturating_add(CLOCK_STEP_MS_MAX) {
            return Ok(());
        }
        let unreadable = |source| ReadError::Disk { offset: PhysicalOffset(0), source };
        let mut number = match head.newest {
            Some(number) => number,
            None => read_slot(head, self.hash).map_err(unreadable)?,
        };
        while number > 0 && number < header.count && !self.is_over() {
            self.entries_left -= 1;
            let entry = read_entry(head, number).map_err(unreadable)?;
            if entry.hash == self.hash {
                self.take(entry.physical).await?;
            }
            let stored = begin.saturating_add(u64::from(entry.seconds) * 1000);
            if stored.saturating_add(CLOCK_STEP_MS_MAX) < self.request.begin_ms {
                break;
            }
            // Chains lead back in the file; one that does not would never end.
            if entry.previous >= number {
                break;
            }
            number = entry.previous;
        }
        Ok(())
    }

    /// Takes the record in, if it is one that is looked for.
    async fn take(&mut self, physical: u64) -> Result<(), ReadError> {
        if self.found.iter().any(|(found, _)| *found == physical) {
            return Ok(());
        }
        let record = match meant_at(self.log, PhysicalOffset(physical)).await {
            Err(damaged @ ReadError::Damaged { .. }) => {
                self.damaged.get_or_insert(damaged);
                return Ok(());
            }
            record => record?,
        };
        let Some(record) = record else { return Ok(()) };
        let QueryRequest { topic, key, begin_ms, end_ms, .. } = *self.request;
        let matches = View::parse(&record).is_ok_and(|view| {
            (begin_ms..=end_ms).contains(&view.store_timestamp)
                && has_key(&view, topic, key.as_bytes())
        });
        if matches {
            self.found.push((physical, record));
        }
        Ok(())
    }
}

fn read_slot(head: &Head, hash: u32) -> io::Result<u32> {
    let at = head.shape.slot_at(head.shape.slot_of(hash));
    let bytes = head.file.slice(at, SLOT_LEN)?;
    Ok(bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes)))
}

fn read_entry(head: &Head, number: u32) -> io::Result<Entry> {
    let bytes = head.file.slice(head.shape.entry_at(number), ENTRY_LEN)?;
    let missing = || io::Error::from(io::ErrorKind::UnexpectedEof);
    Ok(Entry::decode(bytes.first_chunk().ok_or_else(missing)?))
}
