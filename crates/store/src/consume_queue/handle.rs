//! A queue as the broker holds it.

use std::fmt;
use std::sync::Arc;

use message::QueueOffset;
use runtime::sync::{Closed, Watermark};

use super::queue::Queue;

/// One queue of one topic. Cheap to clone: look it up once and keep it.
#[derive(Clone)]
pub struct QueueHandle(Arc<Queue>);

impl QueueHandle {
    pub(crate) fn new(queue: Arc<Queue>) -> Self {
        Self(queue)
    }

    pub(crate) fn queue(&self) -> &Arc<Queue> {
        &self.0
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        self.0.topic()
    }

    /// The number of the queue in its topic.
    pub fn queue_id(&self) -> u32 {
        self.0.queue_id()
    }

    /// Says that a message will be appended soon. Of many queues each is out of the processor's
    /// cache; who has several messages says so for all of them before it takes the append lock, and
    /// the looks into memory overlap, instead of following each other under the lock.
    pub fn touch(&self) {
        self.0.touch();
    }

    /// The first message that is still stored.
    pub fn min_offset(&self) -> QueueOffset {
        QueueOffset(self.0.min_offset())
    }

    /// The place behind the last message that is visible.
    pub fn max_offset(&self) -> QueueOffset {
        QueueOffset(self.0.dispatched().reached())
    }

    /// The place behind the last message that is known: after a restart, dispatch has to make
    /// visible what recovery found, and until then this lies behind [`QueueHandle::max_offset`].
    pub fn known_end(&self) -> QueueOffset {
        QueueOffset(self.0.found_end().max(self.0.dispatched().reached()))
    }

    /// Whether everything that recovery found is visible.
    pub fn is_caught_up(&self) -> bool {
        // The known end first: what is visible may rise in between, and then it is.
        self.0.found_end() <= self.0.dispatched().reached()
    }

    /// Returns once everything that recovery found is visible; at once in ordinary life.
    ///
    /// # Errors
    /// [`Closed`] when the queue will show no more.
    pub async fn caught_up(&self) -> Result<(), Closed> {
        self.0.dispatched().wait(self.0.found_end()).await
    }

    /// Rises with [`QueueHandle::max_offset`]: a consumer at the tail waits for its offset + 1.
    pub fn dispatched(&self) -> &Watermark {
        self.0.dispatched()
    }
}

impl fmt::Debug for QueueHandle {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}/{}", self.topic(), self.queue_id())
    }
}
