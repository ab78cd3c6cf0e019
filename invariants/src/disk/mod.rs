//! The raw bytes of a node's disk, read by a decoder that shares no code with the product.
//!
//! A store that reads its own files back with its own code agrees with its own mistakes. What
//! stands here was written from the format's description (internals.md §1) alone: it uses neither
//! `message::record` nor the store, only the nouns' names. It reads files of any length, finds them
//! by the last parts of their paths, and never fails: what it cannot read it reports as damage.

mod crc;
mod log;
mod marks;
mod offsets;
mod properties;
mod queue;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

pub use log::{LogScan, Record, Stop};
pub use marks::identities;
pub use offsets::{GroupOffsets, OffsetsError, consumer_offsets};
pub use queue::{QueueEntry, QueueScan};

use crate::identity::Identity;

/// The files of a node: path → content. Directories are not in it.
pub type DiskImage = BTreeMap<String, Bytes>;

/// One queue of a topic, on a disk.
pub type QueueKey = (String, u32);

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
    /// Every identity whose mark stands anywhere in a CommitLog file, read or not.
    pub marks: BTreeSet<Identity>,
}

impl NodeDisk {
    /// Decodes a disk.
    pub fn new(node: impl Into<String>, image: DiskImage) -> Self {
        Self {
            node: node.into(),
            log: LogScan::of(&image),
            queues: queue::scan_all(&image),
            marks: identities(&image),
            image,
        }
    }
}

/// The numbered files whose directory's path satisfies `wanted`, by number.
fn segments<'a>(
    image: &'a DiskImage,
    wanted: impl Fn(&[&str]) -> bool + 'a,
) -> impl Iterator<Item = (Vec<&'a str>, u64, &'a Bytes)> {
    image.iter().filter_map(move |(path, bytes)| {
        let mut parts: Vec<&str> = path.split('/').collect();
        let name = parts.pop()?;
        let is_number = name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
        let number = name.parse().ok().filter(|_| is_number)?;
        wanted(&parts).then_some((parts, number, bytes))
    })
}

/// A big-endian number of `N` bytes at `at`, if it is there.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let digits = bytes.get(at..at.checked_add(N)?)?;
    Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
