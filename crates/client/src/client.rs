//! One client of a cluster: its id, connections, routes and heartbeats, shared by the producers
//! and consumers in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use message::message_id::UniqueIds;
use protocol::header::UnregisterClientRequestHeader;
use protocol::{RemotingCommand, RequestCode};
use remoting::ClientConfig as RemotingConfig;
use runtime::sync::{Either, Stop, race};
use runtime::{Clock, Rng, Runtime, Task, Tasks};
use tokio::sync::Notify;

use crate::config::ClientConfig;
use crate::error::ClientError;
use crate::inbound::Inbound;
use crate::link::Link;
use crate::registry::Registry;
use crate::route::Route;
use crate::routes::Routes;

/// The shortest time between two polls of the routes, whoever asks for one.
const POLL_PAUSE: Duration = Duration::from_secs(1);

/// A client. Clones are the same client.
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>);

/// What the clones of a client share.
pub(crate) struct Shared {
    pub(crate) id: String,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) rng: Rng,
    pub(crate) link: Link,
    pub(crate) registry: Arc<Registry>,
    routes: Routes,
    unique_ids: UniqueIds,
    /// Held while brokers are told who lives here or who left: one after the other.
    telling: tokio::sync::Mutex<()>,
    /// Wakes the heartbeat: somebody new lives here, or a broker does not know us.
    heartbeat: Arc<Notify>,
    /// Wakes the poll of the routes: one seems to be wrong.
    poll: Notify,
    stop: Stop,
}

impl Client {
    /// Starts a client: its polls and heartbeats run until [`Client::shutdown`].
    pub fn start(runtime: &Runtime, config: ClientConfig) -> Self {
        let rng = runtime.rng.stream("client");
        let (registry, heartbeat) = (Arc::new(Registry::default()), Arc::new(Notify::new()));
        let inbound = Inbound { registry: registry.clone(), heartbeat: heartbeat.clone() };
        let remoting = remoting::Client::new(
            runtime.into(),
            Some(Arc::new(inbound)),
            RemotingConfig::default(),
        );
        let first = rng.next_u64();
        let process = rng.next_u64();
        let shared = Arc::new(Shared {
            id: client_id(&config, process),
            clock: runtime.clock.clone(),
            tasks: runtime.tasks.clone(),
            link: Link::new(remoting, config.namesrv.clone(), first, config.request_timeout),
            registry,
            routes: Routes::default(),
            unique_ids: UniqueIds::new(config.host, process as u32, (process >> 32) as u32),
            telling: tokio::sync::Mutex::new(()),
            heartbeat,
            poll: Notify::new(),
            stop: Stop::new(),
            rng,
        });
        let client = Client(shared);
        client.clone().run("client route poll", move |client| async move {
            client.poll_routes(config.route_poll_interval).await;
        });
        client.clone().run("client heartbeat", move |client| async move {
            client.beat(config.heartbeat_interval).await;
        });
        client
    }

    /// The id under which brokers know this client.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Stops the polls and heartbeats and closes the connections. Shut producers and consumers
    /// down first: they tell the brokers that they leave.
    pub async fn shutdown(&self) {
        self.0.stop.stop();
        self.0.link.remoting.shutdown().await;
    }

    /// Runs something in a task of its own until the client is shut down.
    pub(crate) fn run<F>(self, name: &'static str, task: impl FnOnce(Client) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (tasks, stop, task) = (self.0.tasks.clone(), self.0.stop.clone(), task(self));
        tasks.detach(name, async move {
            race(stop.stopped(), task).await;
        });
    }

    /// The route to read a topic by, asked for when it is not known.
    ///
    /// # Errors
    /// [`ClientError::TopicUnknown`], or what kept the name servers from answering.
    pub async fn route_to_read(&self, topic: &str) -> Result<Arc<Route>, ClientError> {
        self.0.routes.to_read(&self.0.link, topic).await
    }

    /// The route to send to a topic by, asked for when it is not known. A topic that does not exist
    /// has the route that its first send will give it, with at most `queues_max` queues per broker.
    ///
    /// # Errors
    /// As [`Client::route_to_read`].
    pub async fn route_to_send(
        &self,
        topic: &str,
        queues_max: u32,
    ) -> Result<Arc<Route>, ClientError> {
        self.0.routes.to_send(&self.0.link, topic, queues_max).await
    }

    /// A route seems to be wrong: asks for all of them soon.
    pub(crate) fn doubt_routes(&self) {
        self.0.poll.notify_one();
    }

    /// Somebody new lives here, or a broker does not know us: tells the brokers soon.
    pub(crate) fn introduce(&self) {
        self.0.heartbeat.notify_one();
    }

    /// A new unique id for a message (the property UNIQ_KEY).
    pub(crate) fn unique_id(&self) -> String {
        self.0.unique_ids.next_id(self.0.clock.now_ms())
    }

    /// Tells every known broker, now, who lives here. A broker that does not answer is told again
    /// with the next heartbeat.
    async fn beat_once(&self) {
        let _one = self.0.telling.lock().await;
        let Some(data) = self.0.registry.heartbeat(&self.0.id) else {
            return;
        };
        let command = RemotingCommand::request_without_header(RequestCode::HEART_BEAT);
        let to = self.0.routes.brokers(!self.0.registry.has_consumers());
        self.tell(to, command.with_body(data.encode())).await;
    }

    /// Tells every known broker that a group has left this client. Take it out of the registry
    /// first: a heartbeat under way is waited for, so that it cannot bring the group back.
    pub(crate) async fn unregister(&self, producer: Option<&str>, consumer: Option<&str>) {
        let _one = self.0.telling.lock().await;
        let header = UnregisterClientRequestHeader {
            client_id: self.0.id.clone(),
            producer_group: producer.map(str::to_owned),
            consumer_group: consumer.map(str::to_owned),
            ..UnregisterClientRequestHeader::default()
        };
        let command = RemotingCommand::request(RequestCode::UNREGISTER_CLIENT, &header);
        self.tell(self.0.routes.brokers(false), command).await;
    }

    /// The same request to several brokers at once; returns when all have answered or failed.
    async fn tell(&self, addresses: BTreeSet<String>, command: RemotingCommand) {
        let told: Vec<Task> = addresses
            .into_iter()
            .map(|address| {
                let (client, command) = (self.clone(), command.clone());
                self.0.tasks.spawn("client tell", async move {
                    if let Err(error) = client.0.link.ask(&address, command).await {
                        tracing::debug!(%address, %error, "a broker was not told about us");
                    }
                })
            })
            .collect();
        for task in told {
            task.join().await;
        }
    }

    async fn beat(&self, interval: Duration) {
        loop {
            self.beat_once().await;
            race(self.0.heartbeat.notified(), self.0.clock.sleep(interval)).await;
        }
    }

    async fn poll_routes(&self, interval: Duration) {
        loop {
            let asked = race(self.0.poll.notified(), self.0.clock.sleep(interval)).await;
            if self.0.routes.poll(&self.0.link, self.0.registry.subscribed_topics()).await {
                self.0.registry.wake_rebalance(None);
                self.introduce();
            }
            if asked == Either::Left(()) {
                self.0.clock.sleep(POLL_PAUSE).await;
            }
        }
    }
}

/// `HOST@INSTANCE`; without a configured instance name a random one, as two clients with one id
/// would share their queues.
fn client_id(config: &ClientConfig, process: u64) -> String {
    match config.instance_name.as_str() {
        "" => format!("{}@{}#{}", config.host, process as u32 >> 12, process >> 32),
        name => format!("{}@{name}", config.host),
    }
}
