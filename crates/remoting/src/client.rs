//! The calling side: one pooled connection per address.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use protocol::{RemotingCommand, ResponseCode};
use runtime::Boxed;
use runtime::sync::Stop;

use crate::config::{ClientConfig, Limits};
use crate::connection::Connection;
use crate::error::RemotingError;
use crate::handles::ClientHandles;
use crate::open::{OpenWith, open};
use crate::ordinary::Gate;
use crate::reply::Reply;
use crate::serve::Service;

/// Connections to any number of addresses, each made when first wanted and replaced when broken.
/// Clones share them; when the last is dropped, they close.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    handles: ClientHandles,
    config: ClientConfig,
    service: Arc<dyn Service>,
    gate: Arc<Gate>,
    /// Behind an `Arc` of its own: a connect under way must not keep the client alive.
    pool: Arc<Mutex<Pool>>,
}

#[derive(Default)]
struct Pool {
    slots: BTreeMap<String, Slot>,
    closed: bool,
}

enum Slot {
    Open(Connection),
    Connecting(Arc<Attempt>),
}

/// One attempt to connect, which any number of callers wait for.
#[derive(Default)]
struct Attempt {
    outcome: OnceLock<Result<Connection, Arc<io::Error>>>,
    over: Stop,
}

impl Drop for Inner {
    fn drop(&mut self) {
        close_all(&self.pool);
    }
}

impl Client {
    /// A client without connections. Requests that peers send over them are served by `service`;
    /// without one they are answered "not supported".
    pub fn new(
        handles: ClientHandles,
        service: Option<Arc<dyn Service>>,
        config: ClientConfig,
    ) -> Client {
        let gate = Arc::new(Gate::new(config.requests_in_flight_total_max));
        let service = service.unwrap_or_else(|| Arc::new(ServesNothing));
        Client(Arc::new(Inner { handles, config, service, gate, pool: Arc::default() }))
    }

    /// The connection to `HOST:PORT`, made now if there is none. At most one attempt per address
    /// is under way, and all who want it share its outcome. Cancel safe.
    ///
    /// # Errors
    /// `Connect`: nothing was sent.
    pub async fn connection(&self, address: &str) -> Result<Connection, RemotingError> {
        let attempt = match self.0.find_or_begin(address) {
            Slot::Open(connection) => return Ok(connection),
            Slot::Connecting(attempt) => attempt,
        };
        attempt.over.stopped().await;
        let outcome = attempt.outcome.get().cloned().unwrap_or_else(|| {
            Err(Arc::new(io::Error::other("the attempt was abandoned; try again")))
        });
        outcome.map_err(|source| RemotingError::Connect { address: address.to_owned(), source })
    }

    /// Sends a request to `HOST:PORT` and waits for its answer; `timeout` covers the connect too.
    ///
    /// A connection on which *nothing* has come since the request left is closed when the time is
    /// up: its peer may have vanished without a word, and the next request gets a new one.
    ///
    /// # Errors
    /// As [`Connection::request`], and `Connect` when no connection could be had in time.
    pub async fn request(
        &self,
        address: &str,
        command: RemotingCommand,
        timeout: Duration,
    ) -> Result<RemotingCommand, RemotingError> {
        let clock = &self.0.handles.clock;
        let begun = clock.monotonic();
        let deadline = begun + timeout;
        let connection = match clock.timeout_at(deadline, self.connection(address)).await {
            Ok(connection) => connection?,
            Err(_) => {
                let slow = io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
                let (address, source) = (address.to_owned(), Arc::new(slow));
                return Err(RemotingError::Connect { address, source });
            }
        };
        let sent = clock.monotonic();
        let left = deadline.0.saturating_sub(sent.0);
        let answer = connection.request(command, left).await;
        match answer {
            Err(RemotingError::Timeout { .. }) => {
                if connection.shared().read_at() < sent {
                    connection.close_because("nothing came from the peer while it owed an answer");
                }
                Err(RemotingError::Timeout { peer: address.to_owned(), timeout })
            }
            answer => answer,
        }
    }

    /// Sends a request to `HOST:PORT` that nobody answers.
    ///
    /// # Errors
    /// As [`Connection::oneway`], and `Connect`.
    pub async fn oneway(
        &self,
        address: &str,
        command: RemotingCommand,
    ) -> Result<(), RemotingError> {
        self.connection(address).await?.oneway(command)
    }

    /// The open connections, by address as given.
    pub fn connections(&self) -> Vec<(String, Connection)> {
        let pool = locked(&self.0.pool);
        let open = pool.slots.iter().filter_map(|(address, slot)| match slot {
            Slot::Open(connection) if !connection.is_closed() => {
                Some((address.clone(), connection.clone()))
            }
            _ => None,
        });
        open.collect()
    }

    /// Closes the connection to `HOST:PORT`, if there is one; the next use makes a new one.
    pub fn close_connection(&self, address: &str) {
        if let Some(Slot::Open(connection)) = locked(&self.0.pool).slots.get(address) {
            connection.close();
        }
    }

    /// Closes all connections for good, and returns when they are over.
    pub async fn shutdown(&self) {
        for connection in close_all(&self.0.pool) {
            connection.closed().await;
        }
    }
}

impl Inner {
    /// The open connection, or the attempt under way, or a new attempt.
    fn find_or_begin(&self, address: &str) -> Slot {
        let mut pool = locked(&self.pool);
        match pool.slots.get(address) {
            Some(Slot::Open(connection)) if !connection.is_closed() => {
                return Slot::Open(connection.clone());
            }
            Some(Slot::Connecting(attempt)) => return Slot::Connecting(attempt.clone()),
            _ => {}
        }
        // Addresses that are no longer used must not stay for ever.
        pool.slots.retain(|_, slot| !matches!(slot, Slot::Open(gone) if gone.is_closed()));
        let attempt = Arc::new(Attempt::default());
        if pool.closed {
            let closed = io::Error::new(io::ErrorKind::NotConnected, "the client is shut down");
            let _ = attempt.outcome.set(Err(Arc::new(closed)));
            attempt.over.stop();
            return Slot::Connecting(attempt);
        }
        pool.slots.insert(address.to_owned(), Slot::Connecting(attempt.clone()));
        drop(pool);
        let connecting = self.connect(address.to_owned(), attempt.clone());
        self.handles.tasks.detach("connect", connecting);
        Slot::Connecting(attempt)
    }

    /// Makes one attempt, in a task of its own so that no caller's going away fails the others.
    fn connect(&self, address: String, attempt: Arc<Attempt>) -> Boxed<'static, ()> {
        let (net, connect_max) = (self.handles.net.clone(), self.config.connect_max);
        let (pool, tasks) = (self.pool.clone(), self.handles.tasks.clone());
        let with = OpenWith {
            service: self.service.clone(),
            tasks: tasks.clone(),
            clock: self.handles.clock.clone(),
            gate: self.gate.clone(),
            limits: Limits::from(&self.config),
        };
        Box::pin(async move {
            let connected =
                match with.clock.timeout(connect_max, net.connect(&address, connect_max)).await {
                    Ok(connected) => connected,
                    Err(_) => {
                        Err(io::Error::new(io::ErrorKind::TimedOut, "the connect took too long"))
                    }
                };
            let outcome = connected.map(|stream| {
                let (connection, driven) = open(stream, with);
                tasks.detach("connection", driven);
                connection
            });
            settle(&pool, &address, &attempt, outcome);
        })
    }
}

/// Writes the outcome of an attempt into the pool, and tells those who wait for it.
fn settle(pool: &Mutex<Pool>, address: &str, attempt: &Attempt, outcome: io::Result<Connection>) {
    let mut pool = locked(pool);
    match &outcome {
        Ok(connection) if pool.closed => connection.close(),
        Ok(connection) => {
            pool.slots.insert(address.to_owned(), Slot::Open(connection.clone()));
        }
        Err(error) => {
            tracing::debug!(address, "connect failed: {error}");
            pool.slots.remove(address);
        }
    }
    drop(pool);
    let _ = attempt.outcome.set(outcome.map_err(Arc::new));
    attempt.over.stop();
}

/// Closes what is open and lets nothing open any more; the connections that were open.
fn close_all(pool: &Mutex<Pool>) -> Vec<Connection> {
    let mut pool = locked(pool);
    pool.closed = true;
    let open = pool.slots.values().filter_map(|slot| match slot {
        Slot::Open(connection) => Some(connection.clone()),
        Slot::Connecting(_) => None,
    });
    let open: Vec<_> = open.collect();
    for connection in &open {
        connection.close_because("the client is shut down");
    }
    open
}

fn locked(pool: &Mutex<Pool>) -> MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For clients whose peers have nothing to ask.
struct ServesNothing;

impl Service for ServesNothing {
    fn serve(&self, _: Connection, request: RemotingCommand) -> Boxed<'static, Option<Reply>> {
        let response =
            RemotingCommand::response_to(&request, ResponseCode::REQUEST_CODE_NOT_SUPPORTED)
                .with_remark(format!(" request type {} not supported", request.code));
        Box::pin(std::future::ready(Some(response.into())))
    }
}
