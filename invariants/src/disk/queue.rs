//! ConsumeQueues: entries of twenty bytes.

use std::collections::BTreeMap;

use super::image::{DiskImage, QueueKey, number, segments};

const ENTRY_LEN: u64 = 20;
/// The size in an entry that only fills a place: of a file's front up to the first real one, or one
/// whose message is gone.
const FILLER_SIZE: u64 = 0x7fff_ffff;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Its place in the queue.
    pub offset: u64,
    /// Where the record stands in the log.
    pub address: u64,
    /// The record's length.
    pub size: u64,
    /// The code of the record's tag.
    pub tags_code: i64,
}

impl QueueEntry {
    /// The offset of the log behind its record. Saturates, as its bits may have turned.
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }

    /// Whether it says that no message stands there.
    pub fn is_filler(&self) -> bool {
        self.address == 0 && self.size == FILLER_SIZE
    }
}

/// What a ConsumeQueue holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueScan {
    /// The entries, from the lowest offset on, without a gap.
    pub entries: Vec<QueueEntry>,
    /// What stands where the next entry should, if that is not zeros.
    pub damage: Option<String>,
    /// The byte behind the last entry that is not zero, in the queue's bytes.
    pub residue: Option<u64>,
}

impl QueueScan {
    /// One more than the highest offset.
    pub fn max(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.offset + 1)
    }
}

/// Every queue of a disk.
pub(super) fn scan_all(image: &DiskImage) -> BTreeMap<QueueKey, QueueScan> {
    let mut files: BTreeMap<QueueKey, BTreeMap<u64, &[u8]>> = BTreeMap::new();
    let is_queue = |parts: &[&str]| parts.len() >= 3 && parts[parts.len() - 3] == "consumequeue";
    for (parts, base, bytes) in segments(image, is_queue) {
        let (topic, queue_id) = (parts[parts.len() - 2], parts[parts.len() - 1]);
        if let Ok(queue_id) = queue_id.parse() {
            files.entry((topic.to_owned(), queue_id)).or_default().insert(base, bytes);
        }
    }
    files.into_iter().map(|(key, files)| (key, scan(&files))).collect()
}

fn scan(files: &BTreeMap<u64, &[u8]>) -> QueueScan {
    let mut queue = QueueScan::default();
    let mut next = files.keys().next().copied().unwrap_or(0);
    let mut end = next;
    for (base, bytes) in files {
        if *base != next || base % ENTRY_LEN != 0 {
            queue.damage = Some(format!("no file starts at byte {next}"));
            break;
        }
        next = base + bytes.len() as u64;
        end = base + read_file(&mut queue, *base, bytes) * ENTRY_LEN;
        if end < next {
            break;
        }
    }
    queue.residue = files.iter().find_map(|(base, bytes)| {
        let skip = (end.saturating_sub(*base) as usize).min(bytes.len());
        let at = bytes[skip..].iter().position(|byte| *byte != 0)?;
        Some(base + (skip + at) as u64)
    });
    queue
}

/// Reads one file; how many entries it holds before the queue ends in it.
fn read_file(queue: &mut QueueScan, base: u64, bytes: &[u8]) -> u64 {
    let mut count = 0;
    for (at, entry) in bytes.chunks(ENTRY_LEN as usize).enumerate() {
        let offset = base / ENTRY_LEN + at as u64;
        let fields = (number::<8>(entry, 0), number::<4>(entry, 8), number::<8>(entry, 12));
        let (Some(address), Some(size), Some(tags_code)) = fields else { break };
        if size == 0 {
            if address != 0 || tags_code != 0 {
                queue.damage = Some(format!("the entry at offset {offset} has no size"));
            }
            break;
        }
        count += 1;
        if address == 0 && size == FILLER_SIZE && queue.entries.is_empty() {
            continue;
        }
        let tags_code = tags_code as i64;
        queue.entries.push(QueueEntry { offset, address, size, tags_code });
    }
    count
}
