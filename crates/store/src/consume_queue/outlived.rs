//! Queues whose last file was stale and is not the last any more.
//!
//! Scenario that this is for: 1. the log loses a segment, and with it every message of a queue; 2.
//! its last file stays, because it says where the queue goes on; 3. the next message begins a new
//! file. The log may lose nothing more for days, and nobody would come back for the old file.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::sync::Watermark;

/// The queues to look at again; each at most once, so they are bounded by the queues.
#[derive(Default)]
pub(super) struct Outlived {
    queues: Mutex<BTreeSet<(Arc<str>, u32)>>,
    /// How often one was noted: what the cleaner waits for.
    noted: Watermark,
}

impl Outlived {
    /// Notes a queue.
    pub(super) fn note(&self, topic: &Arc<str>, queue_id: u32) {
        self.locked().insert((topic.clone(), queue_id));
        self.noted.raise_to(self.noted.reached() + 1);
    }

    /// Notes a queue again whose file could not be removed; whoever looks comes back by himself.
    pub(super) fn keep(&self, topic: &Arc<str>, queue_id: u32) {
        self.locked().insert((topic.clone(), queue_id));
    }

    /// Takes one of them.
    pub(super) fn take(&self) -> Option<(Arc<str>, u32)> {
        self.locked().pop_first()
    }

    /// How often one was noted.
    pub(super) fn noted(&self) -> &Watermark {
        &self.noted
    }

    fn locked(&self) -> MutexGuard<'_, BTreeSet<(Arc<str>, u32)>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
