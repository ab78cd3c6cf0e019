//! All queues of a store, by topic and number.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::queue::Queue;
use crate::layout::Layout;
use crate::segment_set::SegmentSet;

type Topics = BTreeMap<String, BTreeMap<u32, Arc<Queue>>>;

/// The queues of a store.
pub(crate) struct Queues {
    layout: Layout,
    topics: RwLock<Topics>,
}

impl Queues {
    /// A store without queues.
    pub(crate) fn new(layout: Layout) -> Self {
        Self { layout, topics: RwLock::default() }
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
        let segments = SegmentSet::new(self.layout.queue(topic, queue_id));
        self.add(Queue::new(topic, queue_id, segments))
    }

    /// Adds a queue, unless there is one by now; gives the one that counts.
    pub(crate) fn add(&self, queue: Queue) -> Arc<Queue> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let queues = topics.entry(queue.topic().into()).or_default();
        queues.entry(queue.queue_id()).or_insert_with(|| Arc::new(queue)).clone()
    }

    /// All of them, by topic and number.
    pub(crate) fn all(&self) -> Vec<Arc<Queue>> {
        self.read().values().flat_map(BTreeMap::values).cloned().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Topics> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }
}
