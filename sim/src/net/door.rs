//! The net door of one incarnation of a node: connecting and listening.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use runtime::sync::{Either, race};
use runtime::{Boxed, Listener, ListenerBackend, NetBackend, Stream};

use super::hub::{Answer, Hub};
use super::stream::SimStream;
use crate::node::Node;

/// The network as one process of the node sees it. Clones are the same process.
#[derive(Clone)]
pub(crate) struct SimNet {
    hub: Hub,
    node: Node,
    epoch: u64,
}

impl SimNet {
    /// The door for the process that runs now.
    pub(crate) fn new(hub: Hub, node: Node) -> Self {
        let epoch = hub.epoch(&node);
        Self { hub, node, epoch }
    }

    fn guard(&self) -> io::Result<()> {
        if self.hub.epoch(&self.node) == self.epoch {
            return Ok(());
        }
        Err(io::Error::other(format!("{}: the process that opened this door is dead", self.node)))
    }

    /// Knocks until somebody answers; as a kernel does, again and again into a silence.
    async fn handshake(&self, to: SocketAddr) -> io::Result<Stream> {
        let ground = self.hub.ground();
        loop {
            // Taken before the look at the way, so that no opening of it is missed.
            let opened = self.hub.opened().notified();
            let peer = self.hub.peer(&self.node, to);
            ground.after(self.hub.latency(&self.node, &peer)).await;
            self.guard()?;
            let answer = self.hub.knock(&self.node, to)?;
            match answer {
                Answer::Silence => {
                    opened.await;
                    let again = self.hub.below(&self.node, &peer, 3_000_000);
                    ground.after(Duration::from_micros(again)).await;
                }
                Answer::Refused => {
                    ground.after(self.hub.latency(&peer, &self.node)).await;
                    let message = format!("{to}: connection refused (asked by {})", self.node);
                    return Err(io::Error::new(ErrorKind::ConnectionRefused, message));
                }
                Answer::Accepted(connection) => {
                    let stream = SimStream::new(self.hub.clone(), connection, 0);
                    ground.after(self.hub.latency(&peer, &self.node)).await;
                    return Ok(Stream::new(stream));
                }
            }
        }
    }
}

impl NetBackend for SimNet {
    fn listen<'a>(&'a self, address: &'a str) -> Boxed<'a, io::Result<Listener>> {
        Box::pin(async move {
            self.guard()?;
            let at = self.hub.resolve(&self.node, address)?;
            let (number, address) = self.hub.listen(&self.node, at)?;
            let (hub, node) = (self.hub.clone(), self.node.clone());
            Ok(Listener::new(SimListener { hub, node, number, address }))
        })
    }

    fn connect<'a>(&'a self, address: &'a str, timeout: Duration) -> Boxed<'a, io::Result<Stream>> {
        Box::pin(async move {
            self.guard()?;
            let to = self.hub.resolve(&self.node, address)?;
            let ground = self.hub.ground();
            let result = match race(self.handshake(to), ground.after(timeout)).await {
                Either::Left(result) => result,
                Either::Right(()) => {
                    let message = format!("{address}: no answer within {timeout:?}");
                    Err(io::Error::new(ErrorKind::TimedOut, message))
                }
            };
            let numbers = [u64::from(to.port()), u64::from(result.is_ok())];
            ground.record(&self.node, "connect", numbers, format_args!("{to}"));
            result
        })
    }
}

/// A listening socket; closed when dropped.
struct SimListener {
    hub: Hub,
    node: Node,
    number: u64,
    address: SocketAddr,
}

impl ListenerBackend for SimListener {
    fn accept(&self) -> Boxed<'_, io::Result<Stream>> {
        Box::pin(std::future::poll_fn(|context| {
            use std::task::Poll;
            match self.hub.accept(&self.node, self.address.port(), context.waker()) {
                Ok(Some(connection)) => {
                    let stream = SimStream::new(self.hub.clone(), connection, 1);
                    Poll::Ready(Ok(Stream::new(stream)))
                }
                Ok(None) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            }
        }))
    }

    fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        self.hub.unlisten(&self.node, self.address.port(), self.number);
    }
}
