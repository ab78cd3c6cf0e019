//! How brokers fall out of the route table: by silence, or with their connection (internals §12.3).

use std::time::Duration;

use runtime::Monotonic;

use crate::table::RouteTable;

/// A broker that was silent for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its address.
    pub broker_addr: String,
    /// The connection it registered over, which may be half dead.
    pub connection: u64,
}

impl RouteTable {
    /// The brokers that were silent for longer than `silence_max`, by address.
    pub fn expired(&self, now: Monotonic, silence_max: Duration) -> Vec<Expired> {
        let silent = self.live.iter().filter(|(_, live)| now.since(live.heard_at) > silence_max);
        silent
            .map(|(address, live)| Expired {
                broker_addr: address.clone(),
                connection: live.connection,
            })
            .collect()
    }

    /// When a broker was heard longest ago: the first that can expire. `None` without brokers.
    pub fn heard_first(&self) -> Option<Monotonic> {
        self.live.values().map(|live| live.heard_at).min()
    }

    /// Takes out who [`expired`](Self::expired).
    pub fn remove_expired(&mut self, expired: &[Expired]) {
        for gone in expired {
            self.remove_address(&gone.broker_addr);
        }
    }

    /// A connection ended: who registered over it (and over none since) is gone. Their addresses.
    pub fn connection_lost(&mut self, connection: u64) -> Vec<String> {
        let lost = self.live.iter().filter(|(_, live)| live.connection == connection);
        let lost: Vec<String> = lost.map(|(address, _)| address.clone()).collect();
        for address in &lost {
            self.remove_address(address);
        }
        lost
    }
}
