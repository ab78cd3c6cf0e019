//! The broker: wired, started and ended in order.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use remoting::{Client, ClientConfig, Handles, Server, ServerConfig};
use runtime::sync::{Stop, Watermark};
use runtime::{Runtime, Task, Tasks};
use store::{Store, StoreHandles};

use crate::carried::Carried;
use crate::config::BrokerConfig;
use crate::error::{ShutdownError, StartError};
use crate::gate::Gate;
use crate::members::Members;
use crate::offset_file;
use crate::queue_locks::QueueLocks;
use crate::serving::Serving;
use crate::state::State;
use crate::tables::Tables;
use crate::{jobs, registration};

/// How long the start waits for the first registration. A name server that cannot be reached does
/// not keep the broker from serving those who know it.
const FIRST_REGISTRATION_WAIT_MAX: Duration = Duration::from_secs(1);

/// A running broker. End it with [`Broker::shutdown`]; dropping it stops nothing.
pub struct Broker {
    state: Arc<State>,
    server: Server,
    client: Client,
    tasks: Tasks,
    jobs: Vec<Task>,
}

impl Broker {
    /// Starts a broker, in this order: store (lock, recovery), tables, offsets, listen, register.
    /// Nothing listens before its data stands.
    ///
    /// # Errors
    /// [`StartError`]; what had been opened is closed again.
    pub async fn start(runtime: &Runtime, config: BrokerConfig) -> Result<Broker, StartError> {
        let advertise = advertise(&config)?;
        let store_handles = StoreHandles {
            disk: runtime.disk.clone(),
            clock: runtime.clock.clone(),
            tasks: runtime.tasks.clone(),
        };
        let store = Store::open(store_handles, config.store.clone()).await?;
        let started = start_on(runtime, Arc::new(config), store.clone(), advertise).await;
        if started.is_err()
            && let Err(error) = store.shutdown().await
        {
            tracing::warn!(%error, "the store did not close after a failed start");
        }
        started
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The address that routes and message ids carry.
    pub fn advertised_addr(&self) -> SocketAddr {
        self.state.store_host(self.server.local_addr())
    }

    /// The store, for tools that look into it.
    pub fn store(&self) -> &Store {
        &self.state.store
    }

    /// Returns the reason when the broker can store nothing more (a sync or a write has failed, or
    /// it was shut down). It still serves reads then; an operator should look at the disk and start
    /// it anew.
    pub async fn failed(&self) -> String {
        self.state.store.failed().await.reason.to_string()
    }

    /// Ends the broker: leaves the name servers, answers what is held or in flight, closes
    /// connections, writes offsets and tables, closes the store. Again is harmless.
    ///
    /// # Errors
    /// [`ShutdownError`], after every step was tried.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        let first = !self.state.draining.is_stopped();
        self.state.draining.stop();
        for job in &self.jobs {
            job.join().await;
        }
        if first {
            registration::unregister(&self.state, &self.client, &self.tasks).await;
        }
        self.server.shutdown().await;
        self.client.shutdown().await;
        let offsets = offset_file::write(&self.state).await.map_err(|source| {
            ShutdownError::Table { path: offset_file::path(&self.state.config), source }
        });
        self.state.store.shutdown().await?;
        offsets
    }
}

/// The address to advertise, if it is known before listening.
fn advertise(config: &BrokerConfig) -> Result<Option<SocketAddr>, StartError> {
    let Some(advertise) = &config.advertise else { return Ok(None) };
    advertise.parse().map(Some).map_err(|error| StartError::Config {
        setting: "advertise",
        value: advertise.clone(),
        cause: format!("{error}; give IP:PORT, as message ids hold an IP address"),
    })
}

/// The rest of the start, on an open store.
async fn start_on(
    runtime: &Runtime,
    config: Arc<BrokerConfig>,
    store: Store,
    advertise: Option<SocketAddr>,
) -> Result<Broker, StartError> {
    let state = Arc::new(open_state(runtime, config.clone(), store).await?);
    let handles = Handles::from(runtime);
    if let Some(address) = advertise {
        let _ = state.advertised.set(address);
    }
    let serving = Arc::new(Serving(state.clone()));
    let server = Server::start(handles.clone(), &config.listen, serving, ServerConfig::default())
        .await
        .map_err(|source| StartError::Listen { address: config.listen.clone(), source })?;
    let local = server.local_addr();
    let advertised = *state.advertised.get_or_init(|| local);
    if advertised.ip().is_unspecified() {
        server.shutdown().await;
        return Err(StartError::Config {
            setting: "listen",
            value: config.listen.clone(),
            cause: "clients cannot dial it; set advertise (brokerIP1) to this host's IP:PORT"
                .to_owned(),
        });
    }
    let client = Client::new(handles, None, ClientConfig::default());
    let jobs = start_jobs(&runtime.tasks, &state, &client);
    let broker =
        Broker { state: state.clone(), server, client, tasks: runtime.tasks.clone(), jobs };
    let registered = async {
        for registered in &state.registered {
            // Closed only at the end of the broker.
            let _ = registered.wait(1).await;
        }
    };
    if runtime.clock.timeout(FIRST_REGISTRATION_WAIT_MAX, registered).await.is_err() {
        tracing::warn!("not every name server knows this broker yet; trying on");
    }
    tracing::info!(name = %config.name, %local, %advertised, "broker started");
    Ok(broker)
}

async fn open_state(
    runtime: &Runtime,
    config: Arc<BrokerConfig>,
    store: Store,
) -> Result<State, StartError> {
    let dir = config.table_dir();
    runtime
        .disk
        .create_dir(&dir)
        .await
        .map_err(|source| StartError::Disk { path: dir.clone(), source })?;
    let tables = Tables::open(&runtime.disk, &runtime.clock, &config).await?;
    let carried = Carried::read(&runtime.disk, &config).await?;
    let written = match tables.persist().await {
        Ok(()) => carried.write(&runtime.disk, &config).await,
        failed => failed,
    };
    match written {
        // What is there says the same, and whoever may not read any more cannot make room.
        Err(error) if error.kind() == ErrorKind::StorageFull => {
            tracing::error!(%error, "the tables are not written anew: make room on the disk");
        }
        written => written.map_err(|source| StartError::Disk { path: dir, source })?,
    }
    carried.tell_what_rests(&store);
    let mut offsets = offset_file::read(&runtime.disk, &config).await?;
    let lowered = offsets.lower_to(|topic, queue_id| {
        let queue = u32::try_from(queue_id).ok().and_then(|id| store.find_queue(topic, id));
        // Not what is visible: dispatch may still be catching up with what recovery found.
        queue.map_or(0, |queue| queue.known_end().0 as i64)
    });
    runtime::sometimes!("broker: a commit lay beyond its queue after a crash", lowered > 0);
    if lowered > 0 {
        tracing::warn!(lowered, "committed offsets lay beyond the end of their queues");
    }
    Ok(State {
        clock: runtime.clock.clone(),
        disk: runtime.disk.clone(),
        rng: runtime.rng.stream("broker"),
        store,
        tables,
        offsets: Mutex::new(offsets),
        carried,
        members: Members::default(),
        locks: Mutex::new(QueueLocks::new(Duration::from_millis(config.queue_lock_lease_ms))),
        sends: Gate::new(config.sends_in_flight_max),
        pulls: Gate::new(config.pulls_in_flight_max),
        advertised: OnceLock::new(),
        registered: config.namesrv.iter().map(|_| Watermark::default()).collect(),
        draining: Stop::new(),
        config,
    })
}

fn start_jobs(tasks: &Tasks, state: &Arc<State>, client: &Client) -> Vec<Task> {
    let mut jobs = vec![
        tasks.spawn("broker.offsets", jobs::keep_offsets(state.clone())),
        tasks.spawn("broker.expiry", jobs::keep_expiring(state.clone())),
    ];
    for number in 0..state.config.namesrv.len() {
        let task = registration::keep_registered(state.clone(), client.clone(), number);
        jobs.push(tasks.spawn("broker.register", task));
    }
    jobs
}
