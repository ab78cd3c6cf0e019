//! The phases of a run: prepare, calm, faults, heal, settle, end.

use std::sync::Arc;
use std::time::Duration;

use invariants::Watch;
use invariants::disk::NodeDisk;
use invariants::promise::{Broker, Cluster, Flush, commit_horizon_ms, horizon_ms};
use runtime::Rng;
use runtime::sync::{Either, race};
use sim::{Control, Node, World};
use store::FlushMode;
use workloads::scenario::Scenario;
use workloads::{Recorder, Workload, settle};

use super::director::{Client, Director};
use super::observer::Observer;
use super::plan::{self, Servers};
use super::servers::{self, Role, Server};
use super::{tell, verdict};
use crate::outcome::{Broken, SeedOutcome};

/// The node of the client that drains and reads back.
const SETTLER: &str = "settler";
/// How long the servers may take to start when nothing strikes.
const PREPARE_MAX: Duration = Duration::from_secs(120);
/// How long clients may take to leave when nothing strikes.
const LEAVE_MAX: Duration = Duration::from_secs(120);

/// Runs a scenario in a world and says what came of it.
pub(crate) fn run(world: &World, scenario: &Scenario) -> SeedOutcome {
    let rng = world.stream("plan");
    let drawn = plan::servers(scenario, &rng.stream("servers"));
    let workloads = workloads::traffic::plan(scenario, &rng.stream("workloads"));
    let workloads: Vec<Arc<dyn Workload>> = workloads.into_iter().map(Arc::from).collect();
    world.probes().set_buggify(rng.stream("buggify").chance(0.5));
    let control = world.control();
    let (director, stalls) = world.block_on(play(&control, scenario, &drawn, &workloads, &rng));
    verdict::outcome(world, scenario, &drawn, &director, stalls)
}

async fn play(
    control: &Control,
    scenario: &Scenario,
    drawn: &Servers,
    workloads: &[Arc<dyn Workload>],
    rng: &Rng,
) -> (Director, Vec<Broken>) {
    let mut director = prepare(control, drawn);
    let mut stalls = Vec::new();
    if !director.go_on(PREPARE_MAX, Director::all_up).await {
        stalls.push(verdict::stall("the servers did not start", &director));
        return (director, stalls);
    }
    for workload in workloads {
        for (index, name) in workload.clients().iter().enumerate() {
            let node = control.node(name);
            director.add_client(Client { node, workload: workload.clone(), index });
        }
    }
    director.go_on(Duration::from_secs(scenario.phases.calm), |_| false).await;
    let strikes = plan::strikes(scenario, &director.nodes(), &rng.stream("strikes"));
    director.plan(&strikes);
    director.go_on(Duration::from_secs(scenario.phases.fault), |_| false).await;
    director.heal(&stay_dead(&director, drawn, rng));
    if settle(&mut director, scenario, workloads, &mut stalls).await {
        end(&mut director, workloads, &mut stalls).await;
    }
    (director, stalls)
}

/// The servers, with what each promises.
fn prepare(control: &Control, drawn: &Servers) -> Director {
    let named = |kind: &str, count: u64| -> Vec<Node> {
        (0..count).map(|number| control.node(&format!("{kind}-{number}"))).collect()
    };
    let (namesrvs, brokers) = (named("namesrv", drawn.namesrvs), named("broker", drawn.brokers));
    let addresses = servers::namesrv_addresses(&namesrvs);
    let config = |node: &Node| servers::broker_config(node, addresses.clone(), drawn);
    let cluster: Cluster = brokers.iter().map(|node| promise(node, &config(node))).collect();
    let truth = control.clone();
    let recorder = Recorder::new(move || truth.now_true_ms()).overheard(tell::listener(control));
    let watch = Watch::new(cluster, invariants::all());
    let observer = Observer::new(control.clone(), recorder.clone(), watch, drawn.retention.clone());
    if let Some(bytes) = drawn.disk_bytes {
        brokers.iter().for_each(|node| sim::fault::full_disk::capacity(control, node, bytes));
    }
    let mut director = Director::new(control.clone(), observer, recorder);
    director.namesrv = addresses.clone();
    for node in namesrvs {
        director.add_server(Server { node, role: Role::Namesrv });
    }
    for node in brokers {
        let role = Role::Broker(Box::new(config(&node)));
        director.add_server(Server { node, role });
    }
    director
}

fn promise(node: &Node, config: &broker::BrokerConfig) -> (String, Broker) {
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

/// Who stays dead for ever after the heal: sometimes one of several name servers. (Brokers have no
/// replicas yet, so each of them belongs to the core.)
fn stay_dead(director: &Director, drawn: &Servers, rng: &Rng) -> Vec<Node> {
    let rng = rng.stream("core");
    if drawn.namesrvs < 2 || rng.chance(0.5) {
        return Vec::new();
    }
    let number = rng.below(drawn.namesrvs);
    director.control.find(&format!("namesrv-{number}")).into_iter().collect()
}

/// Waits until everything that was sent is consumed. Says whether the run came so far.
async fn settle(
    director: &mut Director,
    scenario: &Scenario,
    workloads: &[Arc<dyn Workload>],
    stalls: &mut Vec<Broken>,
) -> bool {
    let limit = Duration::from_secs(scenario.phases.settle);
    if !director.go_on(limit, Director::all_up).await {
        stalls.push(verdict::stall("the servers did not come up after the heal", director));
        return false;
    }
    director.quiet.stop();
    let sent =
        |director: &Director| !director.busy().iter().any(|name| name.starts_with("producer"));
    if !director.go_on(limit, sent).await {
        stalls.push(verdict::stall("producers did not come to an end", director));
    }
    let groups: Vec<_> = workloads.iter().flat_map(|workload| workload.groups()).collect();
    let stage = director.stage(&director.control.node(SETTLER));
    let drained = async move { settle::drain(&stage, &groups, limit).await };
    if let Err(stuck) = watch_settler(director, limit, drained).await {
        stalls.push(verdict::stall(&format!("consumers did not drain: {stuck}"), director));
    }
    true
}

/// Lets clients leave, reads everything back and looks at the disks.
async fn end(director: &mut Director, workloads: &[Arc<dyn Workload>], stalls: &mut Vec<Broken>) {
    director.leave.stop();
    if !director.go_on(LEAVE_MAX, |director| director.busy().is_empty()).await {
        stalls.push(verdict::stall("clients did not leave", director));
    }
    let topics: Vec<String> = workloads.iter().flat_map(|workload| workload.topics()).collect();
    let stage = director.stage(&director.control.node(SETTLER));
    let read = async move { settle::read_back(&stage, &topics, LEAVE_MAX).await };
    if let Err(stuck) = watch_settler(director, LEAVE_MAX, read).await {
        let what = format!("the queues could not be read back: {stuck}");
        stalls.push(verdict::stall(&what, director));
    }
    let brokers = director.servers().filter(|server| matches!(server.role, Role::Broker(_)));
    let disks: Vec<NodeDisk> = brokers
        .map(|server| {
            let images = director.control.disk_image(&server.node);
            NodeDisk::new(server.node.name(), images.cache).on_device(images.durable)
        })
        .collect();
    director.observer.quiet(&disks);
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
