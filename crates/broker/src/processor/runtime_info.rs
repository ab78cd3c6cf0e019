//! GET_BROKER_RUNTIME_INFO (28): figures about the running broker, as texts. Only what is known is
//! said; no figure is made up to please a tool.

use std::collections::BTreeMap;

use protocol::RemotingCommand;
use protocol::body::KvTable;
use remoting::Reply;

use super::answer::success;
use crate::state::State;

/// Lists them.
pub(crate) fn serve(state: &State, request: &RemotingCommand) -> Reply {
    let store = &state.store;
    let figures: [(&str, String); 12] = [
        ("brokerVersionDesc", format!("hotfire {}", env!("CARGO_PKG_VERSION"))),
        ("brokerVersion", protocol::VERSION.to_string()),
        ("commitLogMaxOffset", store.appended().reached().to_string()),
        ("commitLogFlushedOffset", store.flushed().reached().to_string()),
        ("storePoisoned", store.poisoned().map_or(String::new(), |closed| closed.to_string())),
        ("sendThreadPoolQueueSize", state.sends.inside().to_string()),
        ("sendThreadPoolQueueCapacity", state.config.sends_in_flight_max.to_string()),
        ("pullThreadPoolQueueSize", state.pulls.inside().to_string()),
        ("pullThreadPoolQueueCapacity", state.config.pulls_in_flight_max.to_string()),
        ("connections", state.members.connection_count().to_string()),
        ("consumerGroups", state.members.consumers().group_count().to_string()),
        ("producerGroups", state.members.producers().group_count().to_string()),
    ];
    let table: BTreeMap<String, String> =
        figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    success(request).with_body(KvTable { table }.encode()).into()
}
