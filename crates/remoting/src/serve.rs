//! What answers requests: a service, and the fast path that lives in a connection's task.

use std::task::{Context, Poll};

use protocol::RemotingCommand;
use protocol::frame::Frame;
use runtime::Boxed;

use crate::connection::Connection;
use crate::outbox::Outbox;
use crate::reply::Reply;

/// Serves the requests of every connection of a [`Server`](crate::Server), or those that peers
/// send to a [`Client`](crate::Client).
///
/// For one connection: `opened` first, then `fast_path`, then `serve` any number of times, `closed`
/// last and once. `closed` is not called when the whole node dies. A `serve` that is under way when
/// the connection ends runs to its end (its answer goes nowhere); one that suspends for long should
/// watch [`Connection::closed`].
pub trait Service: Send + Sync + 'static {
    /// A connection stands.
    fn opened(&self, _connection: &Connection) {}

    /// The fast path of this connection, if it is to have one.
    fn fast_path(&self, _connection: &Connection) -> Option<Box<dyn FastPath>> {
        None
    }

    /// One request on the ordinary path, run in a task of its own. `None`: nothing is answered
    /// (or it is answered elsewhere). The answer to a oneway request is dropped. Requests of one
    /// connection run concurrently and are answered in any order.
    fn serve(
        &self,
        connection: Connection,
        request: RemotingCommand,
    ) -> Boxed<'static, Option<Reply>>;

    /// The connection is gone. Its pending requests have failed already.
    fn closed(&self, _connection: &Connection) {}
}

/// Serves whole batches of requests inside the connection's own task: it never waits, and it costs
/// no task, channel or timer per message.
pub trait FastPath: Send {
    /// All complete frames of one read, oldest first, not looked into yet: there may be answers
    /// among them, which it must leave. Takes out the requests it serves and leaves the others, in
    /// their order, to the ordinary path. Replies that are owed at once go to `out`; those owed
    /// later come from [`FastPath::poll_owed`].
    fn serve(&mut self, frames: &mut Vec<Frame>, out: &mut Outbox);

    /// Puts replies that have become owed into `out` and returns `Ready`, or returns `Pending` when
    /// there is none and the waker is registered. Called again after each `Ready`. What it puts
    /// in at one time should be bounded: writing happens between two calls.
    fn poll_owed(&mut self, context: &mut Context<'_>, out: &mut Outbox) -> Poll<()>;

    /// Requests accepted and not yet answered. Above a bound the connection stops reading, and
    /// shutdown waits for it to become 0.
    fn unanswered(&self) -> usize;

    /// The *response* frames that [`FastPath::serve`] left of one read, oldest first. Takes out
    /// those that answer requests which it wrote itself (through `out`); the others go to those who
    /// wait in [`Connection::request`]. For a client that pipelines: by default it takes none.
    fn answers(&mut self, _frames: &mut Vec<Frame>) {}
}
