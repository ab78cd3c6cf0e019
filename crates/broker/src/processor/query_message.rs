//! QUERY_MESSAGE (12): messages by unique key or by a word of KEYS.

use protocol::header::{QueryMessageRequestHeader, QueryMessageResponseHeader};
use protocol::{RemotingCommand, ResponseCode};
use remoting::Reply;
use store::QueryRequest;

use super::answer::{Answer, success};
use crate::refusal::Refusal;
use crate::state::State;

/// Gives the newest records that match, in the order of the log, without a copy.
pub(crate) async fn serve(state: &State, request: &RemotingCommand) -> Answer {
    let header: QueryMessageRequestHeader = request.header()?;
    let config = &state.config;
    // A lookup by unique key wants the whole answer, whatever the client put there.
    let wanted = match header.unique_key_query {
        Some(true) => config.query_count_default,
        _ => usize::try_from(header.max_num).unwrap_or(0),
    };
    let query = QueryRequest {
        topic: &header.topic,
        key: &header.key,
        count_max: wanted.min(config.query_count_max),
        begin_ms: u64::try_from(header.begin_timestamp).unwrap_or(0),
        end_ms: u64::try_from(header.end_timestamp).unwrap_or(0),
    };
    let found = state.store.query(&query).await;
    let found =
        found.map_err(|error| Refusal::new(ResponseCode::SYSTEM_ERROR, error.to_string()))?;
    if found.messages.is_empty() {
        let remark = match found.cut_short && wanted > 0 {
            false => "can not find message, maybe time range not correct",
            true => "too many messages have keys like this one; ask for a later time range",
        };
        return Err(Refusal::new(ResponseCode::QUERY_NOT_FOUND, remark));
    }
    let reply = success(request).with_header(&QueryMessageResponseHeader {
        index_last_update_timestamp: found.index_timestamp as i64,
        index_last_update_phyoffset: found.index_physical as i64,
    });
    Ok(Reply::with_slices(reply, found.messages))
}
