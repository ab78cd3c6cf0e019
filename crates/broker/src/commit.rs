//! Taking a commit (UPDATE_CONSUMER_OFFSET, 15).
//!
//! Commits of one connection are taken in the order in which they came. Scenario: 1. a consumer
//! commits 7, then 9, and both arrive in one read; 2. were each a task of its own, the second
//! could run first; 3. the offset would fall from 9 to 7, and a restart would deliver 7 and 8
//! again. So the connection's own task takes them.

use protocol::fast::peek;
use protocol::frame::Frame;
use protocol::header::UpdateConsumerOffsetRequestHeader;
use protocol::{HeaderError, RemotingCommand, RequestCode, ResponseCode};
use remoting::Outbox;

use crate::state::State;

/// Takes the commit that `request` asks for.
pub(crate) fn take(state: &State, request: &RemotingCommand) -> Result<(), HeaderError> {
    let header: UpdateConsumerOffsetRequestHeader = request.header()?;
    state.offsets().commit(
        &header.topic,
        &header.consumer_group,
        header.queue_id,
        header.commit_offset,
    );
    Ok(())
}

/// Takes the commits among `frames` out, in order; the others, and those that are not well formed,
/// stay.
pub(crate) fn take_in_order(state: &State, frames: &mut Vec<Frame>, out: &mut Outbox) {
    frames.retain(|frame| {
        let code = peek(frame).map(|head| RequestCode(head.code));
        code != Some(RequestCode::UPDATE_CONSUMER_OFFSET) || !take_frame(state, frame, out)
    });
}

fn take_frame(state: &State, frame: &Frame, out: &mut Outbox) -> bool {
    let Ok(request) = frame.decode() else { return false };
    if request.is_response() || take(state, &request).is_err() {
        return false;
    }
    if !request.is_oneway() {
        let reply = RemotingCommand::response_to(&request, ResponseCode::SUCCESS);
        // An answer without header and body fits any frame.
        let _ = out.push_command(&reply, Vec::new());
    }
    true
}
