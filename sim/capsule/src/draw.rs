//! What a seed makes of a scenario: everything that is drawn, drawn before anything runs.

use std::collections::BTreeSet;
use std::time::Duration;

use runtime::Rng;
use workloads::scenario::{self, NemesisKind, Scenario, Target};

use crate::plan::{BrokerPlan, CutOff, Flush, Phases, Plan};
use crate::strike::Strike;

/// The plan of a scenario and a seed. `rng` is the stream of that seed from which plans are drawn;
/// each part has a stream of its own there.
pub fn plan(scenario: &Scenario, seed: u64, rng: &Rng) -> Plan {
    let (namesrvs, brokers) = servers(scenario, &rng.stream("servers"));
    let traffic = workloads::traffic::plan(scenario, &rng.stream("workloads"));
    let phases = Phases {
        calm_ms: scenario.phases.calm * 1_000,
        fault_ms: scenario.phases.fault * 1_000,
        settle_ms: scenario.phases.settle * 1_000,
    };
    let mut plan = Plan {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        seed,
        buggify: rng.stream("buggify").chance(0.5),
        probes: rng.stream("probes").chance(0.5),
        cut_ms: None,
        together: false,
        phases,
        stay_dead: Vec::new(),
        cut_off: Vec::new(),
        namesrvs,
        brokers,
        strikes: Vec::new(),
        traffic,
    };
    plan.stay_dead = stay_dead(&plan, &rng.stream("core"));
    cut_off(&mut plan, &rng.stream("cut off"));
    plan.strikes = strikes(scenario, &plan.nodes(), &rng.stream("strikes"));
    plan
}

/// Open queue files where a scenario does not say.
const QUEUE_FILES_OPEN: u64 = 3;
/// Entries of an IndexFile where a scenario does not say.
const INDEX_ENTRIES: u32 = 20;

/// The name servers and brokers that `rng` draws. Files are small, so that every boundary is met
/// all the time.
fn servers(scenario: &Scenario, rng: &Rng) -> (Vec<String>, Vec<BrokerPlan>) {
    let cluster = &scenario.cluster;
    let flush = match cluster.flush {
        scenario::Flush::Sync => Flush::Sync,
        scenario::Flush::Async => Flush::Async,
        scenario::Flush::Any if rng.chance(0.5) => Flush::Sync,
        scenario::Flush::Any => Flush::Async,
    };
    let (namesrvs, brokers) = (cluster.namesrv.draw(rng), cluster.brokers.draw(rng));
    let kept_ms = cluster.kept_s.map(|kept_s| kept_s.draw(rng) * 1_000);
    let disk_bytes = cluster.disk_kib.map(|kib| kib.draw(rng) << 10);
    let index_entries = cluster.index_entries.unwrap_or(INDEX_ENTRIES);
    let broker = |number: u64| BrokerPlan {
        node: format!("broker-{number}"),
        flush,
        pool: cluster.pool,
        pool_scarce: cluster.pool_scarce,
        kept_ms,
        disk_bytes,
        segment_size: 64 << 10,
        queue_segment_entries: 20,
        // As RocketMQ's: four slots to five entries, about.
        index_slots: index_entries / 5 * 4,
        index_entries,
        queue_files_open_max: cluster.queue_files_open.unwrap_or(QUEUE_FILES_OPEN),
        queue_syncs_max: 4,
        topic_queues: 4,
        // Before a client gives up: it shall hear that its message is stored and not flushed.
        sync_flush_timeout_ms: 1_000,
    };
    let names = (0..namesrvs).map(|number| format!("namesrv-{number}"));
    (names.collect(), (0..brokers).map(broker).collect())
}

/// Who stays dead for ever after the heal. The core that lives is random, and nothing that is owed
/// is lost with the rest: one name server and one member of each group live, and every broker,
/// because none has a replica yet.
fn stay_dead(plan: &Plan, rng: &Rng) -> Vec<String> {
    // One after the other may go, as long as one of its kind is left.
    let mut dead = Vec::new();
    let mut bury = |kind: &[String], least: usize| {
        let mut left = kind.to_vec();
        while left.len() > least && rng.chance(0.3) {
            dead.push(left.swap_remove(rng.below(left.len() as u64) as usize));
        }
    };
    bury(&plan.namesrvs, 1);
    for traffic in &plan.traffic {
        let clients = traffic.clients();
        let kind = |name: &String| name.split("-member-").next().unwrap_or_default().to_owned();
        let groups: BTreeSet<String> =
            clients.iter().filter(|name| name.contains("-member-")).map(kind).collect();
        for group in groups {
            let prefix = format!("{group}-member-");
            let members: Vec<String> =
                clients.iter().filter(|name| name.starts_with(&prefix)).cloned().collect();
            bury(&members, 1);
        }
        // What a producer or a reader leaves undone is owed to nobody.
        let others: Vec<String> =
            clients.into_iter().filter(|name| !name.contains("-member-")).collect();
        bury(&others, 0);
    }
    dead
}

/// Of the name servers that would stay dead some live and are cut off one way, which is harder on
/// the others: no connection ends, and no answer comes.
fn cut_off(plan: &mut Plan, rng: &Rng) {
    let is_cut = |node: &String| plan.namesrvs.contains(node) && rng.chance(0.5);
    let (cut, dead): (Vec<_>, Vec<_>) = plan.stay_dead.drain(..).partition(is_cut);
    plan.stay_dead = dead;
    plan.cut_off = cut.into_iter().map(|node| CutOff { node, hears: rng.chance(0.5) }).collect();
}

/// The strikes that `rng` draws, in order of their time. Where several classes of fault could
/// strike, a random half of them stays away: all of them always finds less.
fn strikes(scenario: &Scenario, nodes: &[String], rng: &Rng) -> Vec<Strike> {
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

/// The longest time that a machine is down, and some more: a slow start is slow at least so long.
const SLOW_START_MIN: Duration = Duration::from_secs(15);

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
        // Operations of the disk after which the power fails, or the second strike comes.
        NemesisKind::PowerFailAmid
        | NemesisKind::KillInRecovery
        | NemesisKind::PowerFailInRecovery => {
            let scale = [4, 20, 80][rng.below(3) as usize];
            1 + rng.below(scale) as i64
        }
        NemesisKind::WritebackError
        | NemesisKind::ReadError
        | NemesisKind::WriteError
        | NemesisKind::BitRot
        | NemesisKind::MisdirectedWrite
        | NemesisKind::BadSector
        | NemesisKind::Latency
        | NemesisKind::Loss
        | NemesisKind::Clog
        | NemesisKind::Refuse
        | NemesisKind::SlowReader
        | NemesisKind::Bandwidth
        | NemesisKind::AcceptError => rng.below(1 << 40) as i64,
        NemesisKind::ClockSkew => sign * (1 + rng.below(30_000)) as i64,
        NemesisKind::ReplaceMachine => sign * (1 + rng.below(3_600_000)) as i64,
        NemesisKind::SlowStart => 10 + rng.below(90) as i64,
        _ => 0,
    };
    // A disk that is slow when its machine starts is so until it has started.
    let lasts = if kind == NemesisKind::SlowStart { lasts + SLOW_START_MIN } else { lasts };
    Strike { at, kind, node, lasts, amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything() -> Scenario {
        let all = scenario::all();
        all.into_iter().find(|scenario| scenario.name == "everything").expect("it is there")
    }

    fn drawn(seed: u8) -> Vec<Strike> {
        let nodes = ["namesrv-0", "broker-0", "producer-0"].map(str::to_owned);
        strikes(&everything(), &nodes, &Rng::from_seed([seed; 32]))
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
        assert!((6..=16).contains(&mean), "{mean}");
    }

    #[test]
    fn whoever_is_cut_off_is_a_name_server_and_not_the_only_one() {
        let mut cuts = 0;
        for seed in 0..200 {
            let plan = plan(&everything(), 1, &Rng::from_seed([seed; 32]));
            cuts += plan.cut_off.len();
            let gone = plan.cut_off.len() + plan.stay_dead.len();
            let all_live = plan.namesrvs.iter().any(|node| {
                !plan.stay_dead.contains(node) && plan.cut_off.iter().all(|cut| cut.node != *node)
            });
            assert!(all_live && gone <= plan.nodes().len(), "{plan:?}");
        }
        assert!((5..60).contains(&cuts), "{cuts} of 200");
    }

    #[test]
    fn targets_are_what_they_say() {
        for seed in 0..50 {
            for strike in drawn(seed) {
                let slow = strike.kind == NemesisKind::SlowDisk;
                assert!(!slow || strike.node == "broker-0", "{strike:?}");
            }
        }
    }
}
