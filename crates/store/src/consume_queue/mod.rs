//! ConsumeQueues: per topic and queue, where in the CommitLog its messages stand.
//!
//! There may be 100,000 of them, so what grows with their number is listed here, with its bound:
//!
//! | What | Where | Bound |
//! |---|---|---|
//! | a queue's counters, some 400 bytes with its place in the table | `table` | one a queue |
//! | a topic's name, shared by its queues | `table` | one a topic |
//! | a file's first byte and length, 16 bytes | `queue` | one a file |
//! | open files | `shelf` | `queue_files_open_max` over all queues |
//! | queues to sync | `table` | one a queue |
//! | queues with a file that nobody needs | `outlived` | one a queue |
//! | entries gathered and not yet written | `writer` | `ENTRIES_GATHERED_MAX` over all queues |

mod clean;
mod ends;
mod entry;
mod handle;
mod outlived;
mod queue;
mod shelf;
mod table;
mod writer;

pub(crate) use ends::{Moment, encode as encode_ends, take_over as take_over_ends};
pub(crate) use entry::Entry;
pub use handle::QueueHandle;
pub(crate) use queue::{Queue, Span};
pub(crate) use table::Queues;
pub(crate) use writer::Put;
