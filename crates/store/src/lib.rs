//! CommitLog, ConsumeQueue, dispatch, flush and recovery: messages kept, in RocketMQ's format.
//!
//! ```text
//! append ──► appended ──commit──► committed ──flush──► flushed
//!                     (pool only)     │                   │
//!                                     └─────────┬─────────┘     promised = flushed (SYNC_FLUSH)
//!                        dispatch, up to visible                        or appended (ASYNC_FLUSH)
//!                        │                                      visible  = flushed or committed
//!                        ▼
//!                  ConsumeQueues ──► dispatched, per queue ──► get
//!                  IndexFiles ─────────────────────────────► query
//! ```
//!
//! *Invariant:* this package is handed a disk and never a socket. It knows no client, no request
//! and no topic's configuration. What it acknowledges is what `promised` has reached; it never
//! moves back, and a failed sync ends it for ever.
//!
//! The formats stand in `FORMAT.md` beside the manifest.

mod checkpoint;
mod clean;
mod cold;
mod commit_log;
mod config;
mod consume_queue;
mod crowd;
mod disk_guard;
mod dispatch;
mod error;
mod flow;
mod get;
mod hours;
mod index;
pub mod inspect;
mod layout;
mod mend;
mod proof;
mod quarantine;
mod recovery;
mod recovery_watch;
mod retention;
mod search;
mod segment_set;
mod store;
mod vouch;

pub use commit_log::{Append, Appended, Appender};
pub use config::{FlushMode, PoolConfig, StoreConfig};
pub use consume_queue::QueueHandle;
pub use error::{AppendError, OpenError, ReadError, ShutdownError};
pub use flow::Busy;
pub use get::{BYTES_MAX, COUNT_MAX, GetRequest, GetResult, GetStatus, RecordFilter};
pub use hours::{Hours, HoursError};
pub use index::{QUERY_COUNT_MAX, QueryRequest, QueryResult};
pub use quarantine::Quarantined;
pub use recovery_watch::RecoveryWatch;
pub use retention::Retention;
pub use search::Boundary;
pub use store::{Store, StoreHandles};
