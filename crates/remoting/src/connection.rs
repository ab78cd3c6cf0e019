//! A connection, as those see it who send requests over it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::RemotingCommand;

use crate::error::RemotingError;
use crate::shared::Shared;

/// A handle on a connection, of either side. Cheap to clone; dropping it closes nothing.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Its number, which no other connection of this process has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The other end's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.0.peer
    }

    /// This end's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local
    }

    /// Sends a request and waits for its answer, whatever its code. The opaque is set here. Cancel
    /// safe: dropping it gives up waiting, and the answer is dropped when it comes.
    ///
    /// # Errors
    /// `TooManyRequests` and `Protocol` before anything was sent; `Timeout` and `Closed` as
    /// [`RemotingError::is_unknown`] says.
    pub async fn request(
        &self,
        command: RemotingCommand,
        timeout: Duration,
    ) -> Result<RemotingCommand, RemotingError> {
        let deadline = self.0.clock.monotonic() + timeout;
        let (opaque, answer) = self.0.ask(command)?;
        let _waiting = Waiting { shared: &self.0, opaque };
        match self.0.clock.timeout_at(deadline, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(_)) => Err(self.0.closed_error(true)),
            Err(_) => Err(RemotingError::Timeout { peer: self.0.peer.to_string(), timeout }),
        }
    }

    /// Queues a request that nobody answers. That it returns says nothing about the peer.
    ///
    /// # Errors
    /// `TooManyRequests`, `Protocol` and `Closed`, all of them before anything was sent.
    pub fn oneway(&self, command: RemotingCommand) -> Result<(), RemotingError> {
        self.0.tell(command.into_oneway())
    }

    /// Closes the connection at once; what waits to leave is lost and what awaits an answer fails.
    pub fn close(&self) {
        self.0.close("this side closed it");
    }

    /// The same, with the reason that errors and logs will give.
    pub fn close_because(&self, cause: &str) {
        self.0.close(cause);
    }

    /// Whether it is closed, or about to be.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Returns when the connection is over and its service has been told. Cancel safe.
    pub async fn closed(&self) {
        self.0.ended.stopped().await;
    }

    /// Bytes of requests and ordinary answers that wait to be written.
    pub fn queued_bytes(&self) -> usize {
        self.0.queued_bytes()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Connection({} → {})", self.0.local, self.0.peer)
    }
}

/// A place in the pending table, given back however the wait ends.
struct Waiting<'a> {
    shared: &'a Shared,
    opaque: i32,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.forget(self.opaque);
    }
}
