//! What the handles of a connection and the task that drives it share.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use protocol::RemotingCommand;
use runtime::sync::Stop;
use runtime::{Clock, Monotonic};
use tokio::sync::oneshot;

use crate::config::Limits;
use crate::error::RemotingError;
use crate::outbox::{FrameTooLarge, Outbox};
use crate::pending::Pending;
use crate::reply::Reply;

/// How far the life of a connection has come.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// Reading and writing.
    Open,
    /// Reading nothing more; ends when everything owed is written.
    Draining,
    /// Ends at the next poll of its task, for this reason.
    Closing(Arc<str>),
    /// Ended, for this reason.
    Ended(Arc<str>),
}

/// What the driving task is told when it looks in.
pub(crate) struct Orders {
    /// What to do.
    pub(crate) phase: Phase,
    /// Bytes of handles and ordinary replies that wait behind what the task writes now.
    pub(crate) queued_bytes: usize,
    /// Requests on the ordinary path.
    pub(crate) in_flight: usize,
}

/// The shared part of one connection.
pub(crate) struct Shared {
    pub(crate) id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    /// Raised when the connection is over and its service knows.
    pub(crate) ended: Stop,
    /// The last read, in nanoseconds of the monotonic clock.
    read_at: AtomicU64,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    queue: Outbox,
    pending: Pending,
    in_flight: usize,
    waker: Option<Waker>,
}

impl State {
    fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

impl Shared {
    /// Below this, what is being written takes in more. The fast path and the queue both refill
    /// here, the queue first, so that neither starves the other behind a slow peer.
    pub(crate) const REFILL_BYTES: usize = 256 << 10;

    /// A connection between `ends`: the peer's address, then this side's.
    pub(crate) fn new(
        id: u64,
        ends: (SocketAddr, SocketAddr),
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let (peer, local) = ends;
        let state = State {
            phase: Phase::Open,
            queue: Outbox::new(),
            pending: Pending::default(),
            in_flight: 0,
            waker: None,
        };
        let read_at = AtomicU64::new(nanos(clock.monotonic()));
        let (ended, state) = (Stop::new(), Mutex::new(state));
        Self { id, peer, local, clock, limits, ended, read_at, state }
    }

    /// Registers the task's waker, moves what waits into `out` if that is about to run dry, and
    /// says how things stand.
    pub(crate) fn look_in(&self, context: &Context<'_>, out: &mut Outbox) -> Orders {
        let mut state = self.state();
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        if out.len_bytes() < Self::REFILL_BYTES && !state.queue.is_empty() {
            out.append(&mut state.queue);
        }
        Orders {
            phase: state.phase.clone(),
            queued_bytes: state.queue.len_bytes(),
            in_flight: state.in_flight,
        }
    }

    /// Queues a request of ours that wants an answer.
    pub(crate) fn ask(
        &self,
        mut command: RemotingCommand,
    ) -> Result<(i32, oneshot::Receiver<RemotingCommand>), RemotingError> {
        let mut state = self.state();
        self.admit(&state)?;
        command.opaque = state.pending.next_opaque();
        self.queue(&mut state, &command)?;
        let waiter = state.pending.wait(command.opaque);
        state.wake();
        Ok((command.opaque, waiter))
    }

    /// Queues a request of ours that wants none.
    pub(crate) fn tell(&self, mut command: RemotingCommand) -> Result<(), RemotingError> {
        let mut state = self.state();
        self.admit(&state)?;
        command.opaque = state.pending.next_opaque();
        self.queue(&mut state, &command)?;
        state.wake();
        Ok(())
    }

    /// Queues an answer. Answers have no bound of their own: they are bounded by the requests in
    /// flight, and reading stops while more than the outbound bound waits.
    pub(crate) fn answer(&self, reply: Reply) -> Result<(), FrameTooLarge> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Ended(_)) {
            return Ok(());
        }
        state.queue.push_command(&reply.command, reply.body)?;
        state.wake();
        Ok(())
    }

    /// Nobody waits for `opaque` any more.
    pub(crate) fn forget(&self, opaque: i32) {
        self.state().pending.forget(opaque);
    }

    /// Hands a response to who waits for it; false when nobody does.
    pub(crate) fn resolve(&self, response: RemotingCommand) -> bool {
        self.state().pending.answer(response)
    }

    /// Takes a place on the ordinary path, or says how many are taken.
    pub(crate) fn enter(&self) -> Result<(), usize> {
        let mut state = self.state();
        if state.in_flight >= self.limits.requests_in_flight_max {
            return Err(state.in_flight);
        }
        state.in_flight += 1;
        Ok(())
    }

    /// Gives the place back.
    pub(crate) fn leave(&self) {
        let mut state = self.state();
        state.in_flight -= 1;
        if matches!(state.phase, Phase::Draining) {
            state.wake();
        }
    }

    /// Asks for the end: at once, without writing what waits.
    pub(crate) fn close(&self, cause: &str) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Open | Phase::Draining) {
            state.phase = Phase::Closing(cause.into());
            state.wake();
        }
    }

    /// Asks for the end once everything owed is written.
    pub(crate) fn drain(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Draining;
            state.wake();
        }
    }

    /// The stream is gone: everyone who waits fails now. The first cause stays.
    pub(crate) fn fail(&self, cause: &str) {
        let mut state = self.state();
        if !matches!(state.phase, Phase::Ended(_)) {
            state.phase = Phase::Ended(cause.into());
            state.pending.clear();
            state.queue = Outbox::new();
            state.waker = None;
        }
    }

    /// Whether it is closing or over.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state().phase, Phase::Closing(_) | Phase::Ended(_))
    }

    /// Bytes that wait in the queue of handles and ordinary replies.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.state().queue.len_bytes()
    }

    /// Notes that bytes came.
    pub(crate) fn note_read(&self, now: Monotonic) {
        self.read_at.store(nanos(now), Ordering::Relaxed);
    }

    /// When the last bytes came.
    pub(crate) fn read_at(&self) -> Monotonic {
        Monotonic(Duration::from_nanos(self.read_at.load(Ordering::Relaxed)))
    }

    /// The error of a request on this connection, now that it is closing or over.
    pub(crate) fn closed_error(&self, sent: bool) -> RemotingError {
        let cause = match &self.state().phase {
            Phase::Closing(cause) | Phase::Ended(cause) => cause.clone(),
            Phase::Open | Phase::Draining => "it is shutting down".into(),
        };
        RemotingError::Closed { peer: self.peer, cause, sent }
    }

    fn admit(&self, state: &State) -> Result<(), RemotingError> {
        let (awaited, queued_bytes) = (state.pending.len(), state.queue.len_bytes());
        match &state.phase {
            Phase::Open => {}
            Phase::Draining => {
                let cause = "it is shutting down".into();
                return Err(RemotingError::Closed { peer: self.peer, cause, sent: false });
            }
            Phase::Closing(cause) | Phase::Ended(cause) => {
                let cause = cause.clone();
                return Err(RemotingError::Closed { peer: self.peer, cause, sent: false });
            }
        }
        let limits = &self.limits;
        if awaited < limits.pending_max && queued_bytes < limits.outbound_bytes_max {
            return Ok(());
        }
        Err(RemotingError::TooManyRequests {
            peer: self.peer,
            awaited,
            awaited_max: limits.pending_max,
            queued_bytes,
            queued_bytes_max: limits.outbound_bytes_max,
        })
    }

    fn queue(&self, state: &mut State, command: &RemotingCommand) -> Result<(), RemotingError> {
        state
            .queue
            .push_command(command, Vec::new())
            .map_err(|source| RemotingError::Protocol { peer: self.peer, source })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nanos(at: Monotonic) -> u64 {
    u64::try_from(at.0.as_nanos()).unwrap_or(u64::MAX)
}
