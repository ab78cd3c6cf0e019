//! VIEW_MESSAGE_BY_ID (33): the record at a physical offset.

use bytes::Bytes;
use message::PhysicalOffset;
use protocol::header::ViewMessageRequestHeader;
use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;

use super::answer::{Answer, success};
use crate::completion;
use crate::refusal::Refusal;
use crate::state::State;

/// Gives the record, without a copy.
pub(crate) async fn serve(state: &State, request: &RemotingCommand) -> Answer {
    let header: ViewMessageRequestHeader = request.header()?;
    let offset = u64::try_from(header.offset).ok().map(PhysicalOffset);
    let found = match offset {
        Some(offset) => state
            .store
            .message_at(offset)
            .await
            .map_err(|error| Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string()))?,
        None => None,
    };
    // Nothing is shown before it is visible, also not to who guesses its offset.
    let visible = |record: &Bytes| {
        completion::is_kept(header.offset as u64 + record.len() as u64, state.store.visible())
    };
    match found.filter(visible) {
        Some(record) => Ok(Reply::with_slices(success(request), vec![record])),
        None => {
            let remark = format!("can not find message by the offset, {}", header.offset);
            Err(Refusal::new(ResponseCode::SYSTEM_ERROR, remark))
        }
    }
}
