//! What a seed makes of a scenario: everything that is drawn, drawn before anything runs.

use std::time::Duration;

use runtime::Rng;
use workloads::scenario::{Flush, NemesisKind, Scenario, Target};

/// One fault that is going to strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    /// When, from the start of the fault phase.
    pub(crate) at: Duration,
    /// What.
    pub(crate) kind: NemesisKind,
    /// Whom: the name of a node.
    pub(crate) node: String,
    /// How long until it is undone, for what can be.
    pub(crate) lasts: Duration,
    /// How much: ms of a jump, ppm of a drift, syncs that fail; its sign counts.
    pub(crate) amount: i64,
}

/// The servers of a run.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    /// How many name servers.
    pub(crate) namesrvs: u64,
    /// How many brokers.
    pub(crate) brokers: u64,
    /// What an acknowledgement waits for.
    pub(crate) flush: store::FlushMode,
    /// Whether appends go to private buffers first, under ASYNC_FLUSH.
    pub(crate) pool: bool,
    /// How long brokers keep messages.
    pub(crate) retention: store::Retention,
    /// The size of a broker's disk, where it is a small one.
    pub(crate) disk_bytes: Option<u64>,
}

/// The servers that `rng` draws for a scenario.
pub(crate) fn servers(scenario: &Scenario, rng: &Rng) -> Servers {
    let cluster = &scenario.cluster;
    let flush = match cluster.flush {
        Flush::Sync => store::FlushMode::Sync,
        Flush::Async => store::FlushMode::Async,
        Flush::Any if rng.chance(0.5) => store::FlushMode::Sync,
        Flush::Any => store::FlushMode::Async,
    };
    let (namesrvs, brokers) = (cluster.namesrv.draw(rng), cluster.brokers.draw(rng));
    let mut retention = store::Retention::default();
    if let Some(kept_s) = cluster.kept_s {
        retention.reserved_ms = kept_s.draw(rng) * 1_000;
        retention.hours = store::Hours::ALL;
    }
    let disk_bytes = cluster.disk_kib.map(|kib| kib.draw(rng) << 10);
    Servers { namesrvs, brokers, flush, pool: cluster.pool, retention, disk_bytes }
}

/// The strikes that `rng` draws, in order of their time. Where several classes of fault could
/// strike, a random half of them stays away: all of them always finds less.
pub(crate) fn strikes(scenario: &Scenario, nodes: &[String], rng: &Rng) -> Vec<Strike> {
    let phase_ms = scenario.phases.fault * 1_000;
    let swarm = scenario.nemeses.len() > 3;
    let mut strikes = Vec::new();
    for nemesis in &scenario.nemeses {
        let times = nemesis.times.draw(rng);
        let stays_away = swarm && rng.chance(0.5);
        let targets: Vec<&String> =
            nodes.iter().filter(|node| hits(nemesis.target, node)).collect();
        if stays_away || targets.is_empty() {
            continue;
        }
        for _ in 0..times {
            let node = targets[rng.below(targets.len() as u64) as usize].clone();
            strikes.push(strike(nemesis.kind, node, phase_ms, rng));
        }
    }
    strikes.sort_by_key(|strike| strike.at);
    strikes
}

fn hits(target: Target, node: &str) -> bool {
    let (broker, namesrv) = (node.starts_with("broker"), node.starts_with("namesrv"));
    match target {
        Target::Broker => broker,
        Target::Namesrv => namesrv,
        Target::Client => !broker && !namesrv,
        Target::Any => true,
    }
}

fn strike(kind: NemesisKind, node: String, phase_ms: u64, rng: &Rng) -> Strike {
    let at = Duration::from_millis(rng.below(phase_ms.max(1)));
    // Short ones are common, and some are long enough for every lease and timeout.
    let scale = [500, 5_000, 40_000][rng.below(3) as usize];
    let lasts = Duration::from_millis(50 + rng.below(scale));
    let sign = if rng.chance(0.5) { 1 } else { -1 };
    let amount = match kind {
        NemesisKind::ClockJump => {
            let scale = [1_000, 60_000, 6 * 3_600_000][rng.below(3) as usize];
            sign * (1 + rng.below(scale)) as i64
        }
        NemesisKind::ClockDrift => sign * (1 + rng.below(100_000)) as i64,
        NemesisKind::SyncError | NemesisKind::RemoveError => 1 + rng.below(3) as i64,
        NemesisKind::SlowDisk => 2 + rng.below(50) as i64,
        // Operations of the disk after which the second strike comes.
        NemesisKind::KillInRecovery | NemesisKind::PowerFailInRecovery => {
            let scale = [4, 20, 80][rng.below(3) as usize];
            1 + rng.below(scale) as i64
        }
        NemesisKind::WritebackError
        | NemesisKind::ReadError
        | NemesisKind::WriteError
        | NemesisKind::BitRot
        | NemesisKind::MisdirectedWrite
        | NemesisKind::BadSector => rng.below(1 << 40) as i64,
        _ => 0,
    };
    Strike { at, kind, node, lasts, amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u8) -> Vec<Strike> {
        let all = workloads::scenario::all();
        let scenario = all.iter().find(|scenario| scenario.name == "everything");
        let nodes = ["namesrv-0", "broker-0", "producer-0"].map(str::to_owned);
        strikes(scenario.expect("it is there"), &nodes, &Rng::from_seed([seed; 32]))
    }

    #[test]
    fn a_seed_draws_the_same_strikes_again_and_another_draws_others() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_random_half_of_the_classes_stays_away() {
        let kinds = |seed| -> std::collections::BTreeSet<NemesisKind> {
            drawn(seed).iter().map(|strike| strike.kind).collect()
        };
        let mean: usize = (0..50).map(|seed| kinds(seed).len()).sum::<usize>() / 50;
        assert!((2..=7).contains(&mean), "{mean}");
    }

    #[test]
    fn targets_are_what_they_say() {
        for seed in 0..50 {
            for strike in drawn(seed) {
                let power = strike.kind == NemesisKind::PowerFail;
                assert!(!power || strike.node == "broker-0", "{strike:?}");
            }
        }
    }
}
