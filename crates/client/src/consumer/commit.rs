//! Commits how far a member has come: every few seconds, and a last time when it gives a queue up.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::member::{Assigned, Member};

/// Commits what changed, again and again, until the member stops.
pub(crate) async fn run(member: Arc<Member>) {
    loop {
        member.client.0.clock.sleep(member.config.commit_interval).await;
        // A broker that does not answer is not waited for once per queue.
        let mut silent = BTreeSet::new();
        for assigned in member.owned() {
            let broker = assigned.queue.broker_name.clone();
            if !silent.contains(&broker) && !commit(&member, &assigned, When::Owned).await {
                silent.insert(broker);
            }
        }
    }
}

/// Which commit it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// One of many; nothing is committed any more once the queue is dropped.
    Owned,
    /// The last one, of a queue that is dropped.
    Dropped,
}

/// Commits the queue's ceiling if it is another than the last, if the last was long ago, or if this
/// one is the last of all; false when it could not be done.
///
/// Scenario: 1. a member commits 9 and the broker says yes; 2. the broker's power fails before it
/// wrote that down, and it comes back with 8; 3. no further message comes. Had 9 not been said
/// again, the group would stand at 8 for ever, and whoever takes the queue over would repeat.
pub(crate) async fn commit(member: &Member, assigned: &Assigned, when: When) -> bool {
    let mut committed = assigned.committed.lock().await;
    if when == When::Owned && assigned.dropped.is_stopped() {
        return true;
    }
    let Some(ceiling) = assigned.with(|progress| progress.ceiling()) else {
        return true;
    };
    let now = member.client.0.clock.monotonic();
    let known = committed.is_some_and(|(offset, at)| {
        offset == ceiling && now.since(at) < member.config.recommit_interval
    });
    if known && when == When::Owned {
        return true;
    }
    let queue = &assigned.queue;
    match member.client.commit(&member.config.group, queue, ceiling).await {
        Ok(()) => {
            *committed = Some((ceiling, now));
            member.observer.committed(queue, ceiling);
            true
        }
        Err(error) => {
            tracing::debug!(%queue, %ceiling, %error, "the offset is not committed");
            false
        }
    }
}
