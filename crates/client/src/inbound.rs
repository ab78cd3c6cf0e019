//! What brokers ask of us on the connections that we opened.

use std::sync::Arc;

use protocol::header::NotifyConsumerIdsChangedRequestHeader;
use protocol::{RemotingCommand, RequestCode, ResponseCode};
use remoting::{Connection, Reply, Service};
use runtime::Boxed;
use tokio::sync::Notify;

use crate::registry::Registry;

/// Serves the requests of brokers.
pub(crate) struct Inbound {
    /// Whose rebalance is woken.
    pub(crate) registry: Arc<Registry>,
    /// Wakes the heartbeat: a broker that we newly connect to does not know us.
    pub(crate) heartbeat: Arc<Notify>,
}

impl Service for Inbound {
    fn opened(&self, _connection: &Connection) {
        self.heartbeat.notify_one();
    }

    fn serve(
        &self,
        _connection: Connection,
        request: RemotingCommand,
    ) -> Boxed<'static, Option<Reply>> {
        if request.request_code() == RequestCode::NOTIFY_CONSUMER_IDS_CHANGED {
            // A notice that cannot be read still says that something changed: wake everybody.
            let header = request.header::<NotifyConsumerIdsChangedRequestHeader>();
            let group = header.ok().map(|header| header.consumer_group);
            self.registry.wake_rebalance(group.as_deref());
        }
        let reply = answer(&request).map(Reply::from);
        Box::pin(async move { reply })
    }
}

/// A question gets an answer, also one that we do not know. CHECK_TRANSACTION_STATE and the reset
/// of offsets come oneway: without a transaction producer or a reset here they are ignored, and
/// the broker asks another member or asks again.
fn answer(request: &RemotingCommand) -> Option<RemotingCommand> {
    if request.is_oneway() {
        return None;
    }
    if request.request_code() == RequestCode::NOTIFY_CONSUMER_IDS_CHANGED {
        return Some(RemotingCommand::response_to(request, ResponseCode::SUCCESS));
    }
    let code = ResponseCode::REQUEST_CODE_NOT_SUPPORTED;
    let remark = format!(" request type {} not supported", request.code);
    Some(RemotingCommand::response_to(request, code).with_remark(remark))
}
