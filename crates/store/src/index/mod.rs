//! The IndexFiles: messages by key, in RocketMQ's format.
//!
//! ```text
//! dispatch ──► Gather ──commit──► Index ──► newest file   (slots in memory, entries in the file)
//!                                   │
//!              query ◄──────────────┴─────► older files   (all on the disk)
//! ```
//!
//! *Invariant:* a key is found no earlier than its message is visible, and everything found is read
//! from the log and compared. Entries are derived: what is damaged is made anew from the log.

mod active;
mod format;
mod gather;
mod key;
mod name;
mod open;
mod query;
mod set;

pub(crate) use gather::Gather;
pub(crate) use open::{Claim, open};
pub(crate) use query::query;
pub use query::{QUERY_COUNT_MAX, QueryRequest, QueryResult};
pub(crate) use set::{Index, SyncError};
