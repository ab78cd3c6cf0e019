//! Deals the queues among the members of a group, and starts and ends the pulling of ours.

use std::sync::Arc;

use runtime::sync::race;
use runtime::{Task, sometimes};

use super::commit::commit_last;
use super::member::{Assigned, Member};
use super::queue_loop;
use crate::error::ClientError;
use crate::rebalance::averagely;

/// Deals until the member stops: when woken, every 20 s, and soon again when it could not be done.
pub(crate) async fn run(member: Arc<Member>) {
    loop {
        let mut settled = true;
        for subscription in &member.subscriptions {
            if let Err(error) = deal(&member, &subscription.topic).await {
                tracing::debug!(topic = %subscription.topic, %error, "the queues are not dealt");
                // A topic that does not exist yet is no hurry.
                settled &= matches!(error, ClientError::TopicUnknown { .. });
            }
        }
        let config = &member.config;
        let pause = if settled { config.rebalance_interval } else { config.rebalance_retry_pause };
        race(member.rebalance.notified(), member.client.0.clock.sleep(pause)).await;
    }
}

async fn deal(member: &Arc<Member>, topic: &str) -> Result<(), ClientError> {
    let client = &member.client;
    let route = client.route_to_read(topic).await?;
    let members = match client.members(&member.config.group, topic).await {
        Ok(members) if members.iter().any(|id| id == client.id()) => members,
        // Dealing without us would take every queue from us: the broker must know us first.
        other => {
            client.introduce();
            return other
                .and(Err(ClientError::NotYetAMember { group: member.config.group.clone() }));
        }
    };
    let mine = averagely(&route.subscribe, &members, client.id());
    let owned = member.owned();
    let lost = owned.iter().filter(|at| at.queue.topic == topic && !mine.contains(&at.queue));
    let lost: Vec<_> = lost.cloned().collect();
    let gained: Vec<_> =
        mine.iter().filter(|queue| owned.iter().all(|at| at.queue != **queue)).collect();
    let changed = !lost.is_empty() || !gained.is_empty();
    release(member, lost).await;
    let shared = members.len() > 1;
    let gained: Vec<_> = gained.into_iter().map(|queue| member.own(queue)).collect();
    if changed {
        let queues: Vec<_> = member.owned().iter().map(|at| at.queue.clone()).collect();
        tracing::debug!(group = %member.config.group, ?queues, "the queues are dealt");
        member.observer.rebalanced(&queues);
    }
    for assigned in gained {
        let pulling = queue_loop::run(member.clone(), assigned, shared);
        client.0.tasks.detach("pull queue", pulling);
    }
    Ok(())
}

/// Gives queues up: stops pulling them, commits how far they came, one last time, and forgets
/// them. Whoever gets them next begins there.
async fn release(member: &Arc<Member>, lost: Vec<Arc<Assigned>>) {
    sometimes!("a member gave up a queue", !lost.is_empty());
    lost.iter().for_each(|assigned| assigned.dropped.stop());
    let committing: Vec<Task> = lost
        .into_iter()
        .map(|assigned| {
            let member = member.clone();
            member.client.0.tasks.clone().spawn("last commit", async move {
                commit_last(&member, &assigned).await;
                member.disown(&assigned.queue);
            })
        })
        .collect();
    for task in committing {
        task.join().await;
    }
}

/// Gives every queue up, after the listener's running calls had some time to end.
pub(crate) async fn release_all(member: &Arc<Member>) {
    let owned = member.owned();
    owned.iter().for_each(|assigned| assigned.dropped.stop());
    let all = member.permits.acquire_many(member.config.concurrency_max as u32);
    let drained = member.client.0.clock.timeout(member.config.shutdown_drain, all).await;
    if drained.is_err() {
        tracing::warn!(group = %member.config.group, "the listener is still busy at shutdown");
    }
    release(member, owned).await;
    member.observer.rebalanced(&[]);
}
