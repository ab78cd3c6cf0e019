//! A consumer that is called with messages as they come.

use std::sync::Arc;

use message::MessageQueue;
use protocol::body::{ConsumeFromWhere, ConsumeType, ConsumerData, MessageModel};
use runtime::Task;

use super::listener::MessageListener;
use super::member::Member;
use super::{commit, deal};
use crate::client::Client;
use crate::config::{ConsumeFrom, PushConfig};
use crate::error::ClientError;
use crate::group;
use crate::registry;
use crate::subscription::Subscription;

/// A member of a consumer group. The queues of the subscribed topics are dealt evenly among the
/// group's members; each message reaches the group at least once.
pub struct PushConsumer {
    member: Arc<Member>,
    tasks: Vec<Task>,
}

impl PushConsumer {
    /// Starts a consumer. Topics that do not exist yet are consumed once they do.
    ///
    /// # Errors
    /// [`ClientError::Group`] for a name that no broker takes, [`ClientError::GroupTaken`] when
    /// this client has a consumer of that group already.
    pub fn start(
        client: &Client,
        config: PushConfig,
        subscriptions: Vec<Subscription>,
        listener: Arc<dyn MessageListener>,
    ) -> Result<Self, ClientError> {
        group::validate(&config.group)?;
        let member = Arc::new(Member::new(client.clone(), config, subscriptions, listener));
        let known = registry::Member { data: data(&member), rebalance: member.rebalance.clone() };
        if !client.0.registry.add_consumer(&member.config.group, known) {
            return Err(ClientError::GroupTaken { name: member.config.group.clone() });
        }
        client.introduce();
        let tasks = &client.0.tasks;
        let tasks = vec![
            tasks.spawn("rebalance", deal::run(member.clone())),
            tasks.spawn("commit offsets", commit::run(member.clone())),
        ];
        Ok(Self { member, tasks })
    }

    /// The queues that it owns at the moment, sorted.
    pub fn owned(&self) -> Vec<MessageQueue> {
        self.member.owned().iter().map(|assigned| assigned.queue.clone()).collect()
    }

    /// Stops pulling, gives running calls of the listener some time, commits, and leaves the
    /// group, so that the others take over.
    pub async fn shutdown(self) {
        for task in &self.tasks {
            task.cancel();
            task.join().await;
        }
        deal::release_all(&self.member).await;
        let (client, group) = (&self.member.client, &self.member.config.group);
        client.0.registry.remove_consumer(group);
        client.unregister(None, Some(group)).await;
    }
}

fn data(member: &Member) -> ConsumerData {
    let subscriptions = member.subscriptions.iter().map(|at| at.data(member.version)).collect();
    ConsumerData {
        group_name: member.config.group.clone(),
        consume_type: ConsumeType::Passively,
        message_model: MessageModel::Clustering,
        consume_from_where: match member.config.from {
            ConsumeFrom::Last => ConsumeFromWhere::LastOffset,
            ConsumeFrom::First => ConsumeFromWhere::FirstOffset,
            ConsumeFrom::Timestamp(_) => ConsumeFromWhere::Timestamp,
        },
        subscription_data_set: subscriptions,
        unit_mode: false,
    }
}
