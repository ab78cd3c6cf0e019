//! UNREGISTER_CLIENT (35): a client leaves its groups.

use protocol::RemotingCommand;
use protocol::header::UnregisterClientRequestHeader;
use remoting::Connection;

use super::answer::{Answer, success};
use crate::state::State;

/// Takes the client out and tells those who stay.
pub(crate) fn serve(state: &State, connection: &Connection, request: &RemotingCommand) -> Answer {
    let header: UnregisterClientRequestHeader = request.header()?;
    let named = |group: Option<String>| group.filter(|group| !group.is_empty());
    let (client, id) = (&header.client_id, connection.id());
    if let Some(group) = named(header.producer_group) {
        state.members.producers().unregister(&group, id, client);
    }
    if let Some(group) = named(header.consumer_group) {
        let changed = state.members.consumers().unregister(&group, id, client);
        if changed {
            state.notify_changed(&group);
        }
    }
    Ok(success(request).into())
}
