//! Hands messages to the listener until they are done with.

use std::sync::Arc;

use message::MessageExt;
use runtime::sync::{Either, race};
use tokio::sync::OwnedSemaphorePermit;

use super::listener::{ConsumeStatus, Delivery};
use super::member::{Assigned, Member};
use super::progress::Taken;
use super::reaction;

/// Messages for one call of the listener.
pub(crate) struct Batch {
    pub(crate) taken: Vec<Taken>,
    pub(crate) messages: Vec<MessageExt>,
}

/// Delivers the batch; after a failure again, with growing pauses, for as long as the queue is
/// ours. The permit is given back during the pauses.
pub(crate) async fn run(
    member: Arc<Member>,
    assigned: Arc<Assigned>,
    batch: Batch,
    permit: OwnedSemaphorePermit,
) {
    let Batch { mut taken, messages } = batch;
    let mut permit = Some(permit);
    let mut delivery = Delivery { queue: assigned.queue.clone(), messages, failures: 0 };
    loop {
        let status = member.listener.consume(&delivery).await;
        if status == ConsumeStatus::Success {
            assigned.finish(&taken);
            return;
        }
        drop(permit.take());
        delivery.failures += 1;
        for message in &mut delivery.messages {
            message.reconsume_times += 1;
        }
        match race(assigned.dropped.stopped(), pause(&member, delivery.failures)).await {
            Either::Left(()) => return,
            Either::Right(again) => permit = again,
        }
        // What a restart forgot is pulled again, or gone.
        let held = |taken: &Taken| assigned.with(|progress| progress.holds(*taken)) == Some(true);
        let mut at = taken.iter().map(held).collect::<Vec<_>>().into_iter();
        delivery.messages.retain(|_| at.next() == Some(true));
        taken.retain(held);
        if permit.is_none() || taken.is_empty() {
            return;
        }
    }
}

/// Waits before another try, and for a permit to make it.
async fn pause(member: &Member, failures: u32) -> Option<OwnedSemaphorePermit> {
    let config = &member.config;
    let pause =
        reaction::redelivery_pause(failures, config.redelivery_pause, config.redelivery_pause_max);
    member.client.0.clock.sleep(pause).await;
    member.permits.clone().acquire_owned().await.ok()
}
