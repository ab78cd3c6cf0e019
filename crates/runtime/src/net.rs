//! Byte streams: back-pressure, partial reads and writes, half-close, reset.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Boxed;

/// What a twin provides.
pub trait NetBackend: Send + Sync {
    /// See [`Net::listen`].
    fn listen<'a>(&'a self, address: &'a str) -> Boxed<'a, io::Result<Listener>>;
    /// See [`Net::connect`].
    fn connect<'a>(&'a self, address: &'a str, timeout: Duration) -> Boxed<'a, io::Result<Stream>>;
}

/// What a twin provides for a listening socket.
pub trait ListenerBackend: Send + Sync {
    /// See [`Listener::accept`].
    fn accept(&self) -> Boxed<'_, io::Result<Stream>>;
    /// See [`Listener::local_addr`].
    fn local_addr(&self) -> SocketAddr;
}

/// What a twin provides for a stream. `poll_shutdown` half-closes: the peer reads to the end.
/// Dropping a stream closes it.
pub trait StreamBackend: AsyncRead + AsyncWrite + Send + Unpin {
    /// See [`Stream::local_addr`].
    fn local_addr(&self) -> SocketAddr;
    /// See [`Stream::peer_addr`].
    fn peer_addr(&self) -> SocketAddr;
}

/// The door to the network.
#[derive(Clone)]
pub struct Net(Arc<dyn NetBackend>);

impl Net {
    /// Opens the door onto a twin.
    pub fn new(backend: impl NetBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Listens on `HOST:PORT`; port 0 takes a free one.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`, or what the operating system says, naming the address.
    pub async fn listen(&self, address: &str) -> io::Result<Listener> {
        self.0.listen(address).await
    }

    /// Connects to `HOST:PORT`, trying each address that the name has.
    ///
    /// # Errors
    /// `ConnectionRefused`; `TimedOut` when `timeout` passes first; what the resolver says.
    pub async fn connect(&self, address: &str, timeout: Duration) -> io::Result<Stream> {
        self.0.connect(address, timeout).await
    }
}

/// A listening socket, closed when dropped.
pub struct Listener(Box<dyn ListenerBackend>);

impl Listener {
    /// Wraps a twin's listener.
    pub fn new(backend: impl ListenerBackend + 'static) -> Self {
        Self(Box::new(backend))
    }

    /// The next connection. Cancel safe.
    ///
    /// # Errors
    /// What the operating system says; transient ones (too many open files) are worth a pause and
    /// another try.
    pub async fn accept(&self) -> io::Result<Stream> {
        self.0.accept().await
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr()
    }
}

/// A connection.
pub struct Stream(Box<dyn StreamBackend>);

impl Stream {
    /// Wraps a twin's stream.
    pub fn new(backend: impl StreamBackend + 'static) -> Self {
        Self(Box::new(backend))
    }

    /// This end's address.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.local_addr()
    }

    /// The other end's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.0.peer_addr()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(context)
    }
}
