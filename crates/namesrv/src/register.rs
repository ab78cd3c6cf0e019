//! How brokers come into the route table and stay in it (internals §12.2).

use std::collections::BTreeMap;

use protocol::body::{BrokerData, DataVersion, QueueData, TopicConfig};
use runtime::Monotonic;

use crate::table::{Live, MASTER_ID, RouteTable};

/// What a broker says of itself.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its cluster.
    pub cluster_name: String,
    /// The name it shares with its master or slaves.
    pub broker_name: String,
    /// 0 for the master.
    pub broker_id: i64,
    /// Where clients reach it, `ip:port`.
    pub broker_addr: String,
    /// Where its slaves replicate from.
    pub ha_server_addr: String,
    /// Of its topics.
    pub data_version: DataVersion,
    /// All its topics, or only those that changed.
    pub topics: BTreeMap<String, TopicConfig>,
    /// The connection it speaks over.
    pub connection: u64,
}

/// What a registering broker is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// To a slave whose master is known: the master's address.
    pub master_addr: Option<String>,
    /// To the same: where to replicate from.
    pub ha_server_addr: Option<String>,
}

impl RouteTable {
    /// Takes a registration in.
    ///
    /// The last who registers a broker name and id has it: the protocol knows no epoch. Topics
    /// count only from a master, and only when they may be news. A topic that is missing is *not*
    /// removed, because a registration may carry only what changed.
    pub fn register(&mut self, from: Registration, now: Monotonic) -> Registered {
        let moved = self
            .live
            .get(&from.broker_addr)
            .is_some_and(|live| live.broker_name != from.broker_name);
        if moved {
            self.remove_address(&from.broker_addr);
        }
        let version_is_news = self
            .live
            .get(&from.broker_addr)
            .is_none_or(|live| live.data_version != from.data_version);
        let is_first = self.enter_address(&from);
        if from.broker_id == MASTER_ID && (is_first || version_is_news) {
            self.enter_topics(&from.broker_name, &from.topics);
        }
        let live = Live {
            heard_at: now,
            data_version: from.data_version,
            connection: from.connection,
            ha_server_addr: from.ha_server_addr,
            broker_name: from.broker_name.clone(),
        };
        self.live.insert(from.broker_addr, live);
        self.master_for(&from.broker_name, from.broker_id)
    }

    /// Takes a broker out that says it leaves. Only the address that has the id now can: a stale
    /// instance that shuts down late must not remove its successor.
    pub fn unregister(&mut self, broker_name: &str, broker_id: i64, address: &str) {
        let registered = self.live.get(address).is_some_and(|live| live.broker_name == broker_name);
        let current = self
            .brokers
            .get(broker_name)
            .and_then(|broker| broker.broker_addrs.get(&broker_id))
            .is_none_or(|known| known == address);
        if registered && current {
            self.remove_address(address);
        }
    }

    /// Whether the topics of that version would be news, and the version known here. No news is a
    /// sign of life.
    pub fn data_version(
        &mut self,
        address: &str,
        version: &DataVersion,
        now: Monotonic,
    ) -> (bool, Option<DataVersion>) {
        let Some(live) = self.live.get_mut(address) else { return (true, None) };
        let is_news = live.data_version != *version;
        if !is_news {
            live.heard_at = now;
        }
        (is_news, Some(live.data_version))
    }

    /// Enters the address under its name and id; whether it was not there.
    fn enter_address(&mut self, from: &Registration) -> bool {
        let broker = self.brokers.entry(from.broker_name.clone()).or_insert_with(|| BrokerData {
            cluster: from.cluster_name.clone(),
            broker_name: from.broker_name.clone(),
            ..BrokerData::default()
        });
        broker.cluster.clone_from(&from.cluster_name);
        // A slave that became master comes under a new id: it must not stay under both.
        broker
            .broker_addrs
            .retain(|id, address| *id == from.broker_id || *address != from.broker_addr);
        let before = broker.broker_addrs.insert(from.broker_id, from.broker_addr.clone());
        before.is_none_or(|before| before != from.broker_addr)
    }

    fn enter_topics(&mut self, broker_name: &str, topics: &BTreeMap<String, TopicConfig>) {
        for (name, topic) in topics {
            let queues = QueueData {
                broker_name: broker_name.to_owned(),
                read_queue_nums: topic.read_queue_nums,
                write_queue_nums: topic.write_queue_nums,
                perm: topic.perm,
                topic_sys_flag: topic.topic_sys_flag,
            };
            let brokers = self.topics.entry(name.clone()).or_default();
            brokers.insert(broker_name.to_owned(), queues);
        }
    }

    fn master_for(&self, broker_name: &str, broker_id: i64) -> Registered {
        let master = self
            .brokers
            .get(broker_name)
            .filter(|_| broker_id != MASTER_ID)
            .and_then(|broker| broker.broker_addrs.get(&MASTER_ID));
        let Some(master) = master else { return Registered::default() };
        Registered {
            master_addr: Some(master.clone()),
            ha_server_addr: self.live.get(master).map(|live| live.ha_server_addr.clone()),
        }
    }
}
