//! Starting name servers and brokers on their nodes, and what their disks say before and after.

use std::time::Duration;

use broker::{Broker, BrokerConfig};
use invariants::disk::NodeDisk;
use invariants::ledger::Fault;
use invariants::world::{Recovery, RecoveryEnd};
use namesrv::{Namesrv, NamesrvConfig};
use runtime::sync::{Either, Stop, race};
use sim::{Control, Life, Node};
use sim_capsule::{BrokerPlan, Flush};
use store::{FlushMode, Hours, PoolConfig, Retention, Store, StoreConfig, StoreHandles};
use tokio::sync::mpsc::UnboundedSender;

/// The port of every name server.
const NAMESRV_PORT: u16 = 9876;
/// The port of every broker.
const BROKER_PORT: u16 = 10_911;

/// What a server is.
#[derive(Clone)]
pub(crate) enum Role {
    /// A name server.
    Namesrv,
    /// A broker.
    Broker(Box<BrokerConfig>),
}

/// A server and the node it lives on.
#[derive(Clone)]
pub(crate) struct Server {
    /// The node.
    pub(crate) node: Node,
    /// What runs there.
    pub(crate) role: Role,
}

/// News of a server for whoever directs the run.
pub(crate) enum News {
    /// A start ended.
    Started {
        /// The node.
        node: Node,
        /// The incarnation that was started.
        incarnation: u64,
        /// How it ended: `Err` is what the server said when it refused.
        end: Result<(), String>,
        /// For a broker that refused to start on a disk that was there before.
        recovery: Option<Box<Recovery>>,
    },
    /// A broker's store recovered on a disk that was there before, and the process that will serve
    /// was started.
    Revived {
        /// The node.
        node: Node,
        /// What was seen.
        recovery: Box<Recovery>,
    },
    /// A broker was asked to stop and did.
    Stopped {
        /// The node.
        node: Node,
        /// The incarnation that stopped.
        incarnation: u64,
        /// Whether it said that all is stored.
        clean: bool,
    },
    /// A node was struck between two operations of its disk.
    Struck {
        /// The node.
        node: Node,
        /// What struck it.
        fault: Fault,
        /// The class of fault that it counts as.
        class: &'static str,
    },
    /// A broker can store nothing more and must be started anew.
    Failed {
        /// The node.
        node: Node,
        /// The incarnation that failed.
        incarnation: u64,
    },
}

/// The addresses of name servers.
pub(crate) fn namesrv_addresses(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| format!("{}:{NAMESRV_PORT}", node.ip())).collect()
}

/// How long a broker keeps messages.
pub(crate) fn retention(plan: &BrokerPlan) -> Retention {
    let usual = Retention::default();
    match plan.kept_ms {
        Some(reserved_ms) => Retention { reserved_ms, hours: Hours::ALL, ..usual },
        None => usual,
    }
}

/// The off-heap pool of a broker that has one.
fn pool(plan: &BrokerPlan) -> PoolConfig {
    if !plan.pool_scarce {
        return PoolConfig::default();
    }
    PoolConfig {
        buffers: 2,
        commit_interval_ms: 3_000,
        commit_thorough_ms: 3_000,
        // More than it holds.
        commit_pages_least: 1_000,
    }
}

/// A broker's configuration.
pub(crate) fn broker_config(node: &Node, namesrv: Vec<String>, plan: &BrokerPlan) -> BrokerConfig {
    let store = StoreConfig {
        segment_size: plan.segment_size,
        queue_segment_entries: plan.queue_segment_entries,
        index_slots: plan.index_slots,
        index_entries: plan.index_entries,
        queue_files_open_max: plan.queue_files_open_max,
        queue_syncs_max: plan.queue_syncs_max,
        flush: match plan.flush {
            Flush::Sync => FlushMode::Sync,
            Flush::Async => FlushMode::Async,
        },
        pool: plan.pool.then(|| pool(plan)),
        retention: retention(plan),
        ..StoreConfig::default()
    };
    BrokerConfig {
        listen: format!("{}:{BROKER_PORT}", node.ip()),
        namesrv,
        default_topic_queue_nums: plan.topic_queues,
        sync_flush_timeout_ms: plan.sync_flush_timeout_ms,
        ..BrokerConfig::new(node.name(), store)
    }
}

/// Starts a server on its node, which runs nothing yet, and sends the news. Returns when the start
/// has ended, or the node has died. Every start of a broker is watched, or what one of them cut off
/// would be a riddle to the next; `twice` lets it recover once more without traffic. A broker that
/// serves stops when `stop` is raised.
pub(crate) async fn start(
    control: Control,
    server: Server,
    (twice, stop): (bool, Stop),
    to: UnboundedSender<News>,
) {
    let node = server.node.clone();
    match server.role {
        Role::Namesrv => start_namesrv(&control, node, to).await,
        Role::Broker(config) => start_broker(&control, node, *config, (twice, stop), to).await,
    }
}

async fn start_namesrv(control: &Control, node: Node, to: UnboundedSender<News>) {
    let runtime = control.runtime(&node);
    let listen = format!("{}:{NAMESRV_PORT}", node.ip());
    let incarnation = control.incarnation(&node);
    let (about, news) = (node.clone(), to);
    control.spawn_on(&node, async move {
        let config = NamesrvConfig { listen, ..NamesrvConfig::default() };
        let started = Namesrv::start(&runtime, config).await;
        let end = started.as_ref().map(|_| ()).map_err(ToString::to_string);
        // Nobody listens any more when the run is over.
        let _ = news.send(News::Started { node: about, incarnation, end, recovery: None });
        if started.is_ok() {
            std::future::pending::<()>().await;
        }
    });
}

async fn start_broker(
    control: &Control,
    node: Node,
    config: BrokerConfig,
    (twice, stop): (bool, Stop),
    to: UnboundedSender<News>,
) {
    let before = control.disk_image(&node);
    let mut recovery = None;
    if before.cache.is_empty() {
        for (path, text) in invariants::recovery::LEFT {
            let laid = control.lay_file(&node, path, text.as_bytes());
            laid.expect("the path is a constant below the root");
        }
    } else {
        let seen = watch_recovery(control, &node, &config.store, before, twice).await;
        let Some(seen) = seen else {
            return;
        };
        let seen = Box::new(seen);
        if let RecoveryEnd::Refused { error } = &seen.end {
            let (end, incarnation) = (Err(error.clone()), control.incarnation(&node));
            // Nobody listens any more when the run is over.
            let _ = to.send(News::Started { node, incarnation, end, recovery: Some(seen) });
            return;
        }
        recovery = Some(seen.clone());
        // Told before the broker is started: it answers clients before its start returns.
        let _ = to.send(News::Revived { node: node.clone(), recovery: seen });
    }
    let runtime = control.runtime(&node);
    let incarnation = control.incarnation(&node);
    let about = node.clone();
    // As `hotfire broker` does, if nobody kills it first.
    let in_order = control.stream(&format!("fault/failed/{node}/{incarnation}")).chance(0.5);
    control.spawn_on(&node, async move {
        let started = Broker::start(&runtime, config).await;
        let end = started.as_ref().map(|_| ()).map_err(ToString::to_string);
        let recovery = end.as_ref().err().and_then(|error| {
            let mut recovery = recovery?;
            recovery.end = RecoveryEnd::Refused { error: error.clone() };
            Some(recovery)
        });
        // Nobody listens any more when the run is over.
        let _ = to.send(News::Started { node: about.clone(), incarnation, end, recovery });
        if let Ok(broker) = started {
            let ended = race(broker.failed(), stop.stopped()).await;
            let news = match ended {
                Either::Left(_) => {
                    if in_order {
                        // That it does not end cleanly is no news.
                        let _ = broker.shutdown().await;
                    }
                    News::Failed { node: about, incarnation }
                }
                Either::Right(()) => {
                    let clean = broker.shutdown().await.is_ok();
                    News::Stopped { node: about, incarnation, clean }
                }
            };
            let _ = to.send(news);
            std::future::pending::<()>().await;
        }
    });
}

/// Opens the store alone, without traffic, and `twice` once more after a kill, and takes the disk's
/// image each time. `None` when somebody else killed the node meanwhile.
async fn watch_recovery(
    control: &Control,
    node: &Node,
    config: &StoreConfig,
    before: sim::DiskImages,
    twice: bool,
) -> Option<Recovery> {
    let image = |control: &Control| NodeDisk::new(node.name(), control.disk_image(node).cache);
    let before = NodeDisk::new(node.name(), before.cache).on_device(before.durable);
    let first = open_alone(control, node, config.clone()).await?;
    // Somebody else may have killed it in the moment between.
    if control.life(node) != Life::Running {
        return None;
    }
    let after = image(control);
    let end = match first {
        Ok(()) => RecoveryEnd::Started,
        Err(error) => RecoveryEnd::Refused { error },
    };
    if end != RecoveryEnd::Started {
        return Some(Recovery { end, before, after, again: None });
    }
    revive(control, node);
    let mut again = None;
    if twice {
        let second = open_alone(control, node, config.clone()).await?;
        if control.life(node) != Life::Running {
            return None;
        }
        again = second.is_ok().then(|| image(control));
        revive(control, node);
    }
    Some(Recovery { end, before, after, again })
}

fn revive(control: &Control, node: &Node) {
    control.kill(node);
    control.restart(node);
}

async fn open_alone(
    control: &Control,
    node: &Node,
    config: StoreConfig,
) -> Option<Result<(), String>> {
    let runtime = control.runtime(node);
    let handles = StoreHandles { disk: runtime.disk, clock: runtime.clock, tasks: runtime.tasks };
    let opened = control.on(node, async move {
        let store = Store::open(handles, config).await.map_err(|error| error.to_string())?;
        // Queues hold again what the log holds only then.
        store.caught_up().await.map_err(|closed| closed.to_string())
    });
    opened.await
}

/// How long after its death a node is started again, at the least and at the most.
pub(crate) const DOWN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));
