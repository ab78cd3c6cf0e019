//! A scenario: which cluster, which traffic, which faults, as a small TOML file.

use serde::{Deserialize, Serialize};

/// An inclusive range to draw from, written `[LOW, HIGH]` or as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Span {
    /// The least.
    pub low: u64,
    /// The most.
    pub high: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    One(u64),
    Two([u64; 2]),
}

impl From<Written> for Span {
    fn from(written: Written) -> Self {
        match written {
            Written::One(value) => Span { low: value, high: value },
            Written::Two([low, high]) => Span { low, high: high.max(low) },
        }
    }
}

impl Span {
    /// A number of the range.
    pub fn draw(self, rng: &runtime::Rng) -> u64 {
        self.low + rng.below(self.high - self.low + 1)
    }
}

/// One scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its file's name without the ending; filled in by [`all`].
    #[serde(default)]
    pub name: String,
    /// One line.
    pub title: String,
    /// Its share among all scenarios.
    #[serde(default = "one")]
    pub weight: u32,
    /// The servers.
    pub cluster: Cluster,
    /// The traffic.
    #[serde(rename = "run")]
    pub runs: Vec<Run>,
    /// The faults.
    #[serde(default, rename = "nemesis")]
    pub nemeses: Vec<Nemesis>,
    /// How long each phase lasts.
    #[serde(default)]
    pub phases: Phases,
}

fn one() -> u32 {
    1
}

/// The servers of a scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Name servers.
    #[serde(default = "two")]
    pub namesrv: Span,
    /// Brokers, each a master of its own.
    #[serde(default = "two")]
    pub brokers: Span,
    /// What an acknowledgement waits for.
    pub flush: Flush,
    /// `transientStorePoolEnable`: whether appends go to private buffers first, under ASYNC_FLUSH.
    #[serde(default)]
    pub pool: bool,
    /// Whether that pool has two buffers only, and is committed every three seconds whatever they
    /// hold, so that appends meet none that is free.
    #[serde(default)]
    pub pool_scarce: bool,
    /// For how many seconds brokers keep messages, at any hour; without, for RocketMQ's 72 h.
    #[serde(default)]
    pub kept_s: Option<Span>,
    /// The size of each broker's disk in KiB, where it is a small one.
    #[serde(default)]
    pub disk_kib: Option<Span>,
    /// Entries of an IndexFile: without, so few that files follow each other all the time; with
    /// 200, so many that a power failure can tear one.
    #[serde(default)]
    pub index_entries: Option<u32>,
    /// How many queue files a broker keeps open. Without, three: nearly every checkpoint syncs
    /// everything then, and hides what would not be synced otherwise.
    #[serde(default)]
    pub queue_files_open: Option<u64>,
    /// How many topics the traffic goes to; without, one or two.
    #[serde(default)]
    pub topics: Option<Span>,
}

fn two() -> Span {
    Span { low: 1, high: 2 }
}

/// `flushDiskType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flush {
    /// SYNC_FLUSH.
    Sync,
    /// ASYNC_FLUSH.
    Async,
    /// One of both, drawn by the seed.
    Any,
}

/// One kind of traffic.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "workload", rename_all = "snake_case", deny_unknown_fields)]
pub enum Run {
    /// Producers.
    Produce {
        /// How many.
        producers: Span,
        /// Messages each sends.
        messages: Span,
        /// Bytes of a body.
        #[serde(default = "body")]
        body: Span,
        /// Whether messages hit edges: the ends of log files, a checksum of 0, `WAIT=false`.
        #[serde(default)]
        odd: bool,
    },
    /// Push consumers.
    Consume {
        /// How many groups.
        groups: Span,
        /// Members of each.
        members: Span,
        /// Whether the reader asks for bounds and times and pulls where nothing can be.
        #[serde(default)]
        odd: bool,
    },
    /// Users who send messages with keys and look them up.
    Lookup {
        /// How many.
        users: Span,
        /// Messages and questions of each.
        operations: Span,
    },
}

fn body() -> Span {
    Span { low: 1, high: 3000 }
}

/// One class of faults.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nemesis {
    /// What happens.
    pub kind: NemesisKind,
    /// To whom.
    pub target: Target,
    /// How often in the fault phase.
    #[serde(default = "one_to_three")]
    pub times: Span,
}

fn one_to_three() -> Span {
    Span { low: 1, high: 3 }
}

/// What a nemesis does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NemesisKind {
    /// The process dies and is started again a while later.
    Kill,
    /// The machine loses power and is started again a while later.
    PowerFail,
    /// The node is cut off, both ways, for a while.
    Partition,
    /// One way to or from the node is cut for a while.
    OneWay,
    /// All connections of the node are reset.
    Reset,
    /// The node's wall clock jumps, forward or back, up to hours.
    ClockJump,
    /// The node's clock runs fast or slow from now on.
    ClockDrift,
    /// The node's wall clock is off by up to half a minute from now on.
    ClockSkew,
    /// What the node says and hears takes long, now and then very long, for a while.
    Latency,
    /// A part of what the node says and hears is lost for a while, and comes late.
    Loss,
    /// Everything the node says and hears comes late by the same time, for a while.
    Clog,
    /// The node's connections are dead, and neither end is told.
    HalfOpen,
    /// Connections to and from the node are refused for a while, or some of them.
    Refuse,
    /// The node reads slowly for a while, so that the windows of others fill up.
    SlowReader,
    /// What the node says and hears is split and merged anywhere for a while.
    SplitBytes,
    /// The node's ways carry little for a while.
    Bandwidth,
    /// The node's accepts fail for a while, for want of file descriptors.
    AcceptError,
    /// The next syncs of the node's disk fail.
    SyncError,
    /// The next removals of a file on the node's disk fail.
    RemoveError,
    /// The node's disk is slow for a while.
    SlowDisk,
    /// The node's disk is full for a while.
    FullDisk,
    /// The process stands still for a while.
    Pause,
    /// The server is asked to stop, does, and is started again a while later.
    Stop,
    /// As [`NemesisKind::Kill`], and again while it recovers from that.
    KillInRecovery,
    /// As [`NemesisKind::PowerFail`], and again while it recovers from that.
    PowerFailInRecovery,
    /// The machine loses power between two operations of its disk, so many operations from then on.
    PowerFailAmid,
    /// Memory is tight: the kernel drops the pages of the node's files that it takes for clean.
    Evict,
    /// The kernel's own writeback fails for a while, now and then.
    WritebackError,
    /// Reads of the node's disk fail for a while, now and then.
    ReadError,
    /// Writes to the node's disk fail for a while, now and then.
    WriteError,
    /// A page of a file of the store cannot be read for a while.
    BadSector,
    /// The process dies and starts again on a disk that is slow for a while.
    SlowStart,
    /// The machine is replaced: an empty disk and another clock.
    ReplaceMachine,
    /// As [`NemesisKind::WipeDisk`], and the ledger hears of a loss of power only: what is missing
    /// then has no excuse. Only for the canary.
    UntoldWipe,
    /// A bit of a file turns over on the device.
    BitRot,
    /// The device puts a page of the next syncs over another one of the same file.
    MisdirectedWrite,
    /// The machine loses power and comes back with an empty disk.
    WipeDisk,
}

/// Whom a nemesis strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Any broker.
    Broker,
    /// Any name server.
    Namesrv,
    /// Any client.
    Client,
    /// Any node at all.
    Any,
}

/// The phases of a run after its preparation, in seconds of true time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Phases {
    /// Traffic without faults.
    pub calm: u64,
    /// Traffic with faults.
    pub fault: u64,
    /// The most that draining may take.
    pub settle: u64,
}

impl Default for Phases {
    fn default() -> Self {
        Self { calm: 5, fault: 60, settle: 1200 }
    }
}

/// The scenarios that come with the house: name and text.
const TEXTS: [(&str, &str); 32] = [
    ("calm", include_str!("../scenarios/calm.toml")),
    ("kill", include_str!("../scenarios/kill.toml")),
    ("pool_kill", include_str!("../scenarios/pool_kill.toml")),
    ("pool_scarce", include_str!("../scenarios/pool_scarce.toml")),
    ("power_fail", include_str!("../scenarios/power_fail.toml")),
    ("power_fail_async", include_str!("../scenarios/power_fail_async.toml")),
    ("partition", include_str!("../scenarios/partition.toml")),
    ("clock_jump", include_str!("../scenarios/clock_jump.toml")),
    ("slow_power_fail", include_str!("../scenarios/slow_power_fail.toml")),
    ("sync_error", include_str!("../scenarios/sync_error.toml")),
    ("closed_queues", include_str!("../scenarios/closed_queues.toml")),
    ("failed_stop", include_str!("../scenarios/failed_stop.toml")),
    ("full_disk", include_str!("../scenarios/full_disk.toml")),
    ("retention", include_str!("../scenarios/retention.toml")),
    ("keys_kill", include_str!("../scenarios/keys_kill.toml")),
    ("keys_power_fail", include_str!("../scenarios/keys_power_fail.toml")),
    ("large_index", include_str!("../scenarios/large_index.toml")),
    ("many_queues", include_str!("../scenarios/many_queues.toml")),
    ("big_messages", include_str!("../scenarios/big_messages.toml")),
    ("boundaries", include_str!("../scenarios/boundaries.toml")),
    ("restarts", include_str!("../scenarios/restarts.toml")),
    ("disk_errors", include_str!("../scenarios/disk_errors.toml")),
    ("replaced_disk", include_str!("../scenarios/replaced_disk.toml")),
    ("wiped_disk", include_str!("../scenarios/wiped_disk.toml")),
    ("bit_rot", include_str!("../scenarios/bit_rot.toml")),
    ("misdirected_write", include_str!("../scenarios/misdirected_write.toml")),
    ("network", include_str!("../scenarios/network.toml")),
    ("machines", include_str!("../scenarios/machines.toml")),
    ("canary", include_str!("../scenarios/canary.toml")),
    ("idle_day", include_str!("../scenarios/idle_day.toml")),
    ("idle_day_read", include_str!("../scenarios/idle_day_read.toml")),
    ("everything", include_str!("../scenarios/everything.toml")),
];

/// All scenarios that come with the house.
pub fn all() -> Vec<Scenario> {
    TEXTS.iter().map(|(name, text)| parse(name, text).expect("a test parses each")).collect()
}

/// The scenario of that name, without a look at the others.
pub fn named(name: &str) -> Option<Scenario> {
    let (name, text) = TEXTS.iter().find(|(known, _)| *known == name)?;
    Some(parse(name, text).expect("a test parses each"))
}

/// Reads a scenario.
///
/// # Errors
/// When the text is no scenario; the message names line and key.
pub fn parse(name: &str, text: &str) -> Result<Scenario, toml::de::Error> {
    let mut scenario: Scenario = toml::from_str(text)?;
    scenario.name = name.to_owned();
    Ok(scenario)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_parses_and_sends_something() {
        for (name, text) in TEXTS {
            let scenario = parse(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(scenario.runs.iter().any(|run| matches!(run, Run::Produce { .. })), "{name}");
            assert!(text.lines().count() <= 75, "{name} is long");
        }
    }

    #[test]
    fn an_unknown_fault_is_refused() {
        let text = TEXTS[1].1.replace("\"kill\"", "\"kil\"");
        assert!(parse("kill", &text).is_err_and(|error| error.to_string().contains("kil")));
    }
}
