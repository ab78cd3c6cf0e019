//! Why a store could not be looked at.

use std::io;

/// A store was not inspected, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is nothing that looks like a store.
    #[error("there is no commitlog directory here; give the store's root (storePathRootDir)")]
    NoStore,
    /// The disk refused what everything else needs.
    #[error("{path}: {source}; check the disk and the permissions")]
    Disk {
        /// What was read or changed.
        path: String,
        /// What the disk says.
        source: io::Error,
    },
    /// No record starts where one was asked for.
    #[error("no record starts at offset {offset}{}; see where they do without it", and_next(*next))]
    NoRecord {
        /// What was asked for.
        offset: u64,
        /// Where the next one starts, if there is one.
        next: Option<u64>,
    },
    /// There is no such queue.
    #[error(
        "there is no ConsumeQueue of {topic}/{queue_id}; leave out --queue to read the CommitLog"
    )]
    NoQueue {
        /// The topic.
        topic: String,
        /// The number of the queue.
        queue_id: u32,
    },
}

impl InspectError {
    pub(super) fn disk(path: &str, source: io::Error) -> Self {
        Self::Disk { path: path.into(), source }
    }
}

fn and_next(next: Option<u64>) -> String {
    next.map_or_else(String::new, |at| format!(", the next one starts at {at}"))
}
