//! The phases of a run: prepare, calm, faults, heal, settle, end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use broker::BrokerConfig;
use invariants::Watch;
use invariants::disk::{NodeDisk, Room};
use invariants::history::What;
use invariants::promise::{Broker, Cluster, Flush, commit_horizon_ms, horizon_ms};
use runtime::sync::{Either, race};
use sim::{Control, Node, World};
use sim_capsule::Plan;
use store::{FlushMode, Retention};
use workloads::traffic::Traffic;
use workloads::{Recorder, Workload, probe, settle};

use super::director::{Client, Director};
use super::observer::Observer;
use super::servers::{self, Role, Server};
use super::{tell, verdict};
use crate::outcome::{Broken, SeedOutcome};

/// The node of the client that drains and reads back.
const SETTLER: &str = "settler";
/// The most events of a run up to the heal: some hundred times what the longest takes. An event
/// that passes it ends the run, so that a loop that never sleeps is a finding and no hang.
const EVENTS_MAX: u64 = 100_000_000;
/// The most events from the heal to the end: progress is bounded in steps, too.
const SETTLE_EVENTS_MAX: u64 = 20_000_000;
/// How long the servers may take to start when nothing strikes.
const PREPARE_MAX: Duration = Duration::from_secs(120);
/// How long clients may take to leave when nothing strikes.
const LEAVE_MAX: Duration = Duration::from_secs(120);

/// Runs a plan in a world, which has the plan's seed, and says what came of it.
pub(crate) fn run(world: &World, plan: &Plan) -> SeedOutcome {
    world.probes().set_buggify(plan.buggify);
    world.trace().allow(EVENTS_MAX);
    runtime::sometimes!("runner: a goal that cannot hold", plan.seed != world.seed());
    let control = world.control();
    let (director, stalls) = world.block_on(async {
        let mut director = prepare(&control, plan);
        let mut stalls = Vec::new();
        let played = play(&mut director, plan, &mut stalls);
        match plan.cut_ms {
            // What is still going on when it is cut off is no stall.
            Some(cut_ms) => {
                race(control.sleep(Duration::from_millis(cut_ms)), played).await;
            }
            None => played.await,
        }
        director.observer.catch_up();
        (director, stalls)
    });
    verdict::outcome(world, plan, &director, stalls)
}

async fn play(director: &mut Director, plan: &Plan, stalls: &mut Vec<Broken>) {
    tell::phase(&director.control, "prepare");
    if !director.go_on(PREPARE_MAX, Director::all_up).await {
        stalls.push(verdict::stall("the servers did not start", director));
        return;
    }
    let workloads: Vec<Arc<dyn Workload>> = plan.traffic.iter().map(Traffic::workload).collect();
    for workload in &workloads {
        for (index, name) in workload.clients().iter().enumerate() {
            let (name, node) = (name.clone(), director.control.node(plan.node_of(name)));
            director.add_client(Client { name, node, workload: workload.clone(), index });
        }
    }
    tell::phase(&director.control, "calm");
    director.go_on(Duration::from_millis(plan.phases.calm_ms), |_| false).await;
    director.plan(&plan.strikes);
    tell::phase(&director.control, "faults");
    director.go_on(Duration::from_millis(plan.phases.fault_ms), |_| false).await;
    let dead: Vec<Node> =
        plan.stay_dead.iter().filter_map(|name| director.control.find(name)).collect();
    tell::phase(&director.control, "heal");
    // Whoever comes later is cut off from them, too.
    director.control.node(SETTLER);
    director.heal(&dead, &plan.cut_off);
    director.control.trace().allow(SETTLE_EVENTS_MAX);
    let limit = Duration::from_millis(plan.phases.settle_ms);
    if settle(director, (limit, plan.probes), &workloads, stalls).await {
        end(director, &workloads, stalls).await;
    }
}

/// The servers, with what each promises.
fn prepare(control: &Control, plan: &Plan) -> Director {
    let namesrvs: Vec<Node> = plan.namesrvs.iter().map(|name| control.node(name)).collect();
    let addresses = servers::namesrv_addresses(&namesrvs);
    let brokers: Vec<(Node, BrokerConfig)> = plan
        .brokers
        .iter()
        .map(|broker| {
            let node = control.node(&broker.node);
            let config = servers::broker_config(&node, addresses.clone(), broker);
            if let Some(bytes) = broker.disk_bytes {
                sim::fault::full_disk::capacity(control, &node, bytes);
            }
            (node, config)
        })
        .collect();
    let cluster: Cluster = brokers.iter().map(|(node, config)| promise(node, config)).collect();
    let truth = control.clone();
    let recorder = Recorder::new(move || truth.now_true_ms()).overheard(tell::listener(control));
    let watch = Watch::new(cluster, invariants::all());
    // All brokers of a run keep messages alike.
    let policy = brokers.first().map(|(_, config)| config.store.retention.clone());
    let policy = policy.unwrap_or_default();
    let observer = Observer::new(control.clone(), recorder.clone(), watch, policy);
    let mut director = Director::new(control.clone(), observer, recorder);
    director.namesrv = addresses;
    for node in namesrvs {
        director.add_server(Server { node, role: Role::Namesrv });
    }
    for (node, config) in brokers {
        director.add_server(Server { node, role: Role::Broker(Box::new(config)) });
    }
    director
}

fn promise(node: &Node, config: &BrokerConfig) -> (String, Broker) {
    let store = &config.store;
    let flush = match store.flush {
        FlushMode::Sync => Flush::Sync,
        FlushMode::Async => Flush::Async,
    };
    let horizon_ms =
        horizon_ms(store.flush_interval_ms, store.flush_pages_least, store.flush_thorough_ms);
    let commit_ms = store.pool_in_use().map(|pool| commit_horizon_ms(pool.commit_delay_ms()));
    let node = node.name().to_owned();
    (config.name.clone(), Broker { node, flush, horizon_ms, commit_ms })
}

/// Waits until everything that was sent is consumed. Says whether the run came so far.
async fn settle(
    director: &mut Director,
    (limit, probes): (Duration, bool),
    workloads: &[Arc<dyn Workload>],
    stalls: &mut Vec<Broken>,
) -> bool {
    if !director.go_on(limit, Director::all_up).await {
        stalls.push(verdict::stall("the servers did not come up after the heal", director));
        return false;
    }
    tell::phase(&director.control, "settle");
    director.quiet.stop();
    let sent =
        |director: &Director| !director.busy().iter().any(|name| name.starts_with("producer"));
    if !director.go_on(limit, sent).await {
        stalls.push(verdict::stall("producers did not come to an end", director));
    }
    if probes {
        probe(director, limit, workloads, stalls).await;
    }
    let groups: Vec<_> = workloads.iter().flat_map(|workload| workload.groups()).collect();
    let stage = director.stage(&director.control.node(SETTLER));
    let drained = async move { settle::drain(&stage, &groups, limit).await };
    if let Err(stuck) = watch_settler(director, limit, drained).await {
        stalls.push(verdict::stall(&format!("consumers did not drain: {stuck}"), director));
    } else {
        director.recorder.record(What::Drained);
    }
    true
}

/// Sends to every queue, whether or not anybody else does.
async fn probe(
    director: &mut Director,
    limit: Duration,
    workloads: &[Arc<dyn Workload>],
    stalls: &mut Vec<Broken>,
) {
    let (stage, topics) = (director.stage(&director.control.node(SETTLER)), topics_of(workloads));
    let probed = async move {
        probe::probe(&stage, &topics).await;
        Ok(())
    };
    if let Err(stuck) = watch_settler(director, limit, probed).await {
        stalls.push(verdict::stall(&format!("the probe did not end: {stuck}"), director));
    }
}

/// Lets clients leave, reads everything back and looks at the disks.
async fn end(director: &mut Director, workloads: &[Arc<dyn Workload>], stalls: &mut Vec<Broken>) {
    tell::phase(&director.control, "end");
    director.leave.stop();
    if !director.go_on(LEAVE_MAX, |director| director.busy().is_empty()).await {
        stalls.push(verdict::stall("clients did not leave", director));
    }
    let (stage, topics) = (director.stage(&director.control.node(SETTLER)), topics_of(workloads));
    let read = async move { settle::read_back(&stage, &topics, LEAVE_MAX).await };
    if let Err(stuck) = watch_settler(director, LEAVE_MAX, read).await {
        let what = format!("the queues could not be read back: {stuck}");
        stalls.push(verdict::stall(&what, director));
    }
    let brokers = director.servers().filter(|server| matches!(server.role, Role::Broker(_)));
    let disks: Vec<NodeDisk> = brokers
        .map(|server| {
            let images = director.control.disk_image(&server.node);
            let disk = NodeDisk::new(server.node.name(), images.cache).on_device(images.durable);
            let policy = director.observer.policy();
            NodeDisk { room: room(&director.control, &server.node, policy), ..disk }
        })
        .collect();
    director.observer.quiet(&disks);
}

/// The topics of all traffic, each once.
fn topics_of(workloads: &[Arc<dyn Workload>]) -> Vec<String> {
    let topics: BTreeSet<String> =
        workloads.iter().flat_map(|workload| workload.topics()).collect();
    topics.into_iter().collect()
}

/// How much room a broker has, if it lives.
fn room(control: &Control, node: &Node, policy: &Retention) -> Option<Room> {
    let space = control.runtime(node).disk.space().ok()?;
    // Where files go at some hour only, none is due by its age alone.
    let any_hour = policy.hours == store::Hours::ALL;
    Some(Room {
        used: space.total - space.available,
        capacity: space.total,
        kept_ms: if any_hour { policy.reserved_ms } else { u64::MAX / 2 },
        forcible_percent: policy.disk_forcible_percent,
    })
}

/// Runs a task of the settler while the run goes on, and says who is stuck, if somebody is.
async fn watch_settler(
    director: &mut Director,
    limit: Duration,
    task: impl Future<Output = Result<(), Vec<settle::Stuck>>> + Send + 'static,
) -> Result<(), String> {
    let (control, node) = (director.control.clone(), director.control.node(SETTLER));
    let task = async move { control.on(&node, task).await };
    // The task bounds itself; this bound is for one that hangs in a single question.
    let going_on = async {
        director.go_on(limit * 2, |_| false).await;
    };
    match race(going_on, task).await {
        Either::Left(()) => Err("the settler itself hangs".to_owned()),
        Either::Right(None) => Err("the settler's node died".to_owned()),
        Either::Right(Some(Ok(()))) => Ok(()),
        Either::Right(Some(Err(stuck))) => {
            let lines: Vec<String> = stuck.iter().take(8).map(ToString::to_string).collect();
            Err(format!("{} in all\n{}", stuck.len(), lines.join("\n")))
        }
    }
}
