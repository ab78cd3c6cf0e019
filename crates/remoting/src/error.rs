//! How a request to a peer fails, and what may be concluded from it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::outbox::FrameTooLarge;

/// Why a request got no answer.
///
/// What matters to the caller is whether the peer may have acted on it: see
/// [`RemotingError::is_unknown`].
#[derive(Debug, thiserror::Error)]
pub enum RemotingError {
    /// No connection could be had, so nothing left.
    #[error("cannot connect to {address}: {source}; is it running and reachable?")]
    Connect {
        /// Where to, as given.
        address: String,
        /// What the net said; shared by all who waited for the same attempt.
        source: Arc<io::Error>,
    },
    /// A bound of this side was reached, so nothing left. Try again a little later.
    #[error(
        "too many requests to {peer}: {awaited} await an answer (at most {awaited_max}) and \
         {queued_bytes} bytes wait to leave (at most {queued_bytes_max}); slow down or retry later"
    )]
    TooManyRequests {
        /// The peer.
        peer: SocketAddr,
        /// Requests that await the peer's answer.
        awaited: usize,
        /// The bound of that.
        awaited_max: usize,
        /// Bytes that wait to leave.
        queued_bytes: usize,
        /// The bound of that.
        queued_bytes_max: usize,
    },
    /// No answer in time. The peer may have acted, or may still.
    #[error("no answer from {peer} within {timeout:?}; whether it acted is unknown")]
    Timeout {
        /// The peer.
        peer: String,
        /// The time that was given.
        timeout: Duration,
    },
    /// The connection ended before the answer came.
    #[error("the connection to {peer} is closed: {cause}")]
    Closed {
        /// The peer.
        peer: SocketAddr,
        /// Why it ended.
        cause: Arc<str>,
        /// Whether the request had been handed to the connection: the peer may have acted.
        sent: bool,
    },
    /// The command does not fit a frame, so nothing left.
    #[error("the request cannot be sent to {peer}: {source}")]
    Protocol {
        /// The peer.
        peer: SocketAddr,
        /// What is wrong with it.
        source: FrameTooLarge,
    },
}

impl RemotingError {
    /// Whether the request may have reached the peer. If so, "it did not happen" must not be
    /// concluded; if not, the request certainly had no effect.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Closed { sent, .. } => *sent,
            Self::Connect { .. } | Self::TooManyRequests { .. } | Self::Protocol { .. } => false,
        }
    }
}
