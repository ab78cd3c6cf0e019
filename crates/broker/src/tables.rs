//! The topics and groups in force, and their files.
//!
//! A change is written before it is in force: scenario 1. a send creates topic T; 2. the message
//! is flushed and acknowledged; 3. power fails. Had `topics.json` not been durable before the
//! message was, T would be unknown afterwards and its acknowledged message out of reach.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use protocol::ResponseCode;
use protocol::body::{SubscriptionGroupConfig, TopicConfig};
use runtime::sync::Watermark;
use runtime::{Clock, Disk};

use crate::config::BrokerConfig;
use crate::config_file;
use crate::error::StartError;
use crate::groups::{self, Groups};
use crate::refusal::Refusal;
use crate::topics::{self, Topics};

/// The topics' file.
pub(crate) const TOPICS_FILE: &str = "topics.json";
/// The groups' file.
pub(crate) const GROUPS_FILE: &str = "subscriptionGroup.json";

/// The tables in force.
pub(crate) struct Tables {
    disk: Disk,
    clock: Clock,
    config: Arc<BrokerConfig>,
    topics: Mutex<Arc<Topics>>,
    groups: Mutex<Arc<Groups>>,
    /// One change at a time, from reading the old table to putting the new one in force.
    changing: tokio::sync::Mutex<()>,
    /// How often the topics changed: caches of connections compare it, registrations wait for it.
    topics_changed: Watermark,
    /// Whether there was no file of topics at the start.
    are_new: bool,
}

impl Tables {
    /// Reads both files; missing ones are empty tables, unreadable ones an error, because a broker
    /// that forgets its topics refuses the sends of producers that know them.
    pub(crate) async fn open(
        disk: &Disk,
        clock: &Clock,
        config: &Arc<BrokerConfig>,
    ) -> Result<Self, StartError> {
        let topics =
            config_file::load(disk, &config.table_path(TOPICS_FILE), Topics::from_json).await?;
        let groups =
            config_file::load(disk, &config.table_path(GROUPS_FILE), Groups::from_json).await?;
        let are_new = topics.is_none();
        let topics = topics.unwrap_or_default().with_system_topics(config, clock.now_ms());
        Ok(Self {
            disk: disk.clone(),
            clock: clock.clone(),
            config: config.clone(),
            topics: Mutex::new(Arc::new(topics)),
            groups: Mutex::new(Arc::new(groups.unwrap_or_default())),
            changing: tokio::sync::Mutex::new(()),
            topics_changed: Watermark::new(1),
            are_new,
        })
    }

    /// The topics in force.
    pub(crate) fn topics(&self) -> Arc<Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The groups in force.
    pub(crate) fn groups(&self) -> Arc<Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this broker began without a file of topics: its first start, or that on a new disk.
    pub(crate) fn are_new(&self) -> bool {
        self.are_new
    }

    /// Rises with every change of the topics.
    pub(crate) fn topics_changed(&self) -> &Watermark {
        &self.topics_changed
    }

    /// A topic, if it exists.
    pub(crate) fn topic(&self, topic: &str) -> Option<Arc<TopicConfig>> {
        self.topics().get(topic)
    }

    /// Adds or changes a topic; in force and durable when it returns.
    pub(crate) async fn put_topic(&self, config: TopicConfig) -> Result<Arc<TopicConfig>, Refusal> {
        let _one_at_a_time = self.changing.lock().await;
        self.put_topic_alone(config).await
    }

    /// The topic, made as `make` says if there is none; in force and durable when it returns.
    /// `None` when there is none and `make` gives none.
    pub(crate) async fn topic_or(
        &self,
        topic: &str,
        make: impl FnOnce(&Topics) -> Option<TopicConfig>,
    ) -> Result<Option<Arc<TopicConfig>>, Refusal> {
        if let Some(known) = self.topic(topic) {
            return Ok(Some(known));
        }
        let _one_at_a_time = self.changing.lock().await;
        let topics = self.topics();
        if let Some(known) = topics.get(topic) {
            return Ok(Some(known));
        }
        match make(&topics) {
            Some(config) => self.put_topic_alone(config).await.map(Some),
            None => Ok(None),
        }
    }

    async fn put_topic_alone(&self, config: TopicConfig) -> Result<Arc<TopicConfig>, Refusal> {
        let config = Arc::new(config);
        let Some(next) = self.topics().with((*config).clone(), self.clock.now_ms()) else {
            return Ok(config);
        };
        self.write(TOPICS_FILE, &next.to_wrapper().encode()).await?;
        *self.topics.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.topics_changed.raise_to(self.topics_changed.reached() + 1);
        Ok(config)
    }

    /// Adds or changes a group; in force and durable when it returns.
    pub(crate) async fn put_group(&self, config: SubscriptionGroupConfig) -> Result<(), Refusal> {
        let _one_at_a_time = self.changing.lock().await;
        self.put_group_alone(config).await
    }

    /// The group, made with the defaults if there is none and the operator allows it; durable when
    /// it returns.
    pub(crate) async fn group_or_default(
        &self,
        group: &str,
    ) -> Result<Option<Arc<SubscriptionGroupConfig>>, Refusal> {
        let known = self.groups().get(group);
        if known.is_some() || !self.config.auto_create_group || group.is_empty() {
            return Ok(known);
        }
        let _one_at_a_time = self.changing.lock().await;
        if self.groups().get(group).is_none() {
            self.put_group_alone(groups::plain(group)).await?;
        }
        Ok(self.groups().get(group))
    }

    async fn put_group_alone(&self, config: SubscriptionGroupConfig) -> Result<(), Refusal> {
        let Some(next) = self.groups().with(config, self.clock.now_ms()) else { return Ok(()) };
        self.write(GROUPS_FILE, &next.to_wrapper().encode()).await?;
        *self.groups.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    /// Makes the retry topic of a group, with as many queues as the group's settings say.
    pub(crate) async fn retry_topic(
        &self,
        group: &SubscriptionGroupConfig,
    ) -> Result<Option<Arc<TopicConfig>>, Refusal> {
        let topic = message::topic::retry(&group.group_name);
        let read_write = message::permission::READ | message::permission::WRITE;
        let Some(queue_nums) = u32::try_from(group.retry_queue_nums).ok().filter(|nums| *nums > 0)
        else {
            return Ok(self.topic(&topic));
        };
        self.topic_or(&topic, |_| Some(topics::plain(&topic, queue_nums, read_write))).await
    }

    /// Writes both files as they are, so that a first start leaves them behind.
    pub(crate) async fn persist(&self) -> io::Result<()> {
        let _one_at_a_time = self.changing.lock().await;
        let topics = self.topics().to_wrapper().encode();
        config_file::replace(&self.disk, &self.config.table_path(TOPICS_FILE), &topics).await?;
        let groups = self.groups().to_wrapper().encode();
        config_file::replace(&self.disk, &self.config.table_path(GROUPS_FILE), &groups).await
    }

    async fn write(&self, file: &str, text: &[u8]) -> Result<(), Refusal> {
        let path = self.config.table_path(file);
        config_file::replace(&self.disk, &path, text).await.map_err(|error| {
            tracing::error!(%path, %error, "a table could not be written");
            let remark = format!("{file} could not be written: {error}; check the broker's disk");
            Refusal::new(ResponseCode::SYSTEM_ERROR, remark)
        })
    }
}
