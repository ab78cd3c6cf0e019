//! What a run is: everything that is decided before it begins.

use serde::{Deserialize, Serialize};
use workloads::traffic::Traffic;

use crate::strike::Strike;

/// A run, fully resolved. What is still drawn while it runs (latencies, which tasks go first, what
/// a crash takes) comes from streams of `seed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The scenario it was drawn from, for the reader: nothing is looked up there any more.
    pub scenario: String,
    /// The scenario's title.
    pub title: String,
    /// Where the remaining streams start.
    pub seed: u64,
    /// Whether `buggify!` sites of the product may misbehave.
    pub buggify: bool,
    /// Whether somebody sends to every queue after the heal. Where nobody does, a member that waits
    /// for ever is not woken by it.
    #[serde(default)]
    pub probes: bool,
    /// When the run is cut off, in ms of simulated time, if it is: nobody settles then, and the
    /// verdict is what was seen until then.
    #[serde(default)]
    pub cut_ms: Option<u64>,
    /// Whether all clients live on one node, [`TOGETHER`], instead of one each: what is easier to
    /// look at. Only where nothing strikes a client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    /// How long each phase lasts.
    pub phases: Phases,
    /// The name servers' nodes.
    pub namesrvs: Vec<String>,
    /// Who stays dead for ever after the heal.
    #[serde(default)]
    pub stay_dead: Vec<String>,
    /// Who stays half cut off for ever after the heal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_off: Vec<CutOff>,
    /// The brokers.
    #[serde(rename = "broker")]
    pub brokers: Vec<BrokerPlan>,
    /// Every fault, in order of its time.
    #[serde(rename = "strike", default)]
    pub strikes: Vec<Strike>,
    /// What clients do.
    pub traffic: Vec<Traffic>,
}

/// The node of clients that live together.
pub const TOGETHER: &str = "clients";

/// A node that lives, and whose ways to or from everybody else stay cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutOff {
    /// The node.
    pub node: String,
    /// Whether it still hears the others, and is not heard; otherwise the other way round.
    pub hears: bool,
}

/// The phases after the preparation, in ms of true time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Traffic without faults.
    pub calm_ms: u64,
    /// Traffic with faults.
    pub fault_ms: u64,
    /// The most that draining may take.
    pub settle_ms: u64,
}

/// `flushDiskType`, drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flush {
    /// SYNC_FLUSH.
    Sync,
    /// ASYNC_FLUSH.
    Async,
}

/// One broker: a master of its own, with everything in which it differs from the product's
/// defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerPlan {
    /// Its node.
    pub node: String,
    /// What an acknowledgement waits for.
    pub flush: Flush,
    /// Whether appends go to private buffers first, under ASYNC_FLUSH.
    pub pool: bool,
    /// Whether it has few buffers and commits them rarely.
    #[serde(default)]
    pub pool_scarce: bool,
    /// How long it keeps messages, in ms, at any hour; without, for RocketMQ's 72 h at its hour.
    #[serde(default)]
    pub kept_ms: Option<u64>,
    /// The size of its disk in bytes, where it is a small one.
    #[serde(default)]
    pub disk_bytes: Option<u64>,
    /// Bytes of a CommitLog file.
    pub segment_size: u64,
    /// Entries of a ConsumeQueue file.
    pub queue_segment_entries: u64,
    /// Slots of an IndexFile.
    pub index_slots: u32,
    /// Entries of an IndexFile.
    pub index_entries: u32,
    /// Queue files it keeps open.
    pub queue_files_open_max: u64,
    /// Queues it syncs at the same time.
    pub queue_syncs_max: u64,
    /// Queues of a topic that a client makes.
    pub topic_queues: u32,
    /// How long an answer waits for the flush, in ms.
    pub sync_flush_timeout_ms: u64,
}

impl Plan {
    /// Every node that faults may strike, in the order in which they are made.
    pub fn nodes(&self) -> Vec<String> {
        let servers = self.namesrvs.iter().chain(self.brokers.iter().map(|broker| &broker.node));
        let mut clients = self.clients();
        if self.together && !clients.is_empty() {
            clients = vec![TOGETHER.to_owned()];
        }
        servers.cloned().chain(clients).collect()
    }

    /// Every client, in the order in which they begin.
    pub fn clients(&self) -> Vec<String> {
        self.traffic.iter().flat_map(Traffic::clients).collect()
    }

    /// The node on which a client lives.
    pub fn node_of<'a>(&self, client: &'a str) -> &'a str {
        if self.together { TOGETHER } else { client }
    }

    /// What clients are told to do: sends, and the members that come.
    pub fn operations(&self) -> usize {
        self.traffic.iter().map(Traffic::operations).sum()
    }
}
