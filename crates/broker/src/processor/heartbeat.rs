//! HEART_BEAT (34): a client lives, and these are its groups.

use protocol::RemotingCommand;
use protocol::body::{ConsumerData, HeartbeatData, MessageModel, SubscriptionData};
use remoting::Connection;

use super::answer::{Answer, success};
use crate::consumers::{Heartbeat, Subscription};
use crate::state::State;
use crate::subscription::{TagFilter, is_tag_type};

/// Registers the client in its groups, makes what they need, and tells the members of those that
/// changed.
pub(crate) async fn serve(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Answer {
    let data = HeartbeatData::decode(&request.body)?;
    let now = state.clock.monotonic();
    for producer in &data.producer_data_set {
        state.members.producers().heartbeat(
            &producer.group_name,
            connection.id(),
            &data.client_id,
            now,
        );
    }
    for consumer in data.consumer_data_set {
        register(state, connection, &data.client_id, consumer).await?;
    }
    // A connection that closed meanwhile was cleaned up before its heartbeat registered it.
    if connection.is_closed() {
        state.members.closed(connection.id());
    }
    Ok(success(request).into())
}

async fn register(
    state: &State,
    connection: &Connection,
    client: &str,
    consumer: ConsumerData,
) -> Result<(), crate::refusal::Refusal> {
    let Some(group) = state.tables.group_or_default(&consumer.group_name).await? else {
        tracing::warn!(group = consumer.group_name, client, "unknown group: heartbeat skipped");
        return Ok(());
    };
    state.tables.retry_topic(&group).await?;
    let beat = Heartbeat {
        group: &consumer.group_name,
        connection: connection.id(),
        client,
        broadcasting: consumer.message_model == MessageModel::Broadcasting,
        subscriptions: consumer.subscription_data_set.into_iter().map(subscription).collect(),
    };
    let changed = state.members.consumers().heartbeat(beat, state.clock.monotonic());
    if changed {
        state.notify_changed(&consumer.group_name);
    }
    Ok(())
}

fn subscription(data: SubscriptionData) -> (String, Subscription) {
    let filter = is_tag_type(Some(&data.expression_type))
        .then(|| TagFilter::of_subscription(&data.sub_string, data.code_set, data.tags_set));
    let version = data.sub_version;
    (data.topic, Subscription { version, expression: data.sub_string, filter })
}
