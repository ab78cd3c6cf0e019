//! Who consumes in which group, and what the group wants.
//!
//! Pure: connections are numbers and time is an argument. What changes a group's members or its
//! topics is said in the return value, because then every member must be told to rebalance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use runtime::Monotonic;

use crate::subscription::TagFilter;

/// What a group wants of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// When the client last changed it; a later one replaces an earlier one.
    pub(crate) version: i64,
    /// The expression as written.
    pub(crate) expression: String,
    /// What it means; `None` for an expression type that this broker does not evaluate.
    pub(crate) filter: Option<TagFilter>,
}

/// One group's part of a client's heartbeat.
pub(crate) struct Heartbeat<'a> {
    pub(crate) group: &'a str,
    pub(crate) connection: u64,
    pub(crate) client: &'a str,
    pub(crate) broadcasting: bool,
    /// Topic and subscription, for every topic the client wants.
    pub(crate) subscriptions: Vec<(String, Subscription)>,
}

/// The consumers of all groups.
#[derive(Default)]
pub(crate) struct Consumers {
    groups: BTreeMap<String, Group>,
}

#[derive(Default)]
struct Group {
    /// By connection, so that a half-open connection of a client which came back does not take
    /// the client with it when it finally closes.
    members: BTreeMap<u64, Member>,
    subscriptions: BTreeMap<String, Arc<Subscription>>,
    broadcasting: bool,
}

struct Member {
    client: String,
    heard: Monotonic,
}

impl Consumers {
    /// Takes a heartbeat; true when the group's members or topics changed.
    pub(crate) fn heartbeat(&mut self, beat: Heartbeat<'_>, now: Monotonic) -> bool {
        let group = self.groups.entry(beat.group.to_owned()).or_default();
        group.broadcasting = beat.broadcasting;
        let joined = group.members.values().all(|member| member.client != beat.client);
        let member = Member { client: beat.client.to_owned(), heard: now };
        group.members.insert(beat.connection, member);
        let resubscribed = group.subscribe(beat.subscriptions);
        joined || resubscribed
    }

    /// A client says that it leaves the group; true when it was its last connection.
    pub(crate) fn unregister(&mut self, group: &str, connection: u64, client: &str) -> bool {
        self.retain(|name, id, member| {
            name != group || *id != connection || member.client != client
        })
        .contains(group)
    }

    /// A connection is gone; the groups that lost a member by it.
    pub(crate) fn closed(&mut self, connection: u64) -> BTreeSet<String> {
        self.retain(|_, id, _| *id != connection)
    }

    /// Forgets those silent for `expiry` or longer; the groups that lost a member by it.
    pub(crate) fn expire(&mut self, now: Monotonic, expiry: Duration) -> BTreeSet<String> {
        self.retain(|_, _, member| now.since(member.heard) < expiry)
    }

    /// The clients of a group, each once, in order.
    pub(crate) fn clients(&self, group: &str) -> BTreeSet<String> {
        self.groups.get(group).map(Group::clients).unwrap_or_default()
    }

    /// The connections of a group's members.
    pub(crate) fn connections(&self, group: &str) -> Vec<u64> {
        self.groups
            .get(group)
            .map(|group| group.members.keys().copied().collect())
            .unwrap_or_default()
    }

    /// Whether the group has a member.
    pub(crate) fn is_online(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    /// Whether each member consumes everything for itself.
    pub(crate) fn is_broadcasting(&self, group: &str) -> bool {
        self.groups.get(group).is_some_and(|group| group.broadcasting)
    }

    /// What the group wants of the topic.
    pub(crate) fn subscription(&self, group: &str, topic: &str) -> Option<Arc<Subscription>> {
        self.groups.get(group)?.subscriptions.get(topic).cloned()
    }

    /// How many groups have a consumer.
    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Keeps the members that `keep` wants; the groups whose set of clients changed by that.
    fn retain(&mut self, keep: impl Fn(&str, &u64, &Member) -> bool) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        self.groups.retain(|name, group| {
            if group.members.iter().all(|(id, member)| keep(name, id, member)) {
                return true;
            }
            let before = group.clients();
            group.members.retain(|id, member| keep(name, id, member));
            if group.clients() != before {
                changed.insert(name.clone());
            }
            !group.members.is_empty()
        });
        changed
    }
}

impl Group {
    fn clients(&self) -> BTreeSet<String> {
        self.members.values().map(|member| member.client.clone()).collect()
    }

    /// Takes the newer of each subscription, and drops the topics that are not wanted any more:
    /// the last writer rules. True when the set of topics changed.
    fn subscribe(&mut self, wanted: Vec<(String, Subscription)>) -> bool {
        let wanted: BTreeMap<String, Subscription> = wanted.into_iter().collect();
        let before = self.subscriptions.len();
        self.subscriptions.retain(|topic, _| wanted.contains_key(topic));
        let mut changed = self.subscriptions.len() != before;
        for (topic, subscription) in wanted {
            let held = self.subscriptions.get(&topic);
            changed |= held.is_none();
            if held.is_none_or(|held| subscription.version > held.version) {
                self.subscriptions.insert(topic, Arc::new(subscription));
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic(Duration::from_secs(seconds))
    }

    fn subscription(version: i64, expression: &str) -> Subscription {
        let filter = TagFilter::parse(expression).ok();
        Subscription { version, expression: expression.into(), filter }
    }

    fn beat<'a>(connection: u64, client: &'a str, topics: &[&str]) -> Heartbeat<'a> {
        let subscriptions =
            topics.iter().map(|topic| ((*topic).to_owned(), subscription(1, "*"))).collect();
        Heartbeat { group: "g", connection, client, broadcasting: false, subscriptions }
    }

    #[test]
    fn a_new_member_and_a_new_topic_are_changes_and_a_repeated_heartbeat_is_none() {
        let mut consumers = Consumers::default();
        assert!(consumers.heartbeat(beat(1, "a", &["T"]), at(0)));
        assert!(!consumers.heartbeat(beat(1, "a", &["T"]), at(30)));
        assert!(consumers.heartbeat(beat(2, "b", &["T"]), at(31)));
        assert!(consumers.heartbeat(beat(2, "b", &["T", "U"]), at(32)));
        assert!(consumers.heartbeat(beat(2, "b", &["U"]), at(33)));
        assert!(consumers.subscription("g", "T").is_none());
    }

    #[test]
    fn a_client_that_came_back_outlives_its_old_connection() {
        let mut consumers = Consumers::default();
        consumers.heartbeat(beat(1, "a", &["T"]), at(0));
        assert!(!consumers.heartbeat(beat(2, "a", &["T"]), at(1)));
        assert_eq!(consumers.clients("g").into_iter().collect::<Vec<_>>(), ["a"]);
        assert!(consumers.closed(1).is_empty());
        assert!(consumers.is_online("g"));
        assert_eq!(consumers.closed(2).into_iter().collect::<Vec<_>>(), ["g"]);
        assert!(!consumers.is_online("g"));
    }

    #[test]
    fn a_silent_member_expires_and_its_group_is_named() {
        let mut consumers = Consumers::default();
        consumers.heartbeat(beat(1, "a", &["T"]), at(0));
        consumers.heartbeat(beat(2, "b", &["T"]), at(60));
        let expiry = Duration::from_secs(120);
        assert!(consumers.expire(at(119), expiry).is_empty());
        assert_eq!(consumers.expire(at(120), expiry).len(), 1);
        assert_eq!(consumers.connections("g"), [2]);
    }

    #[test]
    fn only_the_named_client_leaves() {
        let mut consumers = Consumers::default();
        consumers.heartbeat(beat(1, "a", &["T"]), at(0));
        consumers.heartbeat(beat(2, "b", &["T"]), at(0));
        assert!(!consumers.unregister("g", 1, "b"));
        assert!(consumers.unregister("g", 1, "a"));
        assert_eq!(consumers.connections("g"), [2]);
    }

    #[test]
    fn a_newer_subscription_replaces_an_older_one_and_not_the_other_way() {
        let mut consumers = Consumers::default();
        for (version, expression) in [(5, "A"), (4, "B"), (6, "C"), (6, "D")] {
            let mut beat = beat(1, "a", &[]);
            beat.subscriptions = vec![("T".to_owned(), subscription(version, expression))];
            consumers.heartbeat(beat, at(0));
        }
        let held = consumers.subscription("g", "T").expect("it is subscribed");
        assert_eq!((held.version, held.expression.as_str()), (6, "C"));
    }
}
