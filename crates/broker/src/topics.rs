//! Which topics there are, and what each allows.
//!
//! Pure: a table is a value, and a change makes a new one. Whoever changes it writes the new table
//! to disk first and puts it in force then (see `tables.rs`), so what a client was told survives.

use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use indexmap::IndexMap;

use message::{permission, topic};
use protocol::body::{BodyError, DataVersion, TopicConfig, TopicConfigSerializeWrapper};

use crate::config::BrokerConfig;

/// The topics at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Topics {
    configs: IndexMap<String, Arc<TopicConfig>, BuildHasherDefault<DefaultHasher>>,
    data_version: DataVersion,
}

impl Topics {
    /// The topic's settings, if it exists.
    pub(crate) fn get(&self, topic: &str) -> Option<Arc<TopicConfig>> {
        self.configs.get(topic).cloned()
    }

    /// What changes whenever a topic does; name servers compare it.
    pub(crate) fn data_version(&self) -> DataVersion {
        self.data_version
    }

    /// The table with `config` added or changed; `None` when that changes nothing.
    pub(crate) fn with(&self, config: TopicConfig, now_ms: u64) -> Option<Self> {
        if self.configs.get(&config.topic_name).is_some_and(|held| **held == config) {
            return None;
        }
        let mut next = self.clone();
        next.configs.insert(config.topic_name.clone(), Arc::new(config));
        next.data_version = next.data_version.next(now_ms as i64);
        Some(next)
    }

    /// The table with the topics that every broker has, unless an operator changed them.
    pub(crate) fn with_system_topics(mut self, config: &BrokerConfig, now_ms: u64) -> Self {
        let before = self.configs.len();
        for system in system_topics(config) {
            self.configs.entry(system.topic_name.clone()).or_insert_with(|| Arc::new(system));
        }
        if self.configs.len() != before {
            self.data_version = self.data_version.next(now_ms as i64);
        }
        self
    }

    /// The settings that a send to the unknown `topic` gives it: those of the template, with no
    /// more queues than the client asked for. `None` when the template allows no inheritance.
    pub(crate) fn derive(
        &self,
        topic: &str,
        template: &str,
        queue_nums_asked: i32,
    ) -> Option<TopicConfig> {
        let template = self.configs.get(template)?;
        if !permission::is_inherited(template.perm) {
            return None;
        }
        let queue_nums = u32::try_from(queue_nums_asked).unwrap_or(0);
        Some(TopicConfig {
            topic_name: topic.to_owned(),
            read_queue_nums: queue_nums.clamp(1, template.write_queue_nums.max(1)),
            write_queue_nums: queue_nums.clamp(1, template.write_queue_nums.max(1)),
            perm: template.perm & !permission::INHERIT,
            ..(**template).clone()
        })
    }

    /// `topics.json`, also the body of GET_ALL_TOPIC_CONFIG and of a registration.
    pub(crate) fn to_wrapper(&self) -> TopicConfigSerializeWrapper {
        TopicConfigSerializeWrapper {
            topic_config_table: self
                .configs
                .iter()
                .map(|(name, config)| (name.clone(), (**config).clone()))
                .collect(),
            data_version: self.data_version,
        }
    }

    /// Reads `topics.json`.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, BodyError> {
        let wrapper = TopicConfigSerializeWrapper::decode(text)?;
        let configs = wrapper.topic_config_table.into_iter();
        Ok(Self {
            configs: configs.map(|(name, config)| (name, Arc::new(config))).collect(),
            data_version: wrapper.data_version,
        })
    }
}

/// A topic with as many queues to read as to write.
pub(crate) fn plain(topic: &str, queue_nums: u32, perm: u32) -> TopicConfig {
    TopicConfig {
        topic_name: topic.to_owned(),
        read_queue_nums: queue_nums,
        write_queue_nums: queue_nums,
        perm,
        ..TopicConfig::default()
    }
}

/// What a broker of 4.9.8 has from the start (protocol.md §4.8).
fn system_topics(config: &BrokerConfig) -> Vec<TopicConfig> {
    let read_write = permission::READ | permission::WRITE;
    let inherited = read_write | permission::INHERIT;
    let mut topics = vec![
        plain(topic::SELF_TEST, 1, read_write),
        plain(topic::BENCHMARK, 1024, read_write),
        plain(topic::OFFSET_MOVED_EVENT, 1, read_write),
        plain(topic::SCHEDULE, 18, read_write),
        plain(&topic::reply(&config.cluster), 1, read_write),
        plain(&config.cluster, 16, inherited),
        plain(&config.name, 1, inherited),
    ];
    if config.auto_create_topic {
        topics.push(plain(topic::AUTO_CREATE, config.default_topic_queue_nums, inherited));
    }
    topics
}

#[cfg(test)]
mod tests {
    use store::StoreConfig;

    use super::*;

    fn config() -> BrokerConfig {
        BrokerConfig::new("b", StoreConfig::default())
    }

    #[test]
    fn a_new_broker_has_the_template_and_its_own_topics() {
        let topics = Topics::default().with_system_topics(&config(), 5);
        assert_eq!(topics.get("TBW102").map(|t| (t.write_queue_nums, t.perm)), Some((8, 7)));
        assert!(topics.get("DefaultCluster_REPLY_TOPIC").is_some());
        let again = topics.clone().with_system_topics(&config(), 6);
        assert_eq!(topics, again);
    }

    #[test]
    fn without_auto_creation_there_is_no_template() {
        let config = BrokerConfig { auto_create_topic: false, ..config() };
        let topics = Topics::default().with_system_topics(&config, 5);
        assert_eq!(topics.derive("T", "TBW102", 4), None);
    }

    #[test]
    fn a_derived_topic_has_the_lesser_number_of_queues_and_does_not_inherit() {
        let topics = Topics::default().with_system_topics(&config(), 5);
        for (asked, given) in [(4, 4), (100, 8), (0, 1), (-3, 1)] {
            let derived = topics.derive("T", "TBW102", asked).expect("the template is inherited");
            assert_eq!((derived.write_queue_nums, derived.read_queue_nums), (given, given));
            assert_eq!(derived.perm, 6);
        }
        assert_eq!(topics.derive("T", "BenchmarkTest", 4), None);
        assert_eq!(topics.derive("T", "unknown", 4), None);
    }

    #[test]
    fn a_change_changes_the_data_version_and_a_repetition_does_not() {
        let topics = Topics::default();
        let changed = topics.with(plain("T", 4, 6), 9).expect("it is new");
        assert_ne!(changed.data_version(), topics.data_version());
        assert_eq!(changed.with(plain("T", 4, 6), 10), None);
        assert!(changed.with(plain("T", 5, 6), 10).is_some());
    }

    #[test]
    fn the_file_reads_back() {
        let topics = Topics::default().with_system_topics(&config(), 5);
        let json = topics.to_wrapper().encode();
        assert_eq!(Topics::from_json(&json).expect("it is its own text"), topics);
    }
}
