//! Who lives in this client: its producer groups and its consumers, as heartbeats tell brokers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::body::{ConsumerData, HeartbeatData, ProducerData};
use tokio::sync::Notify;

/// What the client knows about one of its consumers.
pub(crate) struct Member {
    /// What heartbeats say about it.
    pub(crate) data: ConsumerData,
    /// Wakes its rebalance.
    pub(crate) rebalance: Arc<Notify>,
}

/// The producer groups and the consumers of one client.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Groups>);

#[derive(Default)]
struct Groups {
    /// Group → how many producers of it live here.
    producers: BTreeMap<String, usize>,
    consumers: BTreeMap<String, Member>,
}

impl Registry {
    /// One more producer of the group.
    pub(crate) fn add_producer(&self, group: &str) {
        *self.groups().producers.entry(group.to_owned()).or_default() += 1;
    }

    /// One producer less; true when it was the group's last here.
    pub(crate) fn remove_producer(&self, group: &str) -> bool {
        let mut groups = self.groups();
        let Some(count) = groups.producers.get_mut(group) else {
            return false;
        };
        *count -= 1;
        let last = *count == 0;
        if last {
            groups.producers.remove(group);
        }
        last
    }

    /// Adds a consumer; false when the group already has one here, which the protocol cannot tell
    /// apart from this one.
    pub(crate) fn add_consumer(&self, group: &str, member: Member) -> bool {
        let mut groups = self.groups();
        if groups.consumers.contains_key(group) {
            return false;
        }
        groups.consumers.insert(group.to_owned(), member);
        true
    }

    /// Removes the group's consumer.
    pub(crate) fn remove_consumer(&self, group: &str) {
        self.groups().consumers.remove(group);
    }

    /// Wakes the rebalance of one group, or of all.
    pub(crate) fn wake_rebalance(&self, group: Option<&str>) {
        for (name, member) in &self.groups().consumers {
            if group.is_none_or(|group| group == name) {
                member.rebalance.notify_one();
            }
        }
    }

    /// The topics that consumers here read, sorted.
    pub(crate) fn subscribed_topics(&self) -> Vec<String> {
        let groups = self.groups();
        let all = groups.consumers.values().flat_map(|member| &member.data.subscription_data_set);
        let mut topics: Vec<String> = all.map(|data| data.topic.clone()).collect();
        topics.sort();
        topics.dedup();
        topics
    }

    /// What to tell a broker; `None` when nobody lives here.
    pub(crate) fn heartbeat(&self, client_id: &str) -> Option<HeartbeatData> {
        let groups = self.groups();
        if groups.producers.is_empty() && groups.consumers.is_empty() {
            return None;
        }
        let producer = |name: &String| ProducerData { group_name: name.clone() };
        Some(HeartbeatData {
            client_id: client_id.to_owned(),
            producer_data_set: groups.producers.keys().map(producer).collect(),
            consumer_data_set: groups.consumers.values().map(|at| at.data.clone()).collect(),
            ..HeartbeatData::default()
        })
    }

    /// Whether any consumer lives here: then slaves are told of us too.
    pub(crate) fn has_consumers(&self) -> bool {
        !self.groups().consumers.is_empty()
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
