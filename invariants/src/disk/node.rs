//! A whole disk, decoded once for all properties.

use std::collections::{BTreeMap, BTreeSet};

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
            image,
        }
    }
}
