//! One end of a connection, as the process that holds it sees it.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use runtime::StreamBackend;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hub::{Connection, Hub};
use super::shape::NetShape;
use super::wire::{Read, Room, Trip};
use crate::timer::Alarm;
use crate::trace::Passage;

/// A stream; closed when dropped.
pub(crate) struct SimStream {
    hub: Hub,
    connection: Arc<Connection>,
    end: usize,
    read_alarm: Option<Alarm>,
    write_alarm: Option<Alarm>,
    /// A slow reader takes nothing before that.
    reads_from: Duration,
}

impl SimStream {
    pub(crate) fn new(hub: Hub, connection: Arc<Connection>, end: usize) -> Self {
        let reads_from = Duration::ZERO;
        Self { hub, connection, end, read_alarm: None, write_alarm: None, reads_from }
    }

    fn now(&self) -> Duration {
        self.hub.ground().now()
    }

    fn record(&self, what: &'static str, bytes: &[u8]) {
        let (me, peer) = self.nodes();
        let (connection, end) = (self.connection.number, self.end);
        self.hub.ground().record_passage(me, what, Passage { connection, end, peer, bytes });
    }

    fn nodes(&self) -> (&crate::node::Node, &crate::node::Node) {
        (&self.connection.nodes[self.end], &self.connection.nodes[1 - self.end])
    }

    fn error(&self, kind: ErrorKind) -> io::Error {
        let (me, peer) = self.nodes();
        io::Error::new(kind, format!("connection of {me} with {peer}: {kind}"))
    }

    /// Cuts a write short now and then, and tells where to split it in two.
    fn shorten(&self, shape: &NetShape, len: usize) -> (usize, usize) {
        if shape.split_one_in == 0 || len < 2 {
            return (len, len);
        }
        let (me, peer) = self.nodes();
        match self.hub.below(me, peer, 2 * shape.split_one_in) {
            0 => {
                let short = 1 + self.hub.below(me, peer, len as u64 - 1) as usize;
                (short, short)
            }
            1 => (len, 1 + self.hub.below(me, peer, len as u64 - 1) as usize),
            _ => (len, len),
        }
    }

    fn send(&self, shape: &NetShape, piece: Bytes) {
        let (me, peer) = self.nodes();
        let nanos = (piece.len() as u64 * 1_000_000_000).checked_div(shape.bandwidth);
        let passage = Duration::from_nanos(nanos.unwrap_or(0));
        let trip = Trip { latency: self.hub.latency(me, peer), passage };
        let heard = self.connection.wire().send(self.end, self.now(), trip, piece);
        if !heard {
            self.hub.answer_dead_letter(&self.connection, self.end);
        }
    }

    /// Waits for room, then writes the first bytes of `parts`.
    fn write(
        &mut self,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let shape = {
            let (me, peer) = self.nodes();
            self.hub.shape_between(me, peer)
        };
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let room = loop {
            let now = self.now();
            let mut wire = self.connection.wire();
            match wire.room(self.end, now, shape.give_up, shape.window) {
                Room::Bytes(room) => break room,
                Room::Failed(kind) => return Poll::Ready(Err(self.error(kind))),
                Room::Wait(until) => {
                    wire.await_write(self.end, context.waker());
                    drop(wire);
                    if !arm(&self.hub, &mut self.write_alarm, until, context) {
                        return Poll::Pending;
                    }
                }
            }
        };
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        let (count, split) = self.shorten(&shape, len.min(room));
        let mut piece = Vec::with_capacity(count);
        for part in parts {
            let part = &part[..part.len().min(count - piece.len())];
            piece.extend_from_slice(part);
        }
        self.record("send", &piece);
        let mut first = Bytes::from(piece);
        let second = first.split_off(split);
        self.send(&shape, first);
        if !second.is_empty() {
            self.send(&shape, second);
        }
        Poll::Ready(Ok(count))
    }
}

/// Arms an alarm to look again at `until`, if there is a time for that. Whether it rings already.
fn arm(
    hub: &Hub,
    alarm: &mut Option<Alarm>,
    until: Option<Duration>,
    context: &mut Context<'_>,
) -> bool {
    let Some(until) = until else {
        *alarm = None;
        return false;
    };
    if alarm.as_ref().is_none_or(|armed| armed.deadline() != until) {
        *alarm = Some(hub.ground().timers.at(until));
    }
    let armed = alarm.as_mut().expect("it is armed: seen above");
    Pin::new(armed).poll(context).is_ready()
}

impl AsyncRead for SimStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let shape = this.hub.shape();
        loop {
            let now = this.now();
            let slow = this.hub.reads_slowly(this.nodes().0);
            if slow.is_some() && now < this.reads_from {
                if !arm(&this.hub, &mut this.read_alarm, Some(this.reads_from), context) {
                    return Poll::Pending;
                }
                continue;
            }
            let mut wire = this.connection.wire();
            let read_max = slow.map_or(shape.read_max, |slow| slow.most.min(shape.read_max));
            // A buffer that nobody fills is not cleared for it either.
            let most = into.remaining().min(read_max).min(wire.unread_bytes(this.end).0);
            let buffer = into.initialize_unfilled_to(most);
            match wire.read(this.end, now, shape.give_up, buffer) {
                Read::Bytes(count) => {
                    drop(wire);
                    this.reads_from = slow.map_or(Duration::ZERO, |slow| now + slow.pause);
                    this.record("deliver", &buffer[..count]);
                    into.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Read::Failed(kind) => return Poll::Ready(Err(this.error(kind))),
                Read::Wait(until) => {
                    wire.await_read(this.end, context.waker());
                    drop(wire);
                    if !arm(&this.hub, &mut this.read_alarm, until, context) {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (me, peer) = self.nodes();
        let latency = self.hub.latency(me, peer);
        self.connection.wire().shutdown(self.end, self.now(), latency);
        self.record("shutdown", &[]);
        Poll::Ready(Ok(()))
    }
}

impl StreamBackend for SimStream {
    fn local_addr(&self) -> SocketAddr {
        self.connection.addresses[self.end]
    }

    fn peer_addr(&self) -> SocketAddr {
        self.connection.addresses[1 - self.end]
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.hub.close(&self.connection, self.end, false);
    }
}
