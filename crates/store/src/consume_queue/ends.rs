//! The ends of all queues in one file, written by a clean end: 100,000 queues are opened without a
//! look into any of their files.
//!
//! ```text
//! magic 8 │ durable to 8 │ queue entries 8 │ log's first offset 8 │ queues 8
//! each:  topic's length 2 │ topic │ queue 4 │ first place 8 │ end 8
//! CRC-32 of all before 4                                               (big-endian)
//! ```

use std::sync::Arc;

use super::queue::{Queue, Span};
use super::table::Queues;
use crate::layout::ENTRY_LEN;

const MAGIC: [u8; 8] = *b"hotqueue";
/// Magic, three numbers, the count.
const HEAD_LEN: usize = 40;
/// Length of the topic, number, two places.
const QUEUE_LEN: usize = 22;
const CRC_LEN: usize = 4;

/// The moment that the file speaks of. It says nothing about any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The checkpoint's.
    pub(crate) durable_to: u64,
    /// The checkpoint's: the sum of all ends.
    pub(crate) queue_entries: u64,
    /// The first offset of the log.
    pub(crate) log_first: u64,
}

/// The file's bytes.
pub(crate) fn encode(queues: &Queues, moment: &Moment) -> Vec<u8> {
    let stored = stored(queues);
    let count = stored.len() as u64;
    let mut bytes = Vec::with_capacity(HEAD_LEN + stored.len() * (QUEUE_LEN + 16) + CRC_LEN);
    bytes.extend_from_slice(&MAGIC);
    for number in [moment.durable_to, moment.queue_entries, moment.log_first, count] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    for queue in stored {
        // A topic that is a directory has at most 255 bytes.
        bytes.extend_from_slice(&(queue.topic().len() as u16).to_be_bytes());
        bytes.extend_from_slice(queue.topic().as_bytes());
        bytes.extend_from_slice(&queue.queue_id().to_be_bytes());
        bytes.extend_from_slice(&queue.min_offset().to_be_bytes());
        bytes.extend_from_slice(&queue.end().to_be_bytes());
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// Takes over what the file says, if it speaks of this moment and of exactly these queues and
/// their files. Says whether it did; if not, nothing is changed.
pub(crate) fn take_over(bytes: &[u8], queues: &Queues, moment: &Moment) -> bool {
    let stored = stored(queues);
    let Some(ends) = decode(bytes, &stored, moment) else { return false };
    let fit = stored.iter().zip(&ends).all(|(queue, (min, end))| fits(&queue.spans(), *min, *end));
    if !fit || ends.iter().map(|(_, end)| end).sum::<u64>() != moment.queue_entries {
        return false;
    }
    for (queue, (min, end)) in stored.iter().zip(ends) {
        queue.recovered(min, end, false);
    }
    true
}

/// The first place and the end of each of these queues.
fn decode(bytes: &[u8], stored: &[Arc<Queue>], moment: &Moment) -> Option<Vec<(u64, u64)>> {
    let (content, crc) = bytes.split_at_checked(bytes.len().checked_sub(CRC_LEN)?)?;
    if crc != crc32fast::hash(content).to_be_bytes() {
        return None;
    }
    let mut rest = Rest(content);
    let is_ours = rest.take::<8>()? == MAGIC
        && rest.number()? == moment.durable_to
        && rest.number()? == moment.queue_entries
        && rest.number()? == moment.log_first
        && rest.number()? == stored.len() as u64;
    if !is_ours {
        return None;
    }
    let mut ends = Vec::with_capacity(stored.len());
    for queue in stored {
        let len = u16::from_be_bytes(rest.take()?);
        let (topic, behind) = rest.0.split_at_checked(usize::from(len))?;
        rest.0 = behind;
        let queue_id = u32::from_be_bytes(rest.take()?);
        if topic != queue.topic().as_bytes() || queue_id != queue.queue_id() {
            return None;
        }
        ends.push((rest.number()?, rest.number()?));
    }
    rest.0.is_empty().then_some(ends)
}

/// Those with files, by topic and number: the others have nothing to say, and no directory.
fn stored(queues: &Queues) -> Vec<Arc<Queue>> {
    let mut all = queues.all();
    all.retain(|queue| !queue.spans().is_empty());
    all
}

/// Whether the files follow each other and the queue ends in the last of them.
fn fits(spans: &[Span], min: u64, end: u64) -> bool {
    let whole = spans
        .iter()
        .all(|span| span.base.is_multiple_of(ENTRY_LEN) && span.len.is_multiple_of(ENTRY_LEN));
    let follow = spans.windows(2).all(|pair| pair[0].end() == pair[1].base);
    let ends = spans.last().is_some_and(|last| last.first() <= end && end <= last.behind());
    whole && follow && ends && min <= end
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }
}
