//! Who is connected: consumers, producers, and the connections to reach them by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::header::NotifyConsumerIdsChangedRequestHeader;
use protocol::{RemotingCommand, RequestCode};
use remoting::Connection;

use crate::consumers::Consumers;
use crate::producers::Producers;

/// The members of all groups. The locks are taken one at a time and never across a wait.
#[derive(Default)]
pub(crate) struct Members {
    connections: Mutex<BTreeMap<u64, Connection>>,
    consumers: Mutex<Consumers>,
    producers: Mutex<Producers>,
}

impl Members {
    /// The consumers.
    pub(crate) fn consumers(&self) -> MutexGuard<'_, Consumers> {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The producers.
    pub(crate) fn producers(&self) -> MutexGuard<'_, Producers> {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection stands.
    pub(crate) fn opened(&self, connection: &Connection) {
        self.connections().insert(connection.id(), connection.clone());
    }

    /// A connection is gone; the groups that lost a consumer by it.
    pub(crate) fn closed(&self, connection: u64) -> BTreeSet<String> {
        self.connections().remove(&connection);
        self.producers().closed(connection);
        self.consumers().closed(connection)
    }

    /// How many connections stand.
    pub(crate) fn connection_count(&self) -> usize {
        self.connections().len()
    }

    /// Tells every member of the group to rebalance. Oneway: a member that does not hear it
    /// rebalances by itself within 20 s.
    pub(crate) fn notify_changed(&self, group: &str) {
        let members = self.consumers().connections(group);
        let connections: Vec<Connection> = {
            let known = self.connections();
            members.iter().filter_map(|id| known.get(id).cloned()).collect()
        };
        for connection in connections {
            let header = NotifyConsumerIdsChangedRequestHeader { consumer_group: group.to_owned() };
            let command =
                RemotingCommand::request(RequestCode::NOTIFY_CONSUMER_IDS_CHANGED, &header);
            if let Err(error) = connection.oneway(command.into_oneway()) {
                tracing::debug!(group, peer = %connection.peer_addr(), %error, "not notified");
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
