//! Connections, requests and responses by opaque, in both directions.
//!
//! One task drives one connection: it reads, splits all complete frames, hands responses to those
//! who wait, hands the requests of one read as one batch to the service's [`FastPath`], starts one
//! task for each request that is left, and writes what is owed, vectored. Nothing on the fast path
//! costs a task, a channel, a timer or an allocation per message.
//!
//! Everything has a bound: requests in flight, answers awaited, bytes waiting to leave. Above the
//! first the peer is told `SYSTEM_BUSY`, above the second the caller is; above the third the
//! connection stops reading, so that the peer's own window fills.
//!
//! *Invariant:* this package knows no topic, no file and no role. It is handed a net, never a disk;
//! it matches a *response* to a request by opaque and connection, and never a request to anything.

mod client;
mod config;
mod connection;
mod drive;
mod error;
mod handles;
mod intake;
mod open;
mod ordinary;
mod outbox;
mod pending;
mod reply;
mod serve;
mod server;
mod shared;

pub use client::Client;
pub use config::{ClientConfig, ServerConfig};
pub use connection::Connection;
pub use error::RemotingError;
pub use handles::{ClientHandles, Handles, ServerHandles};
pub use outbox::{FrameTooLarge, Outbox};
pub use reply::Reply;
pub use serve::{FastPath, Service};
pub use server::Server;
