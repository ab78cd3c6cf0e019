//! ConsumeQueues: per topic and queue, where in the CommitLog its messages stand.

mod entry;
mod file_set;
mod handle;
mod queue;
mod table;

pub(crate) use entry::Entry;
pub use handle::QueueHandle;
pub(crate) use queue::{Put, Queue};
pub(crate) use table::Queues;
