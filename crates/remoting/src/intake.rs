//! The read side: one buffer that grows and shrinks with the traffic, cut into frames.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use protocol::frame::{Frame, FrameError, frame_size, next_frame};
use runtime::Stream;
use tokio::io::AsyncReadExt;

/// The size of the first reads: an idle connection should cost little.
const READ_BYTES_MIN: usize = 4 << 10;

/// So many small reads in a row halve the size.
const SMALL_READS_MAX: u8 = 16;

/// Room made at once for the rest of a frame whose length is known: a peer that only announces
/// large frames must not make us allocate them.
const AHEAD_BYTES_MAX: usize = 1 << 20;

/// Bytes that came and are not yet a whole frame.
pub(crate) struct Intake {
    buffer: BytesMut,
    read_bytes: usize,
    read_bytes_max: usize,
    small_reads: u8,
}

impl Intake {
    /// An empty one, whose reads grow up to `read_bytes_max`.
    pub(crate) fn new(read_bytes_max: usize) -> Self {
        let read_bytes = READ_BYTES_MIN.min(read_bytes_max).max(64);
        Self { buffer: BytesMut::new(), read_bytes, read_bytes_max, small_reads: 0 }
    }

    /// Reads once. 0 is the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        stream: &mut Stream,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let room = self.buffer.capacity() - self.buffer.len();
        // `read_buf` keeps nothing between polls, so a new one each time loses nothing.
        let read = pin!(stream.read_buf(&mut self.buffer)).poll(context);
        if let Poll::Ready(Ok(len)) = read {
            self.adapt(len, room);
        }
        read
    }

    /// The next whole frame.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        next_frame(&mut self.buffer)
    }

    /// Bytes of a frame that is not whole yet.
    pub(crate) fn partial_bytes(&self) -> usize {
        self.buffer.len()
    }

    fn make_room(&mut self) {
        let room = self.buffer.capacity() - self.buffer.len();
        let missing = self.missing().min(AHEAD_BYTES_MAX);
        if room < missing.max(self.read_bytes / 2) {
            self.buffer.reserve(missing.max(self.read_bytes));
        }
    }

    /// What lacks of the frame that has begun, as far as it says.
    fn missing(&self) -> usize {
        let size = frame_size(&self.buffer).ok().flatten().unwrap_or(0);
        size.saturating_sub(self.buffer.len())
    }

    fn adapt(&mut self, len: usize, room: usize) {
        if len == room {
            self.small_reads = 0;
            self.read_bytes = (self.read_bytes * 2).min(self.read_bytes_max);
        } else if len < self.read_bytes / 4 {
            self.small_reads += 1;
            if self.small_reads >= SMALL_READS_MAX {
                self.small_reads = 0;
                self.read_bytes = (self.read_bytes / 2).max(READ_BYTES_MIN);
            }
        } else {
            self.small_reads = 0;
        }
    }
}
