//! Which connections speak for which producer group.
//!
//! Pure: connections are numbers and time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use runtime::Monotonic;

/// The producers of all groups.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    groups: BTreeMap<String, BTreeMap<u64, Member>>,
}

/// One producer, as its last heartbeat had it.
#[derive(Debug)]
struct Member {
    client: String,
    heard: Monotonic,
}

impl Producers {
    /// Takes a heartbeat.
    pub(crate) fn heartbeat(&mut self, group: &str, connection: u64, client: &str, now: Monotonic) {
        let member = Member { client: client.to_owned(), heard: now };
        self.groups.entry(group.to_owned()).or_default().insert(connection, member);
    }

    /// A client says that it leaves.
    pub(crate) fn unregister(&mut self, group: &str, connection: u64, client: &str) {
        if let Some(members) = self.groups.get_mut(group) {
            members.retain(|id, member| *id != connection || member.client != client);
        }
        self.groups.retain(|_, members| !members.is_empty());
    }

    /// A connection is gone, with every client on it.
    pub(crate) fn closed(&mut self, connection: u64) {
        self.groups.retain(|_, members| {
            members.remove(&connection);
            !members.is_empty()
        });
    }

    /// Forgets those silent for `expiry` or longer.
    pub(crate) fn expire(&mut self, now: Monotonic, expiry: Duration) {
        self.groups.retain(|_, members| {
            members.retain(|_, member| now.since(member.heard) < expiry);
            !members.is_empty()
        });
    }

    /// The connections of a group, oldest first.
    #[cfg(test)]
    pub(crate) fn connections(&self, group: &str) -> Vec<u64> {
        self.groups.get(group).map(|members| members.keys().copied().collect()).unwrap_or_default()
    }

    /// How many groups have a producer.
    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    #[test]
    fn a_connection_that_closes_takes_its_producers_with_it() {
        let mut producers = Producers::default();
        producers.heartbeat("p", 1, "c", at(0));
        producers.heartbeat("p", 2, "d", at(0));
        producers.heartbeat("q", 1, "c", at(0));
        producers.closed(1);
        assert_eq!(producers.connections("p"), [2]);
        assert_eq!(producers.group_count(), 1);
    }

    #[test]
    fn a_silent_producer_is_forgotten() {
        let mut producers = Producers::default();
        producers.heartbeat("p", 1, "c", at(0));
        producers.heartbeat("p", 2, "d", at(60));
        producers.expire(at(120), Duration::from_secs(120));
        assert_eq!(producers.connections("p"), [2]);
    }

    #[test]
    fn a_client_that_leaves_is_forgotten_at_once() {
        let mut producers = Producers::default();
        producers.heartbeat("p", 1, "c", at(0));
        producers.unregister("p", 1, "someone else");
        assert_eq!(producers.connections("p"), [1]);
        producers.unregister("p", 1, "c");
        assert_eq!(producers.group_count(), 0);
    }
}
