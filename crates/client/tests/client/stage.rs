//! A world with scripted brokers, scripted name servers and one machine for clients.

use std::sync::Arc;
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, Producer, ProducerConfig};
use message::{Message, MessageQueue};
use remoting::{Server, ServerConfig};
use sim::World;

use crate::fake_broker::FakeBroker;
use crate::fake_namesrv::FakeNamesrv;

/// The topic of every test.
pub(crate) const TOPIC: &str = "Orders";

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) brokers: Vec<Arc<FakeBroker>>,
    pub(crate) namesrvs: Vec<Arc<FakeNamesrv>>,
}

impl Stage {
    /// Brokers `a`, `b`, … with `queues` queues each, and name servers that know them.
    pub(crate) fn new(brokers: usize, namesrvs: usize, queues: u32) -> Self {
        let world = World::new(7);
        let names: Vec<String> =
            (0..brokers).map(|number| char::from(b'a' + number as u8).to_string()).collect();
        let brokers: Vec<Arc<FakeBroker>> = names
            .iter()
            .map(|name| {
                let node = world.node(name);
                let runtime = world.runtime(&node);
                let address = format!("{}:10911", node.ip());
                Arc::new(FakeBroker::new(name, &address, queues, runtime))
            })
            .collect();
        let known = brokers.clone();
        let namesrvs = (0..namesrvs)
            .map(|number| {
                world.node(&format!("namesrv-{number}"));
                Arc::new(FakeNamesrv::new(known.clone()))
            })
            .collect();
        Self { world, brokers, namesrvs }
    }

    /// Runs a test once everything listens.
    pub(crate) fn play<T>(&self, test: impl AsyncFnOnce() -> T) -> T {
        self.world.block_on(async {
            for broker in &self.brokers {
                self.listen(&broker.name, &broker.address, broker.clone()).await;
            }
            for (number, namesrv) in self.namesrvs.iter().enumerate() {
                let (name, address) = (format!("namesrv-{number}"), self.namesrv(number));
                self.listen(&name, &address, namesrv.clone()).await;
            }
            test().await
        })
    }

    async fn listen(&self, node: &str, address: &str, service: Arc<dyn remoting::Service>) {
        let runtime = self.world.runtime(&self.world.node(node));
        let config = ServerConfig::default();
        let server = Server::start((&runtime).into(), address, service, config).await;
        // Dropping a server stops nothing.
        drop(server.expect("a new machine's port is free"));
    }

    fn namesrv(&self, number: usize) -> String {
        format!("{}:9876", self.world.node(&format!("namesrv-{number}")).ip())
    }

    pub(crate) fn client(&self, instance: &str) -> Client {
        let runtime = self.world.runtime(&self.world.node("clients"));
        let namesrv = (0..self.namesrvs.len()).map(|number| self.namesrv(number)).collect();
        let config =
            ClientConfig { instance_name: instance.to_owned(), ..ClientConfig::new(namesrv) };
        Client::start(&runtime, config)
    }

    pub(crate) fn producer(&self) -> Producer {
        Producer::start(&self.client("producer"), "makers", ProducerConfig::default())
            .expect("the group's name is valid")
    }

    pub(crate) async fn pause(&self, secs: u64) {
        self.world.sleep(Duration::from_secs(secs)).await;
    }
}

pub(crate) fn queue(broker: &str, queue_id: u32) -> MessageQueue {
    MessageQueue::new(TOPIC, broker, queue_id)
}

pub(crate) fn message(body: &str) -> Message {
    Message::new(TOPIC, body.to_owned())
}
