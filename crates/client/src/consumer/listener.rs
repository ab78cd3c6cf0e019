//! What a user of a push consumer provides: the listener, and what it is called with.

use message::{MessageExt, MessageQueue};
use runtime::Boxed;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumeStatus {
    /// Done: the messages will not be delivered to this group again, unless progress is lost.
    Success,
    /// Not done: deliver the same messages again, later.
    Later,
}

/// Messages of one queue, handed over in one call.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The queue they were pulled from.
    pub queue: MessageQueue,
    /// At least one, with rising offsets.
    pub messages: Vec<MessageExt>,
    /// How often these were handed over before and came back [`ConsumeStatus::Later`].
    pub failures: u32,
}

/// Consumes messages.
///
/// Calls run concurrently, also for one queue, up to the consumer's bound. Each message is handed
/// over at least once; again after a failure, after a change of the group's members, or when
/// progress was lost with a process. A call still running when the consumer shuts down may be
/// dropped.
pub trait MessageListener: Send + Sync + 'static {
    /// Consumes the delivery.
    fn consume<'a>(&'a self, delivery: &'a Delivery) -> Boxed<'a, ConsumeStatus>;
}
