//! A whole disk, decoded once for all properties.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{self, Checkpoint};
use super::image::{DiskImage, QueueKey};
use super::index::IndexScan;
use super::log::LogScan;
use super::marks::identities;
use super::queue::{QueueScan, scan_all};
use crate::identity::Identity;

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
            image,
        }
    }

    /// The same disk with what its device surely holds.
    #[must_use]
    pub fn on_device(self, device: DiskImage) -> Self {
        Self { device: Some(device), ..self }
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
