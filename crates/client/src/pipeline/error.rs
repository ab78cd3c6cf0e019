//! How a pipeline ends before its time.

use std::io;

use protocol::{DecodeError, FrameError};

/// The run is over. What was in flight may have been done or not.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The connection failed or was closed by the peer.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// What came is no command.
    #[error(transparent)]
    Command(#[from] DecodeError),
    /// An answer to nothing that was asked.
    #[error("an answer came with opaque {opaque}, which no request in flight has")]
    Opaque {
        /// The answer's opaque.
        opaque: i32,
    },
}
