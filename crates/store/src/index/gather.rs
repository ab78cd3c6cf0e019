//! What dispatch collects from the records of one chunk, to be committed in one write.

use std::io;
use std::sync::Arc;

use message::record::View;

use super::key::{Key, hash_below, keys_of, prefix_hash};
use super::set::Index;
use crate::checkpoint::IndexMark;

/// Dispatch's end of the index.
pub(crate) struct Gather {
    index: Arc<Index>,
    /// Not committed yet. One chunk of the log at most.
    keys: Vec<Key>,
    /// The topic of the last record and the hash that its keys go onto: messages of one topic tend
    /// to follow each other.
    topic: String,
    prefix: i32,
    /// The keys of records before this offset were taken or are there.
    next: u64,
}

impl Gather {
    /// An end without anything collected.
    pub(crate) fn new(index: Arc<Index>) -> Self {
        let next = index.start();
        Self { index, keys: Vec::new(), topic: String::new(), prefix: prefix_hash(""), next }
    }

    /// Collects the keys of a record, unless the index has them.
    pub(crate) fn put(&mut self, view: &View<'_>) {
        let physical = view.physical_offset.0;
        if physical < self.next || !self.index.is_enabled() {
            return;
        }
        self.next = physical + u64::from(view.store_size);
        if self.topic != view.topic {
            view.topic.clone_into(&mut self.topic);
            self.prefix = prefix_hash(view.topic);
        }
        let (prefix, store_timestamp) = (self.prefix, view.store_timestamp);
        self.keys.extend(keys_of(view).map(|key| Key {
            hash: hash_below(prefix, key),
            physical,
            store_timestamp,
        }));
    }

    /// Commits what was collected, and what an earlier try left. Gives what a checkpoint may say
    /// of it once it is synced.
    ///
    /// # Errors
    /// What the disk says; to be tried again.
    pub(crate) async fn commit(&mut self) -> io::Result<IndexMark> {
        self.index.commit(&mut self.keys).await
    }
}
