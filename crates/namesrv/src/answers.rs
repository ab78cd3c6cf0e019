//! Which request is answered where.

use std::sync::Arc;

use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply, Service};
use runtime::Boxed;

use crate::query::Units;
use crate::refusal::Refusal;
use crate::state::State;
use crate::{answer_broker as broker, answer_kv as kv, answer_route as route};

/// The service of a name server.
pub(crate) struct Answers(pub(crate) Arc<State>);

impl Service for Answers {
    fn serve(
        &self,
        connection: Connection,
        request: RemotingCommand,
    ) -> Boxed<'static, Option<Reply>> {
        let state = self.0.clone();
        Box::pin(async move {
            let answer = answer(&state, &connection, &request).await.unwrap_or_else(|refusal| {
                RemotingCommand::response_to(&request, refusal.code).with_remark(refusal.remark)
            });
            Some(answer.into())
        })
    }

    fn closed(&self, connection: &Connection) {
        self.0.registrants().remove(&connection.id());
        let lost = self.0.table().connection_lost(connection.id());
        for broker in lost {
            tracing::warn!(broker, peer = %connection.peer_addr(), "broker lost: connection ended");
        }
    }
}

async fn answer(
    state: &State,
    connection: &Connection,
    request: &RemotingCommand,
) -> Result<RemotingCommand, Refusal> {
    match request.request_code() {
        RequestCode::PUT_KV_CONFIG => kv::put(state, request).await,
        RequestCode::GET_KV_CONFIG => kv::get(state, request),
        RequestCode::DELETE_KV_CONFIG => kv::delete(state, request).await,
        RequestCode::GET_KVLIST_BY_NAMESPACE => kv::list(state, request),
        RequestCode::REGISTER_BROKER => broker::register(state, connection, request),
        RequestCode::UNREGISTER_BROKER => broker::unregister(state, request),
        RequestCode::QUERY_DATA_VERSION => broker::query_data_version(state, request),
        RequestCode::GET_ROUTEINFO_BY_TOPIC => route::route(state, request),
        RequestCode::GET_BROKER_CLUSTER_INFO => Ok(route::clusters(state, request)),
        RequestCode::WIPE_WRITE_PERM_OF_BROKER => route::wipe_write_permission(state, request),
        RequestCode::ADD_WRITE_PERM_OF_BROKER => route::add_write_permission(state, request),
        RequestCode::GET_ALL_TOPIC_LIST_FROM_NAMESERVER => Ok(route::topics(state, request)),
        RequestCode::DELETE_TOPIC_IN_NAMESRV => route::delete_topic(state, request),
        RequestCode::GET_TOPICS_BY_CLUSTER => route::topics_by_cluster(state, request),
        RequestCode::GET_SYSTEM_TOPIC_LIST_FROM_NS => Ok(route::system_topics(state, request)),
        RequestCode::GET_UNIT_TOPIC_LIST => Ok(route::topics_of_units(state, request, Units::Unit)),
        RequestCode::GET_HAS_UNIT_SUB_TOPIC_LIST => {
            Ok(route::topics_of_units(state, request, Units::Subscribed))
        }
        RequestCode::GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST => {
            Ok(route::topics_of_units(state, request, Units::SubscribedOfNone))
        }
        RequestCode(code) => {
            let remark = format!(" request type {code} not supported");
            Err(Refusal::new(ResponseCode::REQUEST_CODE_NOT_SUPPORTED, remark))
        }
    }
}
