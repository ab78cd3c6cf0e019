//! Who watches a member of a group: what it owns, where it goes on, what it commits.

use message::{MessageQueue, QueueOffset};

/// Watches a push consumer. Called within its tasks, so it must be quick; every method does
/// nothing unless it is written.
pub trait GroupObserver: Send + Sync + 'static {
    /// These, and no others, are its queues now.
    fn rebalanced(&self, _queues: &[MessageQueue]) {}

    /// It begins a queue at this offset, or goes on there because the broker said so; what comes
    /// next from the queue may lie further back than what came before.
    fn begins(&self, _queue: &MessageQueue, _at: QueueOffset) {}

    /// A broker acknowledged the commit of this offset.
    fn committed(&self, _queue: &MessageQueue, _offset: QueueOffset) {}
}

/// Nobody watches.
pub(crate) struct Unwatched;

impl GroupObserver for Unwatched {}
