//! A request, served: the broker, where store and remoting meet.
//!
//! ```text
//! connection ── one read ──► fast_send ── appends, one lock ──► store ──► owed ──► replies
//!      │                         (sends of known topics)
//!      └── the other frames ──► processor/<verb> ──► put ──► completion ──► reply
//! ```
//!
//! The tables (topics, groups, offsets, members, locks) are pure and take the time as an argument;
//! `tables`, `offset_file`, `carried` and `jobs` are where they meet disk and clock.
//!
//! *Invariant:* this package decodes no frame and lays out no byte on disk. A change that a client
//! was told of (a topic, a group) is on disk before it is told; a send is answered SEND_OK only
//! through `completion::is_kept`; nothing here queues without a bound.

mod admission;
mod broker;
mod carried;
mod commit;
mod completion;
mod config;
mod config_file;
mod consumer_filters;
mod consumers;
mod error;
mod fast_send;
mod gate;
mod groups;
mod jobs;
mod members;
mod offset_file;
mod offsets;
mod owed;
mod processor;
mod producers;
mod properties;
mod put;
mod queue_locks;
mod refusal;
mod registration;
mod serving;
mod state;
mod subscription;
mod tables;
mod topics;

pub use broker::Broker;
pub use config::BrokerConfig;
pub use error::{ShutdownError, StartError};
