//! One verb, one file: what each request code does.

mod answer;
mod check_client_config;
mod clean;
mod consumer_list;
mod consumer_offset;
mod create_topic;
mod get_config;
mod heartbeat;
mod lock_queues;
mod not_yet;
mod pull_message;
mod query_message;
mod queue_offset;
mod runtime_info;
mod send;
mod send_batch;
mod send_message;
mod subscription_group;
mod unregister_client;
mod view_message;

use std::sync::Arc;

use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply};

use answer::{Answer, refuse};

use crate::refusal::Refusal;
use crate::state::State;

/// Serves one request on the ordinary path. `None` when it asks for no answer.
pub(crate) async fn serve(
    state: Arc<State>,
    connection: Connection,
    request: RemotingCommand,
) -> Option<Reply> {
    let answer = dispatch(&state, &connection, &request).await;
    if request.is_oneway() {
        if let Err(refusal) = answer {
            let code = request.request_code();
            tracing::debug!(%code, peer = %connection.peer_addr(), ?refusal, "oneway refused");
        }
        return None;
    }
    Some(answer.unwrap_or_else(|refusal| refuse(&request, &refusal)))
}

/// The table of codes (protocol.md §2.1).
async fn dispatch(state: &State, connection: &Connection, request: &RemotingCommand) -> Answer {
    match request.request_code() {
        RequestCode::SEND_MESSAGE
        | RequestCode::SEND_MESSAGE_V2
        | RequestCode::SEND_BATCH_MESSAGE => {
            Ok(send_message::serve(state, connection, request).await)
        }
        RequestCode::PULL_MESSAGE | RequestCode::LITE_PULL_MESSAGE => {
            pull_message::serve(state, connection, request).await
        }
        RequestCode::QUERY_CONSUMER_OFFSET => consumer_offset::query(state, request).await,
        RequestCode::UPDATE_CONSUMER_OFFSET => consumer_offset::update(state, request),
        RequestCode::GET_ALL_CONSUMER_OFFSET => Ok(consumer_offset::all(state, request)),
        RequestCode::GET_ALL_DELAY_OFFSET => Ok(consumer_offset::delays(state, request)),
        RequestCode::SEARCH_OFFSET_BY_TIMESTAMP => queue_offset::search(state, request).await,
        RequestCode::GET_MAX_OFFSET => queue_offset::max(state, request).await,
        RequestCode::GET_MIN_OFFSET => queue_offset::min(state, request),
        RequestCode::GET_EARLIEST_MSG_STORETIME => {
            queue_offset::earliest_time(state, request).await
        }
        RequestCode::QUERY_MESSAGE => query_message::serve(state, request).await,
        RequestCode::VIEW_MESSAGE_BY_ID => view_message::serve(state, request).await,
        RequestCode::HEART_BEAT => heartbeat::serve(state, connection, request).await,
        RequestCode::UNREGISTER_CLIENT => unregister_client::serve(state, connection, request),
        RequestCode::GET_CONSUMER_LIST_BY_GROUP => consumer_list::serve(state, request),
        RequestCode::LOCK_BATCH_MQ => lock_queues::lock(state, request),
        RequestCode::UNLOCK_BATCH_MQ => lock_queues::unlock(state, request),
        RequestCode::CHECK_CLIENT_CONFIG => check_client_config::serve(request),
        RequestCode::UPDATE_AND_CREATE_TOPIC => create_topic::serve(state, request).await,
        RequestCode::GET_ALL_TOPIC_CONFIG => Ok(create_topic::all(state, request)),
        RequestCode::UPDATE_AND_CREATE_SUBSCRIPTIONGROUP => {
            subscription_group::update(state, request).await
        }
        RequestCode::GET_ALL_SUBSCRIPTIONGROUP_CONFIG => {
            Ok(subscription_group::all(state, request))
        }
        RequestCode::GET_BROKER_CONFIG => get_config::serve(state, request),
        RequestCode::DELETE_EXPIRED_COMMITLOG => Ok(clean::delete_expired(state, request)),
        RequestCode::CLEAN_EXPIRED_CONSUMEQUEUE => clean::clean_queues(state, request).await,
        RequestCode::CLEAN_UNUSED_TOPIC => Ok(clean::unused_topics(state, request)),
        RequestCode::GET_BROKER_RUNTIME_INFO => Ok(runtime_info::serve(state, request)),
        RequestCode::CONSUMER_SEND_MSG_BACK
        | RequestCode::END_TRANSACTION
        | RequestCode::DELETE_TOPIC_IN_BROKER => Err(not_yet::refuse(request.request_code())),
        RequestCode(number) => {
            let remark = format!(" request type {number} not supported");
            Err(Refusal::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark))
        }
    }
}
