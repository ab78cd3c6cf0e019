//! The one task of a connection: read, serve, write, as far as each goes, then wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use protocol::RemotingCommand;
use protocol::fast::peek;
use protocol::frame::Frame;
use runtime::{Boxed, Monotonic, Stream};
use tokio::io::AsyncWrite;

use bytes::Bytes;

use crate::intake::Intake;
use crate::ordinary::Ordinary;
use crate::outbox::Outbox;
use crate::serve::FastPath;
use crate::shared::{Orders, Phase, Shared};

/// Rounds of read, serve and write in one poll, before other tasks get their turn.
const ROUNDS_MAX: usize = 32;

/// Slices in one vectored write.
const SLICES_MAX: usize = 64;

/// The bit of `flag` that marks a response.
const RESPONSE_FLAG: i32 = 1;

/// A body up to this length is copied out of the read buffer, so that a request that stays for
/// long (a suspended pull) does not hold the whole buffer.
const BODY_COPIED_MAX: usize = 1024;

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// The peer closed it; so many bytes of a frame had come.
    Peer { partial_bytes: usize },
    /// The net broke it.
    Broken(io::Error),
    /// The peer sent what is no frame or no command.
    Garbage(String),
    /// Nothing was read or written for the idle limit.
    Idle,
    /// This side asked for it.
    Asked(Arc<str>),
    /// Everything owed was written.
    Drained,
}

impl std::fmt::Display for End {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Peer { partial_bytes: 0 } => to.write_str("the peer closed it"),
            Self::Peer { partial_bytes } => {
                write!(to, "the peer closed it {partial_bytes} bytes into a frame")
            }
            Self::Broken(error) => write!(to, "the net broke it: {error}"),
            Self::Garbage(cause) => write!(to, "the peer sent garbage: {cause}"),
            Self::Idle => to.write_str("it was idle for too long"),
            Self::Asked(cause) => to.write_str(cause),
            Self::Drained => to.write_str("it was drained for shutdown"),
        }
    }
}

/// Drives one connection to its end, and tells its service.
pub(crate) async fn drive(stream: Stream, ordinary: Ordinary) {
    let service = ordinary.service.clone();
    let connection = ordinary.connection.clone();
    service.opened(&connection);
    let fast = service.fast_path(&connection);
    let mut driver = Driver::new(stream, ordinary, fast);
    let end = std::future::poll_fn(|context| driver.poll(context)).await;
    let (peer, local) = (connection.peer_addr(), connection.local_addr());
    match &end {
        End::Garbage(_) => tracing::warn!(%peer, %local, "connection closed: {end}"),
        _ => tracing::debug!(%peer, %local, "connection closed: {end}"),
    }
    driver.shared.fail(&end.to_string());
    drop(driver);
    service.closed(&connection);
    connection.shared().ended.stop();
}

struct Driver {
    stream: Stream,
    shared: Arc<Shared>,
    ordinary: Ordinary,
    fast: Option<Box<dyn FastPath>>,
    intake: Intake,
    /// Of the read at hand: all of it, then what is no answer. Kept for their room.
    frames: Vec<Frame>,
    answers: Vec<Frame>,
    /// What is being written.
    out: Outbox,
    /// Something was written and not flushed (a TLS stream buffers).
    unflushed: bool,
    moved_at: Monotonic,
    /// Fires at the idle limit after *some* movement; re-armed only then, not per movement.
    idle: Boxed<'static, ()>,
}

impl Drop for Driver {
    /// Also when the node dies in mid-poll: whoever waits must not wait for ever.
    fn drop(&mut self) {
        self.shared.fail("its task is gone");
    }
}

impl Driver {
    fn new(stream: Stream, ordinary: Ordinary, fast: Option<Box<dyn FastPath>>) -> Self {
        let shared = ordinary.connection.shared().clone();
        let moved_at = shared.clock.monotonic();
        let idle = shared.clock.sleep_until(moved_at + shared.limits.idle_max);
        Self {
            stream,
            intake: Intake::new(shared.limits.read_bytes_max),
            shared,
            ordinary,
            fast,
            frames: Vec::new(),
            answers: Vec::new(),
            out: Outbox::new(),
            unflushed: false,
            moved_at,
            idle,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if self.is_idle(context) {
            return Poll::Ready(End::Idle);
        }
        for _ in 0..ROUNDS_MAX {
            match self.round(context) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(end) => return Poll::Ready(end),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// One pass over everything; whether anything moved. When nothing did, every waker is
    /// registered.
    fn round(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let orders = self.shared.look_in(context, &mut self.out);
        let owed = self.owed(context);
        let draining = match &orders.phase {
            Phase::Open => false,
            Phase::Draining => true,
            Phase::Closing(cause) | Phase::Ended(cause) => return Err(End::Asked(cause.clone())),
        };
        let wrote = self.write(context)?;
        if draining {
            self.end_if_quiet(&orders, context)?;
            return Ok(owed || wrote);
        }
        let read = !self.holds_back(&orders) && self.read(context)?;
        Ok(owed || wrote || read)
    }

    /// Whether nothing has moved for the idle limit.
    fn is_idle(&mut self, context: &mut Context<'_>) -> bool {
        let idle_max = self.shared.limits.idle_max;
        while self.idle.as_mut().poll(context).is_ready() {
            if self.shared.clock.monotonic().since(self.moved_at) >= idle_max {
                return true;
            }
            self.idle = self.shared.clock.sleep_until(self.moved_at + idle_max);
        }
        false
    }

    /// Whether to let the peer's window fill: too much waits to leave, or to be answered.
    fn holds_back(&self, orders: &Orders) -> bool {
        let limits = &self.shared.limits;
        let outbound_bytes = self.out.len_bytes() + orders.queued_bytes;
        let unanswered = self.fast.as_ref().map_or(0, |fast| fast.unanswered());
        outbound_bytes > limits.outbound_bytes_max || unanswered > limits.unanswered_max
    }

    /// Takes in the replies that the fast path owes, unless enough is being written: then the
    /// stream wakes us when it has taken some of that.
    fn owed(&mut self, context: &mut Context<'_>) -> bool {
        let room = self.out.len_bytes() < Shared::REFILL_BYTES;
        let Some(fast) = self.fast.as_mut().filter(|_| room) else { return false };
        fast.poll_owed(context, &mut self.out).is_ready()
    }

    /// Writes as much as the stream takes; whether it took anything.
    fn write(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut wrote = false;
        while !self.out.is_empty() {
            let mut slots = [io::IoSlice::new(&[]); SLICES_MAX];
            let count = self.out.slices(&mut slots);
            let stream = Pin::new(&mut self.stream);
            match stream.poll_write_vectored(context, &slots[..count]) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(End::Broken(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(len)) => self.out.advance(len),
                Poll::Ready(Err(error)) => return Err(End::Broken(error)),
            }
            (wrote, self.unflushed) = (true, true);
        }
        if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(End::Broken(error)),
            }
        }
        if wrote {
            self.moved_at = self.shared.clock.monotonic();
        }
        Ok(wrote)
    }

    /// Reads once and serves what has become whole; whether anything came.
    fn read(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        match self.intake.poll_read(&mut self.stream, context) {
            Poll::Pending => return Ok(false),
            Poll::Ready(Ok(0)) => {
                return Err(End::Peer { partial_bytes: self.intake.partial_bytes() });
            }
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => return Err(End::Broken(error)),
        }
        self.moved_at = self.shared.clock.monotonic();
        self.shared.note_read(self.moved_at);
        let garbage = self.cut();
        if let Some(fast) = self.fast.as_mut().filter(|_| !self.frames.is_empty()) {
            fast.serve(&mut self.frames, &mut self.out);
        }
        self.sort();
        self.take_answers()?;
        self.take_requests()?;
        // What came whole before the garbage is served: the peer may know it was sent.
        garbage.map_or(Ok(true), Err)
    }

    /// Cuts what came into frames.
    fn cut(&mut self) -> Option<End> {
        loop {
            match self.intake.next_frame() {
                Ok(Some(frame)) => self.frames.push(frame),
                Ok(None) => return None,
                Err(error) => return Some(End::Garbage(error.to_string())),
            }
        }
    }

    /// Moves the answers out of the frames. What cannot be peeked at shows what it is when it is
    /// decoded.
    fn sort(&mut self) {
        let is_answer =
            |frame: &mut Frame| peek(frame).is_some_and(|head| head.flag & RESPONSE_FLAG != 0);
        self.answers.extend(self.frames.extract_if(.., is_answer));
    }

    fn take_answers(&mut self) -> Result<(), End> {
        if let Some(fast) = self.fast.as_mut().filter(|_| !self.answers.is_empty()) {
            fast.answers(&mut self.answers);
        }
        let mut answers = std::mem::take(&mut self.answers);
        for frame in answers.drain(..) {
            self.resolve(decode(&frame)?);
        }
        self.answers = answers;
        Ok(())
    }

    fn take_requests(&mut self) -> Result<(), End> {
        let mut requests = std::mem::take(&mut self.frames);
        for frame in requests.drain(..) {
            let command = decode(&frame)?;
            if command.is_response() {
                self.resolve(command);
            } else {
                self.ordinary.start(command, &mut self.out);
            }
        }
        self.frames = requests;
        Ok(())
    }

    fn resolve(&self, response: RemotingCommand) {
        let opaque = response.opaque;
        if !self.shared.resolve(response) {
            tracing::debug!(peer = %self.shared.peer, opaque, "an answer that nobody awaits");
        }
    }

    /// Ends the connection when nothing is owed any more: closes the write side first, so that the
    /// peer reads everything.
    fn end_if_quiet(&mut self, orders: &Orders, context: &mut Context<'_>) -> Result<(), End> {
        let unanswered = self.fast.as_ref().map_or(0, |fast| fast.unanswered());
        let owing = orders.in_flight > 0
            || orders.queued_bytes > 0
            || unanswered > 0
            || !self.out.is_empty();
        if owing {
            return Ok(());
        }
        match Pin::new(&mut self.stream).poll_shutdown(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(())) => Err(End::Drained),
            Poll::Ready(Err(error)) => Err(End::Broken(error)),
        }
    }
}

fn decode(frame: &Frame) -> Result<RemotingCommand, End> {
    let mut command = frame.decode().map_err(|error| End::Garbage(error.to_string()))?;
    if command.body.len() <= BODY_COPIED_MAX {
        command.body = Bytes::copy_from_slice(&command.body);
    }
    Ok(command)
}
