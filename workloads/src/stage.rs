//! What a client of a workload is given, and what a workload is.

use runtime::sync::Stop;
use runtime::{Boxed, Runtime};

use crate::recorder::Recorder;

/// Everything one client of a workload can reach, on its node. A client that is killed and started
/// again is given a new one with the doors of its new incarnation.
#[derive(Clone)]
pub struct Stage {
    /// The node's doors. Randomness for decisions comes from the plan, not from here.
    pub runtime: Runtime,
    /// Every name server, `HOST:PORT`.
    pub namesrv: Vec<String>,
    /// Where to note what happens.
    pub recorder: Recorder,
    /// How often this client was started before, from 0.
    pub incarnation: u32,
    /// Raised when nothing new shall be sent: finish what is under way, then return.
    pub quiet: Stop,
    /// Raised when everything is drained: leave properly (commit, unregister), then return.
    pub leave: Stop,
}

/// A kind of traffic with its plan drawn: a value that can be stored and run again.
pub trait Workload: Send + Sync {
    /// The clients it consists of, by node name, such as `producer-0`. Each gets a node of its own.
    fn clients(&self) -> Vec<String>;
    /// Runs one client (an index into [`Workload::clients`]) until it has done its part. Only
    /// records, never asserts. It may be dropped at any await: its node can be killed.
    fn drive(&self, client: usize, stage: Stage) -> Boxed<'static, ()>;
    /// The groups that must have drained at the end, with the topics each is subscribed to.
    fn groups(&self) -> Vec<(String, Vec<String>)>;
    /// The topics it sends to.
    fn topics(&self) -> Vec<String>;
}
