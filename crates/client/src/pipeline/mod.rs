//! Pipelines: one connection with many requests in flight, for measuring and for catching up.
//!
//! They keep no task, no timer and no allocation per message: many requests are encoded into one
//! buffer and leave in one write, and all answers of one read are looked at together. In exchange
//! they have no route, no retry and no pool: one address, one connection, and its first error ends
//! the run.

mod error;
mod pull;
mod send;
mod wire;

pub use error::PipelineError;
pub use pull::{PullLane, PullPage, PullPipeline, PullPipelineConfig};
pub use send::{Outgoing, Reply, SendPipeline, SendPipelineConfig};
