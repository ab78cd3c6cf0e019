//! What processors give.

use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;

use crate::refusal::Refusal;

/// An answer, or why there is none other.
pub(super) type Answer = Result<Reply, Refusal>;

/// SUCCESS, to be given a header or a body.
pub(super) fn success(request: &RemotingCommand) -> RemotingCommand {
    RemotingCommand::response_to(request, ResponseCode::SUCCESS)
}

/// The answer that a refusal is.
pub(super) fn refuse(request: &RemotingCommand, refusal: &Refusal) -> Reply {
    refusal.reply_to(request).into()
}
