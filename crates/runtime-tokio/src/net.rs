//! TCP of this machine.
//!
//! Buffers are left to the kernel: fixed ones switch its autotuning off and cost up to twenty times
//! the throughput on a long line.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use runtime::{Boxed, Listener, ListenerBackend, NetBackend, Stream, StreamBackend};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// A silent peer is asked for a sign of life after this long, and then again at the interval.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Nobody waits longer than this, and a deadline cannot overflow.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// The sockets of this process.
pub(crate) struct MachineNet;

impl NetBackend for MachineNet {
    fn listen<'a>(&'a self, address: &'a str) -> Boxed<'a, io::Result<Listener>> {
        Box::pin(async move {
            let named = |error| naming("listen on", address, error);
            let mut failed = no_address();
            for candidate in lookup_host(address).await.map_err(named)? {
                match bind(candidate) {
                    Ok(listener) => return Ok(Listener::new(listener)),
                    Err(error) => failed = error,
                }
            }
            Err(named(failed))
        })
    }

    fn connect<'a>(&'a self, address: &'a str, timeout: Duration) -> Boxed<'a, io::Result<Stream>> {
        Box::pin(async move {
            let timeout = timeout.min(TIMEOUT_MAX);
            let deadline = Instant::now() + timeout;
            let named = |error| naming("connect to", address, error);
            let candidates: Vec<SocketAddr> =
                before(deadline, timeout, lookup_host(address)).await.map_err(named)?.collect();
            let mut failed = no_address();
            for (number, candidate) in candidates.iter().enumerate() {
                // Each gets an equal share of what is left, so that one that never answers does
                // not eat the time of the others.
                let now = Instant::now();
                let share = deadline.saturating_duration_since(now)
                    / u32::try_from(candidates.len() - number).unwrap_or(u32::MAX);
                match before(now + share, timeout, connect(*candidate)).await {
                    Ok(stream) => return Ok(Stream::new(stream)),
                    Err(error) => failed = error,
                }
            }
            Err(named(failed))
        })
    }
}

fn bind(address: SocketAddr) -> io::Result<MachineListener> {
    let socket = new_socket(address)?;
    // A restart takes the port back from the connections that still linger in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    Ok(MachineListener { local: listener.local_addr()?, listener })
}

async fn connect(address: SocketAddr) -> io::Result<MachineStream> {
    MachineStream::new(new_socket(address)?.connect(address).await?)
}

fn new_socket(address: SocketAddr) -> io::Result<TcpSocket> {
    if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}

/// The future's result, or `TimedOut` naming the whole time that was allowed.
async fn before<T>(
    deadline: Instant,
    allowed: Duration,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    timeout_at(deadline, future).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {allowed:?}")))
    })
}

fn naming(verb: &str, address: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{verb} {address}: {error}"))
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

struct MachineListener {
    listener: TcpListener,
    local: SocketAddr,
}

impl ListenerBackend for MachineListener {
    fn accept(&self) -> Boxed<'_, io::Result<Stream>> {
        Box::pin(async move {
            loop {
                let (stream, _) = self.listener.accept().await?;
                // A peer that is gone already is no failure of the listener.
                if let Ok(stream) = MachineStream::new(stream) {
                    return Ok(Stream::new(stream));
                }
            }
        })
    }

    fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

struct MachineStream {
    stream: TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
}

impl MachineStream {
    fn new(stream: TcpStream) -> io::Result<Self> {
        // Replies leave in one vectored write; what the kernel would wait for never comes.
        stream.set_nodelay(true)?;
        let keepalive =
            TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_INTERVAL);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        let (local, peer) = (canonical(stream.local_addr()?), canonical(stream.peer_addr()?));
        Ok(Self { stream, local, peer })
    }
}

/// An IPv4 peer of an IPv6 socket is an IPv4 peer.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl StreamBackend for MachineStream {
    fn local_addr(&self) -> SocketAddr {
        self.local
    }

    fn peer_addr(&self) -> SocketAddr {
        self.peer
    }
}

impl AsyncRead for MachineStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for MachineStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
