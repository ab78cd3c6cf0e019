//! The route table as a plain data structure: who is in it, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use namesrv::{MASTER_ID, Registered, Registration, RouteTable, Units, WritePermission};
use protocol::body::{DataVersion, TopicConfig};
use runtime::Monotonic;

const SILENCE_MAX: Duration = Duration::from_secs(120);

fn at(seconds: u64) -> Monotonic {
    Monotonic(Duration::from_secs(seconds))
}

fn version(counter: i64) -> DataVersion {
    DataVersion { counter, timestamp: 1, ..DataVersion::default() }
}

fn topics(names: &[&str]) -> BTreeMap<String, TopicConfig> {
    let config = |name: &&str| TopicConfig {
        topic_name: name.to_string(),
        read_queue_nums: 8,
        write_queue_nums: 8,
        perm: 6,
        ..TopicConfig::default()
    };
    names.iter().map(|name| (name.to_string(), config(name))).collect()
}

/// A registration of `name` with that id at that address, over the connection of that number.
fn broker(name: &str, id: i64, address: &str, connection: u64) -> Registration {
    Registration {
        cluster_name: "DefaultCluster".to_owned(),
        broker_name: name.to_owned(),
        broker_id: id,
        broker_addr: address.to_owned(),
        ha_server_addr: format!("{address}-ha"),
        data_version: version(1),
        topics: topics(&["TopicA"]),
        connection,
    }
}

fn addresses(table: &RouteTable, topic: &str) -> Vec<(i64, String)> {
    let route = table.route(topic).unwrap_or_default();
    route.broker_datas.into_iter().flat_map(|broker| broker.broker_addrs).collect()
}

#[test]
fn a_registered_broker_is_routed_to_and_nobody_else() {
    let mut table = RouteTable::new();
    assert_eq!(table.route("TopicA"), None);
    table.register(broker("broker-a", MASTER_ID, "127.0.0.1:20911", 1), at(0));
    let route = table.route("TopicA").unwrap();
    // As 4.9.8 answers a 4.9.4 client, in the recorded conversation.
    let expected = concat!(
        r#"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:20911"},"brokerName":"broker-a","#,
        r#""cluster":"DefaultCluster"}],"filterServerTable":{},"queueDatas":[{"#,
        r#""brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"#,
        r#""writeQueueNums":8}]}"#
    );
    assert_eq!(std::str::from_utf8(&route.encode()).unwrap(), expected);
    assert_eq!(table.route("TopicB"), None);
}

#[test]
fn a_slave_is_told_its_master_and_brings_no_topics() {
    let mut table = RouteTable::new();
    let alone = table.register(broker("a", 1, "slave", 2), at(0));
    assert_eq!(alone, Registered::default());
    assert_eq!(table.route("TopicA"), None);
    let master = table.register(broker("a", MASTER_ID, "master", 1), at(0));
    assert_eq!(master, Registered::default());
    let told = table.register(broker("a", 1, "slave", 2), at(1));
    assert_eq!(told.master_addr.as_deref(), Some("master"));
    assert_eq!(told.ha_server_addr.as_deref(), Some("master-ha"));
    assert_eq!(addresses(&table, "TopicA"), [(0, "master".to_owned()), (1, "slave".to_owned())]);
}

#[test]
fn a_slave_that_becomes_master_is_not_listed_twice() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    table.register(broker("a", 1, "two", 2), at(0));
    table.connection_lost(1);
    table.register(broker("a", MASTER_ID, "two", 2), at(1));
    assert_eq!(addresses(&table, "TopicA"), [(0, "two".to_owned())]);
}

#[test]
fn a_lost_connection_removes_at_once_who_registered_over_it() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    table.register(broker("b", MASTER_ID, "two", 2), at(0));
    assert_eq!(table.connection_lost(1), ["one"]);
    assert_eq!(addresses(&table, "TopicA"), [(0, "two".to_owned())]);
    assert_eq!(table.connection_lost(2), ["two"]);
    assert_eq!(table.route("TopicA"), None);
    assert_eq!(table.topics().topic_list, Vec::<String>::new());
    assert_eq!(table.clusters().cluster_addr_table, BTreeMap::new());
}

#[test]
fn the_end_of_an_older_connection_leaves_a_broker_that_came_back() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    table.register(broker("a", MASTER_ID, "one", 2), at(5));
    assert_eq!(table.connection_lost(1), Vec::<String>::new());
    assert_eq!(addresses(&table, "TopicA"), [(0, "one".to_owned())]);
}

#[test]
fn silence_expires_a_broker_and_a_sign_of_life_does_not() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    table.register(broker("b", MASTER_ID, "two", 2), at(0));
    table.register(broker("c", MASTER_ID, "three", 3), at(0));
    assert_eq!(table.expired(at(120), SILENCE_MAX), []);
    table.register(broker("b", MASTER_ID, "two", 2), at(60));
    assert_eq!(table.data_version("three", &version(1), at(61)), (false, Some(version(1))));
    assert_eq!(table.heard_first(), Some(at(0)));
    let expired = table.expired(at(121), SILENCE_MAX);
    assert_eq!(expired.iter().map(|gone| gone.connection).collect::<Vec<_>>(), [1]);
    table.remove_expired(&expired);
    let left = [(0, "two".to_owned()), (0, "three".to_owned())];
    assert_eq!(addresses(&table, "TopicA"), left);
    assert_eq!(table.heard_first(), Some(at(60)));
}

#[test]
fn news_of_topics_is_told_by_the_version_and_is_no_sign_of_life() {
    let mut table = RouteTable::new();
    assert_eq!(table.data_version("one", &version(1), at(0)), (true, None));
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    assert_eq!(table.data_version("one", &version(2), at(100)), (true, Some(version(1))));
    assert_eq!(table.expired(at(121), SILENCE_MAX).len(), 1);
}

#[test]
fn topics_change_only_with_the_version_and_never_vanish_by_being_left_out() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    let mut same_version = broker("a", MASTER_ID, "one", 1);
    same_version.topics = topics(&["TopicB"]);
    table.register(same_version.clone(), at(30));
    assert_eq!(table.topics().topic_list, ["TopicA"]);
    table.register(Registration { data_version: version(2), ..same_version }, at(60));
    assert_eq!(table.topics().topic_list, ["TopicA", "TopicB"]);
}

#[test]
fn the_last_master_to_register_has_the_name_and_the_other_cannot_take_it_down() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "old", 1), at(0));
    table.register(broker("a", MASTER_ID, "new", 2), at(1));
    assert_eq!(addresses(&table, "TopicA"), [(0, "new".to_owned())]);
    table.unregister("a", MASTER_ID, "old");
    table.connection_lost(1);
    assert_eq!(addresses(&table, "TopicA"), [(0, "new".to_owned())]);
    table.unregister("a", MASTER_ID, "new");
    assert_eq!(table.route("TopicA"), None);
}

#[test]
fn an_address_that_comes_back_under_another_name_leaves_the_old_one() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    table.register(broker("b", MASTER_ID, "one", 2), at(1));
    let route = table.route("TopicA").unwrap();
    assert_eq!(route.broker_datas.len(), 1);
    assert_eq!(route.broker_datas[0].broker_name, "b");
    assert_eq!(route.queue_datas.len(), 1);
}

#[test]
fn write_permission_is_wiped_until_it_is_added_or_the_version_changes() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    let perm = |table: &RouteTable| table.route("TopicA").unwrap().queue_datas[0].perm;
    assert_eq!(table.change_write_permission("a", WritePermission::Wipe), 1);
    assert_eq!(perm(&table), 4);
    table.register(broker("a", MASTER_ID, "one", 1), at(30));
    assert_eq!(perm(&table), 4);
    let news = Registration { data_version: version(2), ..broker("a", MASTER_ID, "one", 1) };
    table.register(news, at(60));
    assert_eq!(perm(&table), 6);
    table.change_write_permission("a", WritePermission::Wipe);
    assert_eq!(table.change_write_permission("a", WritePermission::Add), 1);
    assert_eq!(perm(&table), 6);
    assert_eq!(table.change_write_permission("b", WritePermission::Wipe), 0);
}

#[test]
fn a_topic_is_deleted_everywhere_or_in_one_cluster() {
    let mut table = RouteTable::new();
    table.register(broker("a", MASTER_ID, "one", 1), at(0));
    let other =
        Registration { cluster_name: "Other".to_owned(), ..broker("b", MASTER_ID, "two", 2) };
    table.register(other, at(0));
    table.delete_topic("TopicA", Some("DefaultCluster"));
    assert_eq!(addresses(&table, "TopicA"), [(0, "two".to_owned())]);
    table.delete_topic("TopicA", None);
    assert_eq!(table.topics().topic_list, Vec::<String>::new());
}

#[test]
fn topics_are_listed_by_cluster_by_system_and_by_unit() {
    let mut table = RouteTable::new();
    let mut unit = broker("a", MASTER_ID, "one", 1);
    for (flag, name) in [(1, "InUnit"), (2, "SubOnly"), (3, "Both")] {
        let config = TopicConfig { topic_sys_flag: flag, ..TopicConfig::default() };
        unit.topics.insert(name.to_owned(), config);
    }
    table.register(unit, at(0));
    let other = Registration {
        cluster_name: "Other".to_owned(),
        topics: topics(&["TopicB"]),
        ..broker("b", MASTER_ID, "two", 2)
    };
    table.register(other, at(0));
    assert_eq!(table.topics_of_cluster("Other").topic_list, ["TopicB"]);
    assert_eq!(table.topics_of_cluster("None").topic_list, Vec::<String>::new());
    let system = table.system_topics();
    assert_eq!(system.topic_list, ["DefaultCluster", "a", "Other", "b"]);
    assert_eq!(system.broker_addr.as_deref(), Some("one"));
    assert_eq!(table.topics_of_units(Units::Unit).topic_list, ["Both", "InUnit"]);
    assert_eq!(table.topics_of_units(Units::Subscribed).topic_list, ["Both", "SubOnly"]);
    assert_eq!(table.topics_of_units(Units::SubscribedOfNone).topic_list, ["SubOnly"]);
}
