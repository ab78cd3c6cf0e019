//! The route table: which brokers there are, and which topics they serve.
//!
//! ```text
//! topics   topic → broker name → QueueData          how many queues, which permissions
//! brokers  broker name → BrokerData                 its cluster, and an address per broker id
//! live     address → Live                           when it was last heard, over which connection
//! ```
//!
//! A plain data structure: time and connections come in as arguments, effects go out as values.
//! All of it is volatile. Brokers register again every 30 s, so a name server that starts empty is
//! whole again by then, and name servers never talk to each other.
//!
//! *Invariant:* a broker name has an address in `brokers` only while that address is in `live`, and
//! a topic names only brokers of `brokers`.

use std::collections::BTreeMap;

use protocol::body::{BrokerData, DataVersion, QueueData};
use runtime::Monotonic;

/// The id of a master; all others are slaves.
pub const MASTER_ID: i64 = 0;

/// Who serves which topic.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    pub(crate) topics: BTreeMap<String, BTreeMap<String, QueueData>>,
    pub(crate) brokers: BTreeMap<String, BrokerData>,
    pub(crate) live: BTreeMap<String, Live>,
}

/// A broker's last sign of life.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// When it registered, or asked whether its topics are news.
    pub(crate) heard_at: Monotonic,
    /// Of the topics it registered; compared for equality, never ordered.
    pub(crate) data_version: DataVersion,
    /// The connection it registered over: when that ends, the broker is gone.
    pub(crate) connection: u64,
    /// Where slaves replicate from.
    pub(crate) ha_server_addr: String,
    /// The name under which it registered.
    pub(crate) broker_name: String,
}

impl RouteTable {
    /// A table without brokers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one address out: the broker is dead, or says it leaves.
    ///
    /// A name that another address has taken over in the meantime stays with that one. With the
    /// last address of a name goes all that the name served.
    pub(crate) fn remove_address(&mut self, address: &str) {
        let Some(live) = self.live.remove(address) else { return };
        let Some(broker) = self.brokers.get_mut(&live.broker_name) else { return };
        broker.broker_addrs.retain(|_, known| known != address);
        if broker.broker_addrs.is_empty() {
            self.remove_broker_name(&live.broker_name);
        }
    }

    fn remove_broker_name(&mut self, broker_name: &str) {
        self.brokers.remove(broker_name);
        self.topics.retain(|_, brokers| {
            brokers.remove(broker_name);
            !brokers.is_empty()
        });
    }
}
