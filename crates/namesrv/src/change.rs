//! What an administrator changes in the route table: permissions and topics.
//!
//! Both last until the broker says otherwise: a registration with a new data version overwrites a
//! permission, and brings a topic back that the broker still has.

use crate::table::RouteTable;

/// The permission bit of reads.
const READ: u32 = 4;
/// The permission bit of writes.
const WRITE: u32 = 2;

/// What to do with the write permission of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WritePermission {
    /// Take it away: producers turn to other brokers, consumers finish here.
    Wipe,
    /// Give it back. As upstream, this sets read and write and clears all else.
    Add,
}

impl RouteTable {
    /// Changes the write permission of every topic on a broker; how many topics that were.
    pub fn change_write_permission(&mut self, broker_name: &str, change: WritePermission) -> i32 {
        let mut touched = 0;
        for queues in self.topics.values_mut().filter_map(|brokers| brokers.get_mut(broker_name)) {
            queues.perm = match change {
                WritePermission::Wipe => queues.perm & !WRITE,
                WritePermission::Add => READ | WRITE,
            };
            touched += 1;
        }
        touched
    }

    /// Forgets a topic: everywhere, or only on the brokers of one cluster.
    pub fn delete_topic(&mut self, topic: &str, cluster: Option<&str>) {
        let Some(cluster) = cluster else {
            self.topics.remove(topic);
            return;
        };
        let Some(served_by) = self.topics.get_mut(topic) else { return };
        let brokers = &self.brokers;
        served_by.retain(|name, _| brokers.get(name).is_none_or(|known| known.cluster != cluster));
        if served_by.is_empty() {
            self.topics.remove(topic);
        }
    }
}
