//! What a service answers.

use bytes::Bytes;
use protocol::RemotingCommand;

/// An answer: a command, and the body in as many slices as it lies in.
///
/// The slices are written as they are, behind the command's own body: no copy is made of them.
/// Opaque, serialisation and the response flag are set by the connection to match the request.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Code, remark, header, and the first part of the body.
    pub command: RemotingCommand,
    /// The rest of the body.
    pub body: Vec<Bytes>,
}

impl Reply {
    /// An answer whose body is these slices.
    pub fn with_slices(command: RemotingCommand, body: Vec<Bytes>) -> Self {
        Self { command, body }
    }
}

impl From<RemotingCommand> for Reply {
    fn from(command: RemotingCommand) -> Self {
        Self { command, body: Vec::new() }
    }
}
