//! From a stream to a connection and the future that drives it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use runtime::{Boxed, Clock, Stream, Tasks};

use crate::config::Limits;
use crate::connection::Connection;
use crate::drive::drive;
use crate::ordinary::{Gate, Ordinary};
use crate::serve::Service;
use crate::shared::Shared;

/// Connections of all servers and clients of this process are numbered together, because one
/// service may serve several of them.
static IDS: AtomicU64 = AtomicU64::new(1);

/// What a connection is opened with.
pub(crate) struct OpenWith {
    pub(crate) service: Arc<dyn Service>,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Clock,
    pub(crate) gate: Arc<Gate>,
    pub(crate) limits: Limits,
}

/// The handle of a new connection, and what must be run for it to live.
pub(crate) fn open(stream: Stream, with: OpenWith) -> (Connection, Boxed<'static, ()>) {
    let id = IDS.fetch_add(1, Ordering::Relaxed);
    let ends = (stream.peer_addr(), stream.local_addr());
    let connection = Connection::new(Arc::new(Shared::new(id, ends, with.clock, with.limits)));
    let ordinary = Ordinary {
        connection: connection.clone(),
        service: with.service,
        tasks: with.tasks,
        gate: with.gate,
    };
    (connection, Box::pin(drive(stream, ordinary)))
}
