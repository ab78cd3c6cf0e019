//! The connection of a pipeline: bytes out, frames in, without waiting.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use protocol::Frame;
use protocol::frame::next_frame;
use runtime::Stream;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::error::PipelineError;

/// Room to read into, in bytes: grown by this much when it is used up.
const READ_ROOM: usize = 256 * 1024;

/// A stream with what waits to leave and what has come.
pub(super) struct Wire {
    stream: Stream,
    /// Waits to leave.
    pub(super) out: BytesMut,
    /// Has come and is not a whole frame yet.
    came: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, out: BytesMut::new(), came: BytesMut::new() }
    }

    /// Writes what it can; true when something left.
    pub(super) fn write(&mut self, context: &mut Context<'_>) -> Result<bool, PipelineError> {
        let mut left = false;
        while !self.out.is_empty() {
            match pin!(&mut self.stream).poll_write(context, &self.out) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(closed(io::ErrorKind::WriteZero)),
                Poll::Ready(written) => self.out.advance(written?),
            }
            left = true;
        }
        if self.out.is_empty()
            && let Poll::Ready(flushed) = pin!(&mut self.stream).poll_flush(context)
        {
            flushed?;
        }
        Ok(left)
    }

    /// Reads once; true when something came.
    pub(super) fn read(&mut self, context: &mut Context<'_>) -> Result<bool, PipelineError> {
        self.came.reserve(READ_ROOM);
        // Dropping this future unfinished loses nothing.
        let reading = self.stream.read_buf(&mut self.came);
        match pin!(reading).poll(context) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => Err(closed(io::ErrorKind::UnexpectedEof)),
            Poll::Ready(read) => Ok(read? > 0),
        }
    }

    /// The next whole frame of what has come.
    pub(super) fn frame(&mut self) -> Result<Option<Frame>, PipelineError> {
        Ok(next_frame(&mut self.came)?)
    }
}

fn closed(kind: io::ErrorKind) -> PipelineError {
    PipelineError::Io(io::Error::new(kind, "the peer closed the connection"))
}
