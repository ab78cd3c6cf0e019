//! Traffic, one pattern per file, through the client only; and the scenarios it runs in.
//!
//! *Invariant:* a workload knows the cluster by `hotfire_client` alone and gives no verdicts: it
//! records. The same file can drive a real cluster.

mod attempts;
mod body;
pub mod consume;
mod listener;
pub mod lookup;
pub mod probe;
pub mod produce;
mod reader;
mod recorder;
pub mod scenario;
pub mod settle;
pub mod smaller;
mod stage;
pub mod traffic;

pub use listener::Behaviour;
pub use reader::ReaderPlan;
pub use recorder::Recorder;
pub use stage::{Stage, Workload};
