//! Which subscription groups there are, and what each allows.
//!
//! Pure, and changed as topics are: a new table each time, written before it is in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::body::{BodyError, DataVersion, SubscriptionGroupConfig, SubscriptionGroupWrapper};

/// The groups at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Groups {
    configs: BTreeMap<String, Arc<SubscriptionGroupConfig>>,
    data_version: DataVersion,
}

impl Groups {
    /// The group's settings, if it exists.
    pub(crate) fn get(&self, group: &str) -> Option<Arc<SubscriptionGroupConfig>> {
        self.configs.get(group).cloned()
    }

    /// The table with `config` added or changed; `None` when that changes nothing.
    pub(crate) fn with(&self, config: SubscriptionGroupConfig, now_ms: u64) -> Option<Self> {
        if self.configs.get(&config.group_name).is_some_and(|held| **held == config) {
            return None;
        }
        let mut next = self.clone();
        next.configs.insert(config.group_name.clone(), Arc::new(config));
        next.data_version = next.data_version.next(now_ms as i64);
        Some(next)
    }

    /// `subscriptionGroup.json`, also the body of GET_ALL_SUBSCRIPTIONGROUP_CONFIG.
    pub(crate) fn to_wrapper(&self) -> SubscriptionGroupWrapper {
        SubscriptionGroupWrapper {
            subscription_group_table: self
                .configs
                .iter()
                .map(|(name, config)| (name.clone(), (**config).clone()))
                .collect(),
            data_version: self.data_version,
        }
    }

    /// Reads `subscriptionGroup.json`.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, BodyError> {
        let wrapper = SubscriptionGroupWrapper::decode(text)?;
        let configs = wrapper.subscription_group_table.into_iter();
        Ok(Self {
            configs: configs.map(|(name, config)| (name, Arc::new(config))).collect(),
            data_version: wrapper.data_version,
        })
    }
}

/// A group with RocketMQ's defaults.
pub(crate) fn plain(group: &str) -> SubscriptionGroupConfig {
    SubscriptionGroupConfig { group_name: group.to_owned(), ..SubscriptionGroupConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_reads_back_and_a_repetition_is_no_change() {
        let groups = Groups::default().with(plain("g"), 5).expect("it is new");
        assert_eq!(groups.with(plain("g"), 6), None);
        let read = Groups::from_json(&groups.to_wrapper().encode()).expect("it is its own text");
        assert_eq!(read, groups);
        assert_eq!(read.get("g").map(|group| group.retry_queue_nums), Some(1));
        assert_eq!(read.get("h"), None);
    }
}
