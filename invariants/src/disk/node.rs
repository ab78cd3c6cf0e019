//! A whole disk, decoded once for all properties.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;

use super::checkpoint::{self, Checkpoint};
use super::image::{DiskImage, QueueKey, number, segments};
use super::index::IndexScan;
use super::log::{LogScan, Record};
use super::marks::identities;
use super::queue::{QueueScan, scan_all};
use crate::identity::Identity;

/// How much room a node has, and when it makes some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all.
    pub capacity: u64,
    /// So long the node keeps records, in ms.
    pub kept_ms: u64,
    /// Above this part of its disk, in percent, it deletes whatever the age.
    pub forcible_percent: u64,
}

/// A disk, decoded.
#[derive(Clone, Debug)]
pub struct NodeDisk {
    /// The node it is of.
    pub node: String,
    /// The files.
    pub image: DiskImage,
    /// The CommitLog.
    pub log: LogScan,
    /// The ConsumeQueues.
    pub queues: BTreeMap<QueueKey, QueueScan>,
    /// The IndexFiles.
    pub index: IndexScan,
    /// Every identity whose mark stands anywhere in a CommitLog file, read or not.
    pub marks: BTreeSet<Identity>,
    /// The checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the file is there that stands while a store runs.
    pub abort: bool,
    /// What the device surely holds, where somebody asked it: the least that a power loss leaves.
    pub device: Option<DiskImage>,
    /// How much room there is, where somebody asked.
    pub room: Option<Room>,
}

impl NodeDisk {
    /// Decodes a disk.
    pub fn new(node: impl Into<String>, image: DiskImage) -> Self {
        Self {
            node: node.into(),
            log: LogScan::of(&image),
            queues: scan_all(&image),
            index: IndexScan::of(&image),
            marks: identities(&image),
            checkpoint: checkpoint::read(&image),
            abort: has_abort(&image),
            device: None,
            room: None,
            image,
        }
    }

    /// The same disk with what its device surely holds.
    #[must_use]
    pub fn on_device(self, device: DiskImage) -> Self {
        Self { device: Some(device), ..self }
    }

    /// The same disk with how much room there is.
    #[must_use]
    pub fn with_room(self, room: Room) -> Self {
        Self { room: Some(room), ..self }
    }

    /// These bytes of the CommitLog, whatever stands before them; `None` when they lie in no file.
    pub fn log_bytes(&self, range: Range<u64>) -> Option<Bytes> {
        let mut files = segments(&self.image, |parts| parts.last() == Some(&"commitlog"));
        let holds = |base: u64, len: u64| base <= range.start && range.end <= base + len;
        let (_, base, bytes) = files.find(|(_, base, bytes)| holds(*base, bytes.len() as u64))?;
        Some(bytes.slice((range.start - base) as usize..(range.end - base) as usize))
    }

    /// What a reader finds who looks at that place of the CommitLog, whatever stands before it.
    pub fn record_at(&self, address: u64) -> Option<Record> {
        let size = number::<4>(&self.log_bytes(address..address + 4)?, 0)?;
        Record::of(&self.log_bytes(address..address + size)?, address)
    }

    /// Where the files of the CommitLog begin.
    pub fn log_files(&self) -> Vec<u64> {
        let files = segments(&self.image, |parts| parts.last() == Some(&"commitlog"));
        let mut bases: Vec<u64> = files.map(|(_, base, _)| base).collect();
        bases.sort_unstable();
        bases
    }

    /// Whether the device surely holds the file that stands while a store runs; where nobody asked
    /// the device, whether the disk shows it.
    pub fn abort_is_durable(&self) -> bool {
        self.device.as_ref().map_or(self.abort, has_abort)
    }
}

fn has_abort(image: &DiskImage) -> bool {
    image.keys().any(|path| path.rsplit('/').next() == Some("abort"))
}
