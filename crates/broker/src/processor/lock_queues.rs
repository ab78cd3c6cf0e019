//! LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42): consuming a queue in order, one client at a time.

use protocol::RemotingCommand;
use protocol::body::{LockBatchRequestBody, LockBatchResponseBody, UnlockBatchRequestBody};

use super::answer::{Answer, success};
use crate::state::State;

/// Locks what is free; the answer names what the client holds now, which may be nothing.
pub(crate) fn lock(state: &State, request: &RemotingCommand) -> Answer {
    let body = LockBatchRequestBody::decode(&request.body)?;
    let now = state.clock.monotonic();
    let lock_ok_mq_set =
        state.locks().lock(&body.consumer_group, &body.client_id, body.mq_set, now);
    Ok(success(request).with_body(LockBatchResponseBody { lock_ok_mq_set }.encode()).into())
}

/// Gives back what the client holds.
pub(crate) fn unlock(state: &State, request: &RemotingCommand) -> Answer {
    let body = UnlockBatchRequestBody::decode(&request.body)?;
    state.locks().unlock(&body.consumer_group, &body.client_id, &body.mq_set);
    Ok(success(request).into())
}
