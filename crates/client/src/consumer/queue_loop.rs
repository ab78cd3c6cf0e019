//! Pulls one queue for as long as it is ours.

use std::sync::Arc;
use std::time::Duration;

use message::{MessageExt, QueueOffset, topic};
use protocol::ResponseCode;
use runtime::sometimes;
use runtime::sync::race;

use super::ask::{Ask, Pulled};
use super::deliver::{self, Batch};
use super::member::{Assigned, Member};
use super::progress::Taken;
use super::reaction::{self, Reaction};
use crate::config::ConsumeFrom;
use crate::error::ClientError;
use crate::route::MASTER_ID;

/// Pulls until the queue is dropped. `shared`: the group has other members, one of which may have
/// had the queue a moment ago.
pub(crate) async fn run(member: Arc<Member>, assigned: Arc<Assigned>, shared: bool) {
    race(assigned.dropped.stopped(), async {
        if shared {
            member.client.0.clock.sleep(member.config.takeover_pause).await;
        }
        begin(&member, &assigned).await;
        pull(&member, &assigned).await;
    })
    .await;
}

/// Finds out where to begin. Tries until it is known: a guess would skip or repeat messages.
async fn begin(member: &Member, assigned: &Assigned) {
    loop {
        match where_to_begin(member, assigned).await {
            Ok(from) => {
                member.observer.begins(&assigned.queue, from);
                return assigned.begin(from);
            }
            Err(error) => {
                tracing::debug!(queue = %assigned.queue, %error, "where to begin is not known");
                member.client.0.clock.sleep(member.config.pull_error_pause).await;
            }
        }
    }
}

async fn where_to_begin(member: &Member, assigned: &Assigned) -> Result<QueueOffset, ClientError> {
    let (client, queue) = (&member.client, &assigned.queue);
    if let Some(offset) = client.committed(&member.config.group, queue).await? {
        return Ok(offset);
    }
    match member.config.from {
        // A retry topic's messages are the group's own: none of them is passed over.
        _ if queue.topic.starts_with(topic::RETRY_PREFIX) => Ok(QueueOffset(0)),
        ConsumeFrom::Last => client.max_offset(queue).await,
        ConsumeFrom::First => client.min_offset(queue).await,
        ConsumeFrom::Timestamp(at) => client.search_offset(queue, at).await,
    }
}

async fn pull(member: &Arc<Member>, assigned: &Arc<Assigned>) {
    let (client, config) = (&member.client, &member.config);
    let mut broker_id = MASTER_ID;
    loop {
        let from = room(member, assigned).await;
        let ask = Ask {
            group: &config.group,
            queue: &assigned.queue,
            from,
            count_max: config.pull_count_max,
            hold: config.pull_hold,
            timeout: config.pull_timeout,
            expression: None,
            version: member.version,
            broker_id,
        };
        let started = client.0.clock.monotonic();
        let answer = client.pull(&ask).await;
        let waited = client.0.clock.monotonic().since(started);
        let reaction = match &answer {
            Ok(pulled) => reaction::to_answer(pulled.code, from, pulled.next_begin, waited),
            Err(ClientError::Refused { code, .. }) => {
                reaction::to_answer(*code, from, from, waited)
            }
            Err(error) => {
                tracing::debug!(queue = %assigned.queue, %error, "the pull failed");
                client.doubt_routes();
                Reaction::Pause
            }
        };
        tracing::trace!(group = %config.group, queue = %assigned.queue, %from, ?reaction, "pulled");
        broker_id = answer.as_ref().map_or(MASTER_ID, |pulled| pulled.suggested_broker_id);
        react(member, assigned, reaction, answer.ok()).await;
    }
}

/// Waits until the bounds allow one more pull; returns where it begins.
async fn room(member: &Member, assigned: &Assigned) -> QueueOffset {
    let config = &member.config;
    loop {
        let next = assigned.with(|progress| {
            let has_room = progress.count() < config.in_flight_count_max
                && progress.bytes() < config.in_flight_bytes_max
                && progress.span() < config.in_flight_span_max;
            has_room.then(|| progress.next())
        });
        match next.flatten() {
            Some(next) => return next,
            None => assigned.freed.notified().await,
        }
    }
}

async fn react(
    member: &Arc<Member>,
    assigned: &Arc<Assigned>,
    reaction: Reaction,
    pulled: Option<Pulled>,
) {
    let (clock, error_pause) = (&member.client.0.clock, member.config.pull_error_pause);
    match (reaction, pulled) {
        (Reaction::Consume, Some(pulled)) => match pulled.messages(&assigned.queue) {
            Ok(messages) => consume(member, assigned, messages, pulled.next_begin).await,
            Err(error) => {
                tracing::warn!(queue = %assigned.queue, %error, "what was pulled is not readable");
                clock.sleep(error_pause).await;
            }
        },
        (Reaction::Advance(pause), Some(pulled)) => {
            assigned.with(|progress| progress.scanned(pulled.next_begin));
            if pause > Duration::ZERO {
                clock.sleep(pause).await;
            }
        }
        (Reaction::Correct, Some(pulled)) => {
            sometimes!("a consumer's offset was corrected");
            let (queue, to) = (&assigned.queue, pulled.next_begin);
            let code = ResponseCode::PULL_OFFSET_MOVED;
            tracing::warn!(%queue, %to, %code, remark = %pulled.remark, "the offset is corrected");
            member.observer.begins(queue, to);
            assigned.with(|progress| progress.restart(to));
        }
        (Reaction::Introduce, _) => {
            member.client.introduce();
            clock.sleep(error_pause).await;
        }
        _ => clock.sleep(error_pause).await,
    }
}

/// Takes what is wanted into flight, then hands it over as permits become free.
async fn consume(
    member: &Arc<Member>,
    assigned: &Arc<Assigned>,
    messages: Vec<MessageExt>,
    next_begin: QueueOffset,
) {
    let wanted = |message: &MessageExt| {
        member.filters.get(&assigned.queue.topic).is_none_or(|it| it.wants(message.message.tags()))
    };
    let taken = assigned.with(|progress| {
        let mut taken: Vec<(Taken, MessageExt)> = Vec::new();
        for message in messages.into_iter().filter(wanted) {
            let at = progress.take(message.queue_offset, message.store_size as usize);
            taken.extend(at.map(|at| (at, message)));
        }
        let moved = next_begin > progress.next() || !taken.is_empty();
        progress.scanned(next_begin);
        (taken, moved)
    });
    let (mut taken, moved) = taken.unwrap_or_default();
    if !moved {
        member.client.0.clock.sleep(member.config.pull_error_pause).await;
    }
    while !taken.is_empty() {
        let rest = taken.split_off(taken.len().min(member.config.batch_max.max(1)));
        let (at, messages) = std::mem::replace(&mut taken, rest).into_iter().unzip();
        let Ok(permit) = member.permits.clone().acquire_owned().await else {
            return;
        };
        let batch = Batch { taken: at, messages };
        let delivery = deliver::run(member.clone(), assigned.clone(), batch, permit);
        member.client.0.tasks.detach("consume", delivery);
    }
}
