//! What a client makes of a topic's route: queues to send to, queues to read, addresses.
//!
//! Pure.

use std::collections::BTreeMap;

use message::{MessageQueue, permission};
use protocol::body::{QueueData, TopicRouteData};

/// The id of a master in a broker's address table.
pub const MASTER_ID: i64 = 0;

/// The route of one topic, digested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Queues to send to: write permission, and a broker whose master is known.
    pub publish: Vec<MessageQueue>,
    /// Queues to read: read permission; no master needed.
    pub subscribe: Vec<MessageQueue>,
    /// Broker name → broker id → address.
    pub brokers: BTreeMap<String, BTreeMap<i64, String>>,
}

impl Route {
    /// Digests what the name server answered about `topic`.
    pub fn new(topic: &str, data: &TopicRouteData) -> Self {
        let brokers: BTreeMap<String, BTreeMap<i64, String>> = data
            .broker_datas
            .iter()
            .map(|broker| (broker.broker_name.clone(), broker.broker_addrs.clone()))
            .collect();
        let writable = |queue: &&QueueData| {
            permits(queue, permission::WRITE)
                && brokers.get(&queue.broker_name).is_some_and(|at| at.contains_key(&MASTER_ID))
        };
        let write = data.queue_datas.iter().filter(writable);
        let read = data.queue_datas.iter().filter(|queue| permits(queue, permission::READ));
        Self {
            publish: queues_of(topic, write.map(|at| (&at.broker_name, at.write_queue_nums))),
            subscribe: queues_of(topic, read.map(|at| (&at.broker_name, at.read_queue_nums))),
            brokers,
        }
    }

    /// The route that a topic will have which does not exist yet: the template's brokers create it
    /// on the first send, with at most `queues_max` queues each. Nothing to read is there yet.
    pub fn from_template(topic: &str, template: &TopicRouteData, queues_max: u32) -> Self {
        let mut data = template.clone();
        for queue in &mut data.queue_datas {
            let at_most = queues_max.min(queue.read_queue_nums);
            queue.write_queue_nums = at_most;
            queue.read_queue_nums = 0;
        }
        Self::new(topic, &data)
    }

    /// The address of a broker's master.
    pub fn master(&self, broker_name: &str) -> Option<&str> {
        self.brokers.get(broker_name)?.get(&MASTER_ID).map(String::as_str)
    }

    /// The address to read from: the suggested broker, or the next id, or any of that name.
    pub fn reader(&self, broker_name: &str, suggested_id: i64) -> Option<&str> {
        let at = self.brokers.get(broker_name)?;
        at.get(&suggested_id)
            .or_else(|| at.get(&(suggested_id + 1)))
            .or_else(|| at.values().next())
            .map(String::as_str)
    }

    /// Every address in it, in the order of broker names and ids.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.brokers.values().flat_map(|at| at.values().map(String::as_str))
    }
}

fn permits(queue: &QueueData, wanted: u32) -> bool {
    queue.perm & wanted == wanted
}

/// Sorted, so that two clients with the same route see the same list.
fn queues_of<'a>(
    topic: &str,
    counts: impl Iterator<Item = (&'a String, u32)>,
) -> Vec<MessageQueue> {
    let mut queues: Vec<MessageQueue> = counts
        .flat_map(|(broker_name, count)| {
            (0..count).map(|queue_id| MessageQueue::new(topic, broker_name.as_str(), queue_id))
        })
        .collect();
    queues.sort();
    queues.dedup();
    queues
}

#[cfg(test)]
mod tests {
    use protocol::body::BrokerData;

    use super::*;

    fn broker(name: &str, ids: &[i64]) -> BrokerData {
        let address = |id: &i64| (*id, format!("{name}:{id}"));
        BrokerData {
            broker_name: name.into(),
            broker_addrs: ids.iter().map(address).collect(),
            ..BrokerData::default()
        }
    }

    fn queues(broker_name: &str, perm: u32, write: u32, read: u32) -> QueueData {
        QueueData {
            broker_name: broker_name.into(),
            perm,
            write_queue_nums: write,
            read_queue_nums: read,
            ..QueueData::default()
        }
    }

    fn ids(queues: &[MessageQueue]) -> Vec<String> {
        queues.iter().map(|queue| format!("{}{}", queue.broker_name, queue.queue_id)).collect()
    }

    #[test]
    fn a_broker_without_a_master_is_read_and_not_sent_to() {
        let data = TopicRouteData {
            queue_datas: vec![queues("b", 6, 2, 1), queues("a", 6, 1, 1), queues("c", 4, 1, 1)],
            broker_datas: vec![broker("a", &[0, 1]), broker("b", &[1]), broker("c", &[0])],
            ..TopicRouteData::default()
        };
        let route = Route::new("T", &data);
        assert_eq!(ids(&route.publish), ["a0"]);
        assert_eq!(ids(&route.subscribe), ["a0", "b0", "c0"]);
        assert_eq!((route.master("a"), route.master("b")), (Some("a:0"), None));
    }

    #[test]
    fn reading_follows_the_suggestion_then_the_next_id_then_anyone() {
        let data = TopicRouteData {
            broker_datas: vec![broker("a", &[0, 1]), broker("b", &[1]), broker("c", &[7])],
            ..TopicRouteData::default()
        };
        let route = Route::new("T", &data);
        assert_eq!(route.reader("a", 1), Some("a:1"));
        assert_eq!(route.reader("b", 0), Some("b:1"));
        assert_eq!(route.reader("c", 0), Some("c:7"));
        assert_eq!(route.reader("d", 0), None);
    }

    #[test]
    fn a_topic_to_be_created_has_queues_to_send_to_and_none_to_read() {
        let template = TopicRouteData {
            queue_datas: vec![queues("a", 7, 8, 8), queues("b", 7, 8, 2)],
            broker_datas: vec![broker("a", &[0]), broker("b", &[0])],
            ..TopicRouteData::default()
        };
        let route = Route::from_template("T", &template, 4);
        assert_eq!(ids(&route.publish), ["a0", "a1", "a2", "a3", "b0", "b1"]);
        assert!(route.publish.iter().all(|queue| queue.topic == "T"));
        assert!(route.subscribe.is_empty());
    }
}
