//! What the broker does with its connections.

use std::sync::Arc;

use protocol::RemotingCommand;
use remoting::{Connection, FastPath, Reply, Service};
use runtime::Boxed;

use crate::fast_send::FastSend;
use crate::processor;
use crate::state::State;

/// The broker, as remoting sees it.
pub(crate) struct Serving(pub(crate) Arc<State>);

impl Service for Serving {
    fn opened(&self, connection: &Connection) {
        self.0.members.opened(connection);
    }

    fn fast_path(&self, connection: &Connection) -> Option<Box<dyn FastPath>> {
        Some(Box::new(FastSend::new(self.0.clone(), connection)))
    }

    fn serve(
        &self,
        connection: Connection,
        request: RemotingCommand,
    ) -> Boxed<'static, Option<Reply>> {
        Box::pin(processor::serve(self.0.clone(), connection, request))
    }

    fn closed(&self, connection: &Connection) {
        for group in self.0.members.closed(connection.id()) {
            self.0.notify_changed(&group);
        }
    }
}
