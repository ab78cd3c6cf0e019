//! The completion queue of one connection: replies owed once the log is as durable as promised.
//!
//! Ordered by the end of the record, so that only its front need be looked at; woken by the
//! watermark, once per flush and not per message.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use message::message_id;
use protocol::fast::{SendReply, encode_send_reply};
use protocol::{RemotingCommand, RequestCode, ResponseCode, SerializeType};
use remoting::Outbox;
use runtime::sync::{Closed, Wait};
use runtime::{Boxed, Monotonic};
use store::Appended;

use crate::completion;
use crate::refusal::Refusal;
use crate::state::State;

/// Replies given at one go, so that they can be written in between.
const BATCH_MAX: usize = 1024;

/// What of a request its answer must match.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) opaque: i32,
    pub(crate) serialize_type: SerializeType,
}

/// One reply owed.
#[derive(Clone, Copy)]
pub(crate) struct Owed {
    /// Where the message is.
    pub(crate) place: Appended,
    pub(crate) ticket: Ticket,
    pub(crate) queue_id: u32,
    /// When it is answered FLUSH_DISK_TIMEOUT.
    pub(crate) due: Monotonic,
}

/// The queue.
pub(crate) struct OwedReplies {
    state: Arc<State>,
    store_host: SocketAddr,
    queue: VecDeque<Owed>,
    /// The wait for the front's end, and that end.
    wait: Option<(u64, Wait)>,
    /// Fires at the due time of what was the front when it was set, or of a later front.
    timer: Option<Boxed<'static, ()>>,
}

impl OwedReplies {
    /// Nothing owed; message ids will name `store_host`.
    pub(crate) fn new(state: Arc<State>, store_host: SocketAddr) -> Self {
        Self { state, store_host, queue: VecDeque::new(), wait: None, timer: None }
    }

    /// How many are owed.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Owes a reply; one that needs no promise is given at once.
    pub(crate) fn owe(&mut self, owed: Owed, no_wait: bool, out: &mut Outbox) {
        if no_wait {
            self.put(&owed, ResponseCode::SUCCESS, out);
        } else {
            let in_order = self.queue.back().is_none_or(|last| last.place.end < owed.place.end);
            assert!(in_order, "only the front is looked at, so the queue is ordered by end");
            self.queue.push_back(owed);
        }
    }

    /// Gives the replies whose promise holds, as many as go at once; whether there were any.
    pub(crate) fn answer_kept(&mut self, out: &mut Outbox) -> bool {
        let state = self.state.clone();
        self.answer_while(ResponseCode::SUCCESS, out, |owed| {
            completion::is_kept(owed.place.end, state.store.promised())
        })
    }

    /// As `remoting::FastPath::poll_owed`.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, out: &mut Outbox) -> Poll<()> {
        loop {
            if self.answer_kept(out) {
                return Poll::Ready(());
            }
            let Some(front) = self.queue.front().copied() else {
                self.wait = None;
                return Poll::Pending;
            };
            match self.poll_wait(front.place.end, context) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(closed)) => {
                    self.answer_all_broken(&closed, out);
                    return Poll::Ready(());
                }
                Poll::Pending => {}
            }
            return self.poll_timer(front.due, context, out);
        }
    }

    fn poll_wait(&mut self, end: u64, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let held = self.wait.take().filter(|(target, _)| *target == end);
        let (_, mut wait) = held.unwrap_or_else(|| (end, self.state.store.promised().wait(end)));
        let polled = Pin::new(&mut wait).poll(context);
        if polled.is_pending() {
            self.wait = Some((end, wait));
        }
        polled
    }

    fn poll_timer(
        &mut self,
        due: Monotonic,
        context: &mut Context<'_>,
        out: &mut Outbox,
    ) -> Poll<()> {
        let mut due = due;
        loop {
            let clock = &self.state.clock;
            let timer = self.timer.get_or_insert_with(|| clock.sleep_until(due));
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
            let now = self.state.clock.monotonic();
            if self.answer_while(ResponseCode::FLUSH_DISK_TIMEOUT, out, |owed| owed.due <= now) {
                runtime::sometimes!("broker: a fast send was not flushed in time");
                return Poll::Ready(());
            }
            // The timer was an earlier front's; this one's time has not come.
            due = self.queue.front().map_or(due, |front| front.due);
        }
    }

    /// Gives `code` to those at the front that `is_due` names; whether there were any.
    fn answer_while(
        &mut self,
        code: ResponseCode,
        out: &mut Outbox,
        is_due: impl Fn(&Owed) -> bool,
    ) -> bool {
        let mut given = 0;
        while given < BATCH_MAX
            && let Some(owed) = self.queue.pop_front_if(|owed| is_due(owed))
        {
            self.put(&owed, code, out);
            given += 1;
        }
        given > 0
    }

    /// The store has failed: nothing in the queue will ever be known to be kept.
    fn answer_all_broken(&mut self, closed: &Closed, out: &mut Outbox) {
        for owed in self.queue.drain(..) {
            answer_broken(owed.ticket, closed, out);
        }
    }

    fn put(&self, owed: &Owed, code: ResponseCode, out: &mut Outbox) {
        let mut id = [0; message_id::LEN_MAX];
        let reply = SendReply {
            opaque: owed.ticket.opaque,
            serialize_type: owed.ticket.serialize_type,
            code,
            message_id: message_id::write(self.store_host, owed.place.physical, &mut id),
            queue_id: owed.queue_id,
            queue_offset: owed.place.queue_offset.0,
            region: &self.state.config.region,
            trace_on: self.state.config.trace_on,
        };
        encode_send_reply(&reply, out.buffer());
    }
}

/// Answers a message that was appended, or half of it, before the store failed.
pub(crate) fn answer_broken(ticket: Ticket, closed: &Closed, out: &mut Outbox) {
    answer_refused(ticket, &completion::broken(&closed.reason), out);
}

/// Answers a send with a refusal.
pub(crate) fn answer_refused(ticket: Ticket, refusal: &Refusal, out: &mut Outbox) {
    let request = RemotingCommand {
        opaque: ticket.opaque,
        serialize_type: ticket.serialize_type,
        ..RemotingCommand::request_without_header(RequestCode::SEND_MESSAGE_V2)
    };
    // A remark of some hundred bytes fits any frame.
    let _ = out.push_command(&refusal.reply_to(&request), Vec::new());
}
