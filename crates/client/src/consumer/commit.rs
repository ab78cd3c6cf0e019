//! Commits how far a member has come: every few seconds, and a last time when it gives a queue up.

use std::collections::BTreeSet;
use std::sync::Arc;

use message::QueueOffset;

use super::member::{Assigned, Member};
use crate::error::ClientError;

/// Commits what changed, again and again, until the member stops.
pub(crate) async fn run(member: Arc<Member>) {
    loop {
        member.client.0.clock.sleep(member.config.commit_interval).await;
        // A broker that does not answer is not waited for once per queue.
        let mut silent = BTreeSet::new();
        for assigned in member.owned() {
            let broker = assigned.queue.broker_name.clone();
            if !silent.contains(&broker) && !commit(&member, &assigned).await {
                silent.insert(broker);
            }
        }
    }
}

/// Commits the queue's ceiling if it is another than the last or if the last was long ago; false
/// when it could not be done.
///
/// Scenario: 1. a member commits 9 and the broker says yes; 2. the broker's power fails before it
/// wrote that down, and it comes back with 8; 3. no further message comes. Had 9 not been said
/// again, the group would stand at 8 for ever, and whoever takes the queue over would repeat.
async fn commit(member: &Member, assigned: &Assigned) -> bool {
    let mut committed = assigned.committed.lock().await;
    let Some(ceiling) = assigned.with(|progress| progress.ceiling()) else {
        return true;
    };
    let now = member.client.0.clock.monotonic();
    let known = committed.is_some_and(|(offset, at)| {
        offset == ceiling && now.since(at) < member.config.recommit_interval
    });
    if known || assigned.dropped.is_stopped() {
        return true;
    }
    let done = send(member, assigned, ceiling).await;
    *committed = done.as_ref().ok().map(|()| (ceiling, now));
    done.is_ok()
}

/// The last commit, of a queue that is dropped, so that whoever takes over begins there. A member
/// that learns late that it lost the queue may be behind its new owner: what the broker has is not
/// made less.
pub(crate) async fn commit_last(member: &Member, assigned: &Assigned) {
    // Waits for a commit on its way, which must not arrive behind this one.
    let _one = assigned.committed.lock().await;
    let Some(ceiling) = assigned.with(|progress| progress.ceiling()) else {
        return;
    };
    if let Ok(theirs) = member.client.committed(&member.config.group, &assigned.queue).await
        && theirs.is_none_or(|theirs| theirs < ceiling)
    {
        // Whoever gets the queue next begins where the group stands, further back if this fails.
        let _ = send(member, assigned, ceiling).await;
    }
}

async fn send(
    member: &Member,
    assigned: &Assigned,
    ceiling: QueueOffset,
) -> Result<(), ClientError> {
    let (group, queue) = (&member.config.group, &assigned.queue);
    let done = member.client.commit(group, queue, ceiling).await;
    match &done {
        Ok(()) => {
            tracing::trace!(%group, %queue, %ceiling, "committed");
            member.observer.committed(queue, ceiling);
        }
        Err(error) => tracing::debug!(%group, %queue, %ceiling, %error, "not committed"),
    }
    done
}
