//! Cleaning: old segments go, from the head of the log; and nothing is taken while the disk is
//! nearly full.
//!
//! *Invariant:* what goes is the log's oldest file, and only one that is not written any more,
//! whose records are dispatched and vouched for. The log's lowest offset rises before the file
//! goes, the removal is durable before the next one, and the first that cannot go ends the pass.
//!
//! `decide` says what goes, without a handle; `task` does it.

mod decide;
mod task;

pub(crate) use task::{Cleaner, Wishes};
