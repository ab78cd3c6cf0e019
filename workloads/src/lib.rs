//! Traffic, one pattern per file, through the client only; and the scenarios it runs in.
//!
//! *Invariant:* a workload knows the cluster by `hotfire_client` alone and gives no verdicts: it
//! records. The same file can drive a real cluster.

mod recorder;
pub mod scenario;
mod stage;

pub use recorder::Recorder;
pub use stage::{Stage, Workload};
