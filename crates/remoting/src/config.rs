//! Bounds and timeouts, with RocketMQ's defaults where it has one (internals §13.3).

use std::time::Duration;

/// Bounds of a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// A connection that neither receives nor sends a byte for this long is closed. 120 s.
    pub idle_max: Duration,
    /// Requests of one connection on the ordinary path at the same time, suspended pulls included;
    /// above it a request is answered `SYSTEM_BUSY`.
    pub requests_in_flight_max: usize,
    /// The same over all connections of this server.
    pub requests_in_flight_total_max: usize,
    /// Requests that the fast path has accepted and not answered; above it the connection stops
    /// reading.
    pub unanswered_max: usize,
    /// Bytes that wait to leave on one connection; above it the connection stops reading, and
    /// [`Connection::request`](crate::Connection::request) refuses.
    pub outbound_bytes_max: usize,
    /// Requests of ours to one peer that wait for its answer.
    pub pending_max: usize,
    /// Connections at the same time; one more is accepted and closed at once.
    pub connections_max: usize,
    /// The largest read, in bytes. Reads start small and grow while they come back full.
    pub read_bytes_max: usize,
    /// How long [`Server::shutdown`](crate::Server::shutdown) waits for requests in flight.
    pub drain_max: Duration,
    /// The pause after a failed accept (too many open files, say) before the next.
    pub accept_pause: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            idle_max: Duration::from_secs(120),
            requests_in_flight_max: 16_384,
            requests_in_flight_total_max: 131_072,
            unanswered_max: 65_536,
            outbound_bytes_max: 8 << 20,
            pending_max: 16_384,
            connections_max: 65_536,
            read_bytes_max: 256 << 10,
            drain_max: Duration::from_secs(3),
            accept_pause: Duration::from_millis(100),
        }
    }
}

/// Bounds of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How long a connect may take. 3 s.
    pub connect_max: Duration,
    /// As in [`ServerConfig`], but a little shorter: the side that may want to send next should be
    /// the one that closes, or its next request meets a connection that the peer is closing.
    pub idle_max: Duration,
    /// Requests *from* the peer of one connection being served at the same time.
    pub requests_in_flight_max: usize,
    /// The same over all connections of this client.
    pub requests_in_flight_total_max: usize,
    /// As in [`ServerConfig`].
    pub unanswered_max: usize,
    /// As in [`ServerConfig`].
    pub outbound_bytes_max: usize,
    /// Requests to one peer that wait for its answer.
    pub pending_max: usize,
    /// As in [`ServerConfig`].
    pub read_bytes_max: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        let server = ServerConfig::default();
        Self {
            connect_max: Duration::from_secs(3),
            idle_max: Duration::from_secs(110),
            requests_in_flight_max: 1_024,
            requests_in_flight_total_max: 16_384,
            unanswered_max: server.unanswered_max,
            outbound_bytes_max: 32 << 20,
            pending_max: 65_536,
            read_bytes_max: server.read_bytes_max,
        }
    }
}

/// The bounds of one connection, whichever side opened it.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) idle_max: Duration,
    pub(crate) requests_in_flight_max: usize,
    pub(crate) unanswered_max: usize,
    pub(crate) outbound_bytes_max: usize,
    pub(crate) pending_max: usize,
    pub(crate) read_bytes_max: usize,
}

impl From<&ServerConfig> for Limits {
    fn from(config: &ServerConfig) -> Self {
        Self {
            idle_max: config.idle_max,
            requests_in_flight_max: config.requests_in_flight_max,
            unanswered_max: config.unanswered_max,
            outbound_bytes_max: config.outbound_bytes_max,
            pending_max: config.pending_max,
            read_bytes_max: config.read_bytes_max,
        }
    }
}

impl From<&ClientConfig> for Limits {
    fn from(config: &ClientConfig) -> Self {
        Self {
            idle_max: config.idle_max,
            requests_in_flight_max: config.requests_in_flight_max,
            unanswered_max: config.unanswered_max,
            outbound_bytes_max: config.outbound_bytes_max,
            pending_max: config.pending_max,
            read_bytes_max: config.read_bytes_max,
        }
    }
}
