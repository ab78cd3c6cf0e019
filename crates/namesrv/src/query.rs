//! What is read from the route table (protocol §2.8).

use std::collections::{BTreeMap, BTreeSet};

use protocol::body::{ClusterInfo, TopicList, TopicRouteData};

use crate::table::RouteTable;

/// The bit of `topicSysFlag` of a topic of one unit.
const UNIT: u32 = 1;
/// The bit of `topicSysFlag` of a topic that units subscribe to.
const UNIT_SUB: u32 = 2;

/// Which topics of units are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Topics of a unit (311).
    Unit,
    /// Topics that units subscribe to (312).
    Subscribed,
    /// Topics that units subscribe to and that are of none (313).
    SubscribedOfNone,
}

impl RouteTable {
    /// Who serves `topic`; `None` when nobody does.
    pub fn route(&self, topic: &str) -> Option<TopicRouteData> {
        let queues = self.topics.get(topic)?;
        let brokers = queues.keys().filter_map(|name| self.brokers.get(name));
        let route = TopicRouteData {
            queue_datas: queues.values().cloned().collect(),
            broker_datas: brokers.cloned().collect(),
            ..TopicRouteData::default()
        };
        (!route.broker_datas.is_empty()).then_some(route)
    }

    /// All brokers, and the broker names of each cluster.
    pub fn clusters(&self) -> ClusterInfo {
        ClusterInfo {
            broker_addr_table: self.brokers.clone(),
            cluster_addr_table: self.names_by_cluster(),
        }
    }

    /// All topics, those of the system too.
    pub fn topics(&self) -> TopicList {
        TopicList { topic_list: self.topics.keys().cloned().collect(), ..TopicList::default() }
    }

    /// The topics that brokers make for their own use: one per cluster and one per broker name;
    /// and the address of one broker, for the tool to ask for more.
    pub fn system_topics(&self) -> TopicList {
        let mut list = TopicList::default();
        for (cluster, names) in self.names_by_cluster() {
            list.topic_list.push(cluster);
            list.topic_list.extend(names);
        }
        let mut addresses = self.brokers.values().flat_map(|broker| broker.broker_addrs.values());
        list.broker_addr = addresses.next().cloned();
        list
    }

    /// The topics that a cluster's brokers serve.
    pub fn topics_of_cluster(&self, cluster: &str) -> TopicList {
        let serves =
            |name: &String| self.brokers.get(name).is_some_and(|broker| broker.cluster == cluster);
        let topics = self.topics.iter().filter(|(_, brokers)| brokers.keys().any(serves));
        TopicList {
            topic_list: topics.map(|(topic, _)| topic.clone()).collect(),
            ..TopicList::default()
        }
    }

    /// The topics of units.
    pub fn topics_of_units(&self, units: Units) -> TopicList {
        let wanted = |flag: u32| match units {
            Units::Unit => flag & UNIT != 0,
            Units::Subscribed => flag & UNIT_SUB != 0,
            Units::SubscribedOfNone => flag & UNIT_SUB != 0 && flag & UNIT == 0,
        };
        // As upstream, one broker speaks for the topic: they should agree.
        let topics = self.topics.iter().filter(|(_, brokers)| {
            brokers.values().next().is_some_and(|queues| wanted(queues.topic_sys_flag))
        });
        TopicList {
            topic_list: topics.map(|(topic, _)| topic.clone()).collect(),
            ..TopicList::default()
        }
    }

    fn names_by_cluster(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut clusters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, broker) in &self.brokers {
            clusters.entry(broker.cluster.clone()).or_default().insert(name.clone());
        }
        clusters
    }
}
