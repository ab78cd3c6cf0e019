//! One connection: two pipes and two ends, as a pure state. It knows no node and no link; whoever
//! calls says what time it is and how long things take.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::task::Waker;
use std::time::Duration;

use bytes::{Buf, Bytes};

/// What is under way from one end to the other.
#[derive(Default)]
pub(crate) struct Pipe {
    /// Pieces by their time of arrival, which never falls.
    queue: VecDeque<(Duration, Bytes)>,
    /// When the end of the stream arrives, once the sender has shut it down.
    fin: Option<Duration>,
    last_arrival: Duration,
    /// Since when nothing arrives. What had arrived before can still be read.
    cut_at: Option<Duration>,
    /// Sent and, for all the sender knows, not read.
    held: usize,
    /// Read, but the sender cannot hear of it.
    unreported: usize,
    /// Since when the sender has been sending into the void.
    stuck_since: Option<Duration>,
}

impl Pipe {
    /// Whether what arrives at `at` is there at `now`.
    fn arrived(&self, at: Duration, now: Duration) -> bool {
        at <= now && self.cut_at.is_none_or(|cut| at <= cut)
    }

    /// When the next piece, or the end, arrives; `None` when nothing is on its way.
    fn next_arrival(&self) -> Option<Duration> {
        let next = self.queue.front().map(|(at, _)| *at).or(self.fin)?;
        self.cut_at.is_none_or(|cut| next <= cut).then_some(next)
    }
}

/// One end of a connection.
#[derive(Default)]
pub(crate) struct End {
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// No process holds this end any more.
    gone: bool,
    /// From when on this end sees an error, and which.
    fails: Option<(Duration, ErrorKind)>,
}

impl End {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }
}

/// What a read found.
pub(crate) enum Read {
    /// So many bytes; 0 at the end of the stream.
    Bytes(usize),
    Failed(ErrorKind),
    /// Nothing yet; worth another look at that time, or when woken.
    Wait(Option<Duration>),
}

/// Whether a write may go on.
pub(crate) enum Room {
    /// So many bytes, at least 1.
    Bytes(usize),
    Failed(ErrorKind),
    /// None; worth another look at that time, or when woken.
    Wait(Option<Duration>),
}

/// How long a piece is under way.
#[derive(Clone, Copy)]
pub(crate) struct Trip {
    /// Until it arrives on an idle connection.
    pub(crate) latency: Duration,
    /// That it keeps the connection busy.
    pub(crate) passage: Duration,
}

/// A connection between end 0 and end 1. Pipe `i` is written by end `i`.
#[derive(Default)]
pub(crate) struct Wire {
    pipes: [Pipe; 2],
    ends: [End; 2],
    /// Somebody between the ends has forgotten the connection: nothing gets through any more, and
    /// nobody is told.
    lost: bool,
}

impl Wire {
    /// The error that `end` sees at `now`, and otherwise when the next one comes.
    fn failure(
        &self,
        end: usize,
        now: Duration,
        give_up: Duration,
    ) -> Result<Option<Duration>, ErrorKind> {
        let stuck = self.pipes[end].stuck_since.map(|since| (since + give_up, ErrorKind::TimedOut));
        match self.ends[end].fails.into_iter().chain(stuck).min_by_key(|(at, _)| *at) {
            Some((at, kind)) if at <= now => Err(kind),
            later => Ok(later.map(|(at, _)| at)),
        }
    }

    /// Takes what has arrived at `end`, up to `into.len()` bytes.
    pub(crate) fn read(
        &mut self,
        end: usize,
        now: Duration,
        give_up: Duration,
        into: &mut [u8],
    ) -> Read {
        let mut taken = 0;
        let pipe = &mut self.pipes[1 - end];
        while let Some(&(at, _)) = pipe.queue.front() {
            if taken == into.len() || !pipe.arrived(at, now) {
                break;
            }
            let (_, piece) = pipe.queue.front_mut().expect("it has a front: seen above");
            let count = piece.len().min(into.len() - taken);
            piece.copy_to_slice(&mut into[taken..taken + count]);
            taken += count;
            if piece.is_empty() {
                pipe.queue.pop_front();
            }
        }
        if taken > 0 {
            self.report(end, taken);
            return Read::Bytes(taken);
        }
        let failure = match self.failure(end, now, give_up) {
            Err(kind) => return Read::Failed(kind),
            Ok(later) => later,
        };
        let pipe = &self.pipes[1 - end];
        if pipe.queue.is_empty() && pipe.fin.is_some_and(|at| pipe.arrived(at, now)) {
            return Read::Bytes(0);
        }
        Read::Wait(failure.into_iter().chain(pipe.next_arrival()).min())
    }

    /// Lets the sender know that `end` has read, if the news gets through.
    fn report(&mut self, end: usize, count: usize) {
        let news_get_through = self.pipes[end].cut_at.is_none();
        let pipe = &mut self.pipes[1 - end];
        if !news_get_through {
            pipe.unreported += count;
            return;
        }
        pipe.held -= count;
        if let Some(writer) = self.ends[1 - end].writer.take() {
            writer.wake();
        }
    }

    /// How much `end` may write now.
    pub(crate) fn room(&self, end: usize, now: Duration, give_up: Duration, window: usize) -> Room {
        match self.failure(end, now, give_up) {
            Err(kind) => Room::Failed(kind),
            Ok(_) if self.pipes[end].fin.is_some() => Room::Failed(ErrorKind::BrokenPipe),
            Ok(later) => match window.saturating_sub(self.pipes[end].held) {
                0 => Room::Wait(later),
                room => Room::Bytes(room),
            },
        }
    }

    /// Sends a piece. Whether anybody is there to read it.
    pub(crate) fn send(&mut self, end: usize, now: Duration, trip: Trip, piece: Bytes) -> bool {
        let deaf = self.pipes[1 - end].cut_at.is_some();
        let pipe = &mut self.pipes[end];
        pipe.held += piece.len();
        if pipe.cut_at.is_some() || deaf {
            pipe.stuck_since.get_or_insert(now);
        }
        if self.ends[1 - end].gone {
            return false;
        }
        // A piece stands behind the one before it, and takes its time to pass.
        let at = (now + trip.latency).max(pipe.last_arrival + trip.passage);
        pipe.last_arrival = at;
        pipe.queue.push_back((at, piece));
        if let Some(reader) = self.ends[1 - end].reader.take() {
            reader.wake();
        }
        true
    }

    /// Ends the stream of `end`; the other one reads to the end. Again is harmless.
    pub(crate) fn shutdown(&mut self, end: usize, now: Duration, latency: Duration) {
        let pipe = &mut self.pipes[end];
        if pipe.fin.is_none() {
            pipe.fin = Some((now + latency).max(pipe.last_arrival));
            pipe.last_arrival = pipe.last_arrival.max(now + latency);
        }
        if let Some(reader) = self.ends[1 - end].reader.take() {
            reader.wake();
        }
    }

    /// Whether bytes for `end` are unread or on their way.
    pub(crate) fn unread(&self, end: usize) -> bool {
        !self.pipes[1 - end].queue.is_empty()
    }

    /// How many bytes for `end` are unread or on their way, and whether they cannot arrive.
    pub(crate) fn unread_bytes(&self, end: usize) -> (usize, bool) {
        let pipe = &self.pipes[1 - end];
        (pipe.queue.iter().map(|(_, piece)| piece.len()).sum(), pipe.cut_at.is_some())
    }

    /// Nobody holds `end` any more. Bytes for it vanish from here on.
    pub(crate) fn leave(&mut self, end: usize) {
        self.ends[end].gone = true;
        self.ends[end].wake();
        self.pipes[1 - end].queue.clear();
    }

    /// Whether nobody holds `end`.
    pub(crate) fn is_gone(&self, end: usize) -> bool {
        self.ends[end].gone
    }

    /// Whether `end` has sent what the other one has not read.
    pub(crate) fn owes_answer(&self, end: usize) -> bool {
        self.pipes[end].held > 0
    }

    /// From `now` on nothing gets through, and neither end is ever told.
    pub(crate) fn lose(&mut self, now: Duration) {
        self.lost = true;
        self.cut(0, now);
        self.cut(1, now);
    }

    /// `end` will see `kind` from `at` on, unless it sees something earlier, or nobody can tell it.
    pub(crate) fn fail(&mut self, end: usize, at: Duration, kind: ErrorKind) {
        if self.lost {
            return;
        }
        let fails = &mut self.ends[end].fails;
        if fails.is_none_or(|(earlier, _)| at < earlier) {
            *fails = Some((at, kind));
        }
        self.ends[end].wake();
    }

    /// What has not arrived by `now` never will: a reset tore the connection down.
    pub(crate) fn drop_under_way(&mut self, now: Duration) {
        for pipe in &mut self.pipes {
            pipe.queue.retain(|(at, _)| *at <= now);
        }
    }

    /// From `now` on nothing that `end` sends arrives.
    pub(crate) fn cut(&mut self, end: usize, now: Duration) {
        self.pipes[end].cut_at.get_or_insert(now);
        for pipe in &mut self.pipes {
            if pipe.held > 0 {
                pipe.stuck_since.get_or_insert(now);
            }
        }
        self.ends.iter_mut().for_each(End::wake);
    }

    /// What `end` sends arrives again; what was held up does after `retransmission`.
    pub(crate) fn heal(&mut self, end: usize, now: Duration, retransmission: Duration) {
        if self.lost {
            return;
        }
        let Some(cut) = self.pipes[end].cut_at.take() else { return };
        let again = now + retransmission;
        let pipe = &mut self.pipes[end];
        let under_way = pipe.queue.iter_mut().map(|(at, _)| at).chain(&mut pipe.fin);
        for at in under_way.filter(|at| **at > cut) {
            *at = again.max(*at);
            pipe.last_arrival = pipe.last_arrival.max(*at);
        }
        let other = &mut self.pipes[1 - end];
        other.held -= std::mem::take(&mut other.unreported);
        if self.pipes.iter().all(|pipe| pipe.cut_at.is_none()) {
            self.pipes.iter_mut().for_each(|pipe| pipe.stuck_since = None);
        }
        self.ends.iter_mut().for_each(End::wake);
    }

    /// Who to wake when `end` can read again.
    pub(crate) fn await_read(&mut self, end: usize, waker: &Waker) {
        self.ends[end].reader = Some(waker.clone());
    }

    /// Who to wake when `end` can write again.
    pub(crate) fn await_write(&mut self, end: usize, waker: &Waker) {
        self.ends[end].writer = Some(waker.clone());
    }
}
