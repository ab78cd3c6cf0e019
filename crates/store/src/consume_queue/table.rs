//! All queues of a store, by topic and number.

use std::collections::BTreeMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use indexmap::IndexMap;
use runtime::Disk;
use runtime::sync::Watermark;

use super::outlived::Outlived;
use super::queue::{Common, Queue};
use super::shelf::Shelf;
use crate::config::StoreConfig;
use crate::layout::Layout;
use crate::segment_set::RemoveError;

/// In the order in which they came. A tree compares some fifteen names on the way to one of 20,000,
/// each a look into memory. The hasher has no key of its own: it would be drawn.
type Topics = IndexMap<Arc<str>, BTreeMap<u32, Arc<Queue>>, BuildHasherDefault<DefaultHasher>>;

/// The queues of a store.
pub(crate) struct Queues {
    common: Arc<Common>,
    topics: RwLock<Topics>,
    /// Those with entries, names or zeros that may not be durable; each at most once.
    dirty: Mutex<Vec<Arc<Queue>>>,
    /// More dirty queues than this are synced by one sync of everything.
    syncs_max: u64,
}

impl Queues {
    /// A store without queues.
    pub(crate) fn new(disk: Disk, layout: Layout, config: &StoreConfig) -> Self {
        let shelf = Shelf::new(disk, config.queue_files_open_max);
        let file_entries = config.queue_segment_entries;
        Self {
            common: Arc::new(Common { shelf, layout, file_entries, outlived: Outlived::default() }),
            topics: RwLock::default(),
            dirty: Mutex::default(),
            syncs_max: config.queue_syncs_max,
        }
    }

    /// The queue, if there is one. Does not allocate.
    pub(crate) fn find(&self, topic: &str, queue_id: u32) -> Option<Arc<Queue>> {
        self.read().get(topic)?.get(&queue_id).cloned()
    }

    /// The queue, new and empty if there was none. Nothing reaches the disk before its first
    /// message.
    pub(crate) fn get(&self, topic: &str, queue_id: u32) -> Arc<Queue> {
        if let Some(queue) = self.find(topic, queue_id) {
            return queue;
        }
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        // The queues of a topic share its name.
        let topic: Arc<str> = match topics.get_key_value(topic) {
            Some((topic, _)) => topic.clone(),
            None => topic.into(),
        };
        let queues = topics.entry(topic.clone()).or_default();
        let make = || Arc::new(Queue::new(self.common.clone(), topic, queue_id));
        queues.entry(queue_id).or_insert_with(make).clone()
    }

    /// All of them, by topic and number.
    pub(crate) fn all(&self) -> Vec<Arc<Queue>> {
        let topics = self.read();
        let mut topics: Vec<_> = topics.iter().collect();
        topics.sort_unstable_by_key(|(topic, _)| *topic);
        topics.into_iter().flat_map(|(_, queues)| queues.values()).cloned().collect()
    }

    /// How many queue files are open.
    pub(crate) fn files_open(&self) -> usize {
        self.common.shelf.len()
    }

    /// Notes that a queue was written to, or its files changed.
    pub(crate) fn note_dirty(&self, queue: &Arc<Queue>) {
        if !queue.set_listed(true) {
            self.dirty().push(queue.clone());
        }
    }

    /// Lets go of what points to records below `min_physical`; see [`Queue::clean`]. Call it when
    /// the log has lost a segment, not more often: it looks into a file of every queue. Gives how
    /// many files went.
    ///
    /// # Errors
    /// [`RemoveError`]; the queues that come after are as before.
    pub(crate) async fn clean(&self, min_physical: u64) -> Result<u64, RemoveError> {
        let mut removed = 0;
        for queue in self.all() {
            removed += queue.clean(min_physical).await?;
        }
        Ok(removed)
    }

    /// Lets go of files that were stale while they were the last of their queue, and are not any
    /// more. Looks into no other queue.
    ///
    /// # Errors
    /// [`RemoveError`]; again comes back to the queues that are left.
    pub(crate) async fn clean_outlived(&self, min_physical: u64) -> Result<(), RemoveError> {
        let outlived = &self.common.outlived;
        while let Some((topic, queue_id)) = outlived.take() {
            let Some(queue) = self.find(&topic, queue_id) else { continue };
            if let Err(error) = queue.clean(min_physical).await {
                outlived.keep(&topic, queue_id);
                return Err(error);
            }
        }
        Ok(())
    }

    /// How often a queue came to have such a file.
    pub(crate) fn outlived(&self) -> &Watermark {
        self.common.outlived.noted()
    }

    /// Makes every entry durable that was written before the call. Visits the dirty queues alone;
    /// when they are many, or one of their files was closed meanwhile, one sync of everything
    /// takes the place of theirs.
    ///
    /// # Errors
    /// Final; names the queue if it is known.
    pub(crate) async fn sync(&self) -> Result<(), SyncError> {
        let dirty = std::mem::take(&mut *self.dirty());
        // From here on a write lists its queue again.
        for queue in &dirty {
            queue.set_listed(false);
        }
        let shelf = &self.common.shelf;
        if dirty.len() as u64 <= self.syncs_max && !shelf.has_closed_dirty() {
            for queue in &dirty {
                let synced = queue.sync().await;
                let name = || format!("{}/{}", queue.topic(), queue.queue_id());
                synced.map_err(|error| SyncError { queue: name(), error })?;
            }
            // Closed before we came to it, its failure may be forgotten.
            if !shelf.has_closed_dirty() {
                return Ok(());
            }
        }
        runtime::sometimes!("all queues are synced at once");
        let confirmed: Vec<_> = dirty.iter().map(|queue| queue.to_sync()).collect();
        shelf.syncing_all();
        let synced = shelf.disk().sync_all().await;
        synced.map_err(|error| SyncError { queue: "all".into(), error })?;
        for (queue, confirmed) in dirty.iter().zip(&confirmed) {
            queue.synced(confirmed);
        }
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Topics> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn dirty(&self) -> MutexGuard<'_, Vec<Arc<Queue>>> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sync that failed.
#[derive(Debug, thiserror::Error)]
#[error("ConsumeQueue {queue}: sync failed: {error}")]
pub(crate) struct SyncError {
    queue: String,
    error: io::Error,
}
