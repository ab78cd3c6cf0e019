//! The listening side: an accept loop that survives, and the connections it made.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::sync::{Either, Stop, race};
use runtime::{Listener, Stream, Task};

use crate::config::{Limits, ServerConfig};
use crate::connection::Connection;
use crate::handles::ServerHandles;
use crate::open::{OpenWith, open};
use crate::ordinary::Gate;
use crate::serve::Service;

/// A listening server. Dropping it stops nothing: see [`Server::shutdown`].
pub struct Server {
    inner: Arc<Inner>,
    local_addr: SocketAddr,
    accepting: Task,
}

struct Inner {
    handles: ServerHandles,
    config: ServerConfig,
    service: Arc<dyn Service>,
    gate: Arc<Gate>,
    stop: Stop,
    connections: Mutex<BTreeMap<u64, Connection>>,
}

impl Server {
    /// Listens on `HOST:PORT` (port 0: a free one) and serves every connection with `service`.
    ///
    /// # Errors
    /// What [`runtime::Net::listen`] says.
    pub async fn start(
        handles: ServerHandles,
        address: &str,
        service: Arc<dyn Service>,
        config: ServerConfig,
    ) -> io::Result<Server> {
        let listener = handles.net.listen(address).await?;
        let local_addr = listener.local_addr();
        let inner = Arc::new(Inner {
            gate: Arc::new(Gate::new(config.requests_in_flight_total_max)),
            handles,
            config,
            service,
            stop: Stop::new(),
            connections: Mutex::default(),
        });
        let accepting = inner.handles.tasks.spawn("accept", accept(inner.clone(), listener));
        Ok(Server { inner, local_addr, accepting })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// How many connections stand.
    pub fn connections(&self) -> usize {
        self.inner.connections().len()
    }

    /// Stops accepting and reading, lets requests in flight be answered (up to `drain_max`), closes
    /// all connections, and returns when their services know. Again is harmless.
    pub async fn shutdown(&self) {
        self.inner.stop.stop();
        self.accepting.join().await;
        let connections: Vec<_> = self.inner.connections().values().cloned().collect();
        for connection in &connections {
            connection.shared().drain();
        }
        let all_closed = async {
            for connection in &connections {
                connection.closed().await;
            }
        };
        let drain_max = self.inner.handles.clock.sleep(self.inner.config.drain_max);
        if let Either::Right(()) = race(all_closed, drain_max).await {
            for connection in &connections {
                connection.close_because("the server is shutting down");
            }
            for connection in &connections {
                connection.closed().await;
            }
        }
    }
}

impl Inner {
    fn connections(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, stream: Stream) {
        let peer = stream.peer_addr();
        let count = self.connections().len();
        if count >= self.config.connections_max {
            tracing::warn!(%peer, count, "connection refused: connections_max is reached");
            return;
        }
        let with = OpenWith {
            service: self.service.clone(),
            tasks: self.handles.tasks.clone(),
            clock: self.handles.clock.clone(),
            gate: self.gate.clone(),
            limits: Limits::from(&self.config),
        };
        let (connection, driven) = open(stream, with);
        let (inner, id) = (self.clone(), connection.id());
        self.connections().insert(id, connection);
        self.handles.tasks.detach("connection", async move {
            driven.await;
            inner.connections().remove(&id);
        });
    }
}

async fn accept(inner: Arc<Inner>, listener: Listener) {
    let local = listener.local_addr();
    loop {
        let accepted = match race(inner.stop.stopped(), listener.accept()).await {
            Either::Left(()) => return,
            Either::Right(accepted) => accepted,
        };
        match accepted {
            Ok(stream) => inner.take(stream),
            Err(error) => {
                // Too many open files, say. The listener itself is fine: wait for some to close.
                tracing::warn!(%local, "accept failed, trying again: {error}");
                let pause = inner.handles.clock.sleep(inner.config.accept_pause);
                race(inner.stop.stopped(), pause).await;
            }
        }
    }
}
