//! The fast path: the ordinary sends of one read, served inside the connection's own task.
//!
//! Headers are read in place, properties go through one buffer that is kept, bodies are copied
//! once, from the frame into the log, and all appends of a read happen under one lock. No task,
//! timer, lock or allocation is spent on a message. Whatever is unusual about a send (a topic not
//! seen yet, a queue left open, delay, transaction, batch, an illegal size, a full segment) stays
//! in `frames`: the ordinary path does the same, in full.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use message::{PhysicalOffset, SysFlag, property, topic};
use protocol::SerializeType;
use protocol::fast::{SendView, send_view};
use protocol::frame::Frame;
use remoting::{Connection, FastPath, Outbox};
use store::{Append, AppendError, QueueHandle};

use crate::admission;
use crate::commit;
use crate::owed::{Owed, OwedReplies, Ticket, answer_broken, answer_refused};
use crate::refusal::Refusal;
use crate::state::State;
use crate::{properties, put};

/// The flag of a request that asks for no answer.
const ONEWAY: i32 = 2;

/// Topics that one connection's cache keeps; a client that sends to more of them starts over.
const TARGETS_MAX: usize = 64;

/// Room for properties that is kept between reads, in bytes.
const ARENA_KEPT_MAX: usize = 1 << 20;

/// The fast path of one connection.
pub(crate) struct FastSend {
    state: Arc<State>,
    born_host: SocketAddr,
    store_host: SocketAddr,
    /// The topics this connection has sent to, as of `targets_at`.
    targets: Vec<Target>,
    /// The count of topic changes that `targets` are from.
    targets_at: u64,
    /// Stored properties of the messages at hand, one behind the other.
    arena: Vec<u8>,
    /// Where a header's escapes are undone.
    scratch: Vec<u8>,
    /// The sends of the read at hand that can be appended.
    prepared: Vec<Prepared>,
    /// The positions in `frames` of those that were, or were answered in another way.
    appended: Vec<usize>,
    owed: OwedReplies,
}

/// A topic that may be sent to, with the handles of its queues.
struct Target {
    topic: String,
    queues: Vec<Option<QueueHandle>>,
}

/// A send that passed every check, ready to be appended.
struct Prepared {
    /// Its position in `frames`, where its body is.
    frame: usize,
    /// Its position in `targets`.
    target: usize,
    queue_id: u32,
    opaque: i32,
    oneway: bool,
    no_wait: bool,
    serialize_type: SerializeType,
    message_flag: i32,
    sys_flag: SysFlag,
    born_timestamp: u64,
    reconsume_times: u32,
    /// Its stored properties, in `arena`.
    properties: Range<usize>,
}

impl Prepared {
    /// The queue that it goes to.
    fn queue<'a>(&self, targets: &'a [Target]) -> Option<&'a QueueHandle> {
        targets[self.target].queues.get(self.queue_id as usize)?.as_ref()
    }
}

impl FastSend {
    /// The fast path of `connection`.
    pub(crate) fn new(state: Arc<State>, connection: &Connection) -> Self {
        let store_host = state.store_host(connection.local_addr());
        Self {
            born_host: connection.peer_addr(),
            store_host,
            targets: Vec::new(),
            targets_at: 0,
            arena: Vec::new(),
            scratch: Vec::new(),
            prepared: Vec::new(),
            appended: Vec::new(),
            owed: OwedReplies::new(state.clone(), store_host),
            state,
        }
    }

    /// Forgets the cached topics when any topic has changed since.
    fn refresh(&mut self) {
        let changes = self.state.tables.topics_changed().reached();
        if changes != self.targets_at {
            self.targets.clear();
            self.targets_at = changes;
        }
    }

    /// Reads one frame; `None` leaves it to the ordinary path.
    fn prepare(&mut self, at: usize, frame: &Frame) -> Option<Prepared> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let prepared = send_view(frame, &mut scratch)
            .and_then(|view| self.prepare_view(at, frame.serialize_type, &view, frame.body.len()));
        self.scratch = scratch;
        prepared
    }

    fn prepare_view(
        &mut self,
        frame: usize,
        serialize_type: SerializeType,
        view: &SendView<'_>,
        body_len: usize,
    ) -> Option<Prepared> {
        if view.batch || body_len > self.state.config.body_size_max {
            return None;
        }
        let queue_id = u32::try_from(view.queue_id).ok()?;
        let target = self.target(view.topic, queue_id)?;
        let start = self.arena.len();
        let cluster = &self.state.config.cluster;
        let asked = properties::store_single(view.properties, cluster, &mut self.arena);
        let properties = start..self.arena.len();
        if properties.len() > property::LEN_MAX
            || admission::check_kind(asked, view.sys_flag).is_err()
        {
            self.arena.truncate(start);
            return None;
        }
        Some(Prepared {
            frame,
            target,
            queue_id,
            opaque: view.opaque,
            oneway: view.flag & ONEWAY != 0,
            no_wait: asked.no_wait,
            serialize_type,
            message_flag: view.message_flag,
            sys_flag: SysFlag(view.sys_flag as u32),
            born_timestamp: view.born_timestamp,
            reconsume_times: u32::try_from(view.reconsume_times).ok()?,
            properties,
        })
    }

    /// The cached topic that has this queue, cached now if it exists and may be sent to.
    fn target(&mut self, topic: &[u8], queue_id: u32) -> Option<usize> {
        let at = match self.targets.iter().position(|target| target.topic.as_bytes() == topic) {
            Some(at) => at,
            None => self.add_target(std::str::from_utf8(topic).ok()?)?,
        };
        let Target { topic, queues } = &mut self.targets[at];
        let slot = queues.get_mut(queue_id as usize)?;
        slot.get_or_insert_with(|| self.state.store.queue(topic, queue_id));
        Some(at)
    }

    fn add_target(&mut self, name: &str) -> Option<usize> {
        let config = self.state.tables.topic(name)?;
        if topic::is_retry(name)
            || admission::check_name(name).is_err()
            || admission::check_permission(&self.state.config, &config).is_err()
        {
            return None;
        }
        // Those prepared from this read name targets by position.
        if self.targets.len() >= TARGETS_MAX && self.prepared.is_empty() {
            self.targets.clear();
        }
        let queues = vec![None; admission::queue_nums(&config) as usize];
        self.targets.push(Target { topic: name.to_owned(), queues });
        Some(self.targets.len() - 1)
    }

    /// Appends what is prepared, all under one lock; what cannot be appended now is left.
    fn append(&mut self, frames: &[Frame], out: &mut Outbox) {
        let state = self.state.clone();
        let due = state.clock.monotonic() + state.sync_flush_timeout();
        self.prepared.iter().filter_map(|send| send.queue(&self.targets)).for_each(|it| it.touch());
        let admitted = state.store.admit();
        let mut appender = match admitted.and_then(|it| it.has_room(0).map(|()| it)) {
            Ok(appender) => appender,
            Err(busy @ AppendError::Busy { .. }) => return self.refuse(&put::refuse(&busy), out),
            // A store that has failed before is the ordinary path's to explain.
            Err(_) => return,
        };
        for send in &self.prepared {
            let Some(queue) = send.queue(&self.targets) else { continue };
            let place = appender.append(&Append {
                queue,
                flag: send.message_flag,
                sys_flag: send.sys_flag,
                born_timestamp: send.born_timestamp,
                born_host: self.born_host,
                store_host: self.store_host,
                reconsume_times: send.reconsume_times,
                prepared_transaction_offset: PhysicalOffset(0),
                body: &frames[send.frame].body,
                properties: &[&self.arena[send.properties.clone()]],
            });
            let place = match place {
                Ok(place) => Ok(place),
                // The disk failed in this write: some of it may be there.
                Err(AppendError::Poisoned(closed)) => Err(closed),
                Err(_) => break,
            };
            self.appended.push(send.frame);
            if send.oneway {
                continue;
            }
            let ticket = Ticket { opaque: send.opaque, serialize_type: send.serialize_type };
            match place {
                Ok(place) => {
                    let owed = Owed { place, ticket, queue_id: send.queue_id, due };
                    self.owed.owe(owed, send.no_wait, out);
                }
                Err(closed) => {
                    answer_broken(ticket, &closed, out);
                    break;
                }
            }
        }
    }

    /// Flow control: answers everything that is prepared, at once and without a task.
    fn refuse(&mut self, refusal: &Refusal, out: &mut Outbox) {
        for send in &self.prepared {
            self.appended.push(send.frame);
            if !send.oneway {
                let ticket = Ticket { opaque: send.opaque, serialize_type: send.serialize_type };
                answer_refused(ticket, refusal, out);
            }
        }
    }

    /// Takes the appended sends out of `frames`.
    fn take_out(&mut self, frames: &mut Vec<Frame>) {
        let mut appended = self.appended.drain(..).peekable();
        let mut at = 0;
        frames.retain(|_| {
            let taken = appended.next_if_eq(&at).is_some();
            at += 1;
            !taken
        });
    }
}

impl FastPath for FastSend {
    fn serve(&mut self, frames: &mut Vec<Frame>, out: &mut Outbox) {
        self.refresh();
        for (at, frame) in frames.iter().enumerate() {
            if let Some(prepared) = self.prepare(at, frame) {
                self.prepared.push(prepared);
            }
        }
        if !self.prepared.is_empty() {
            self.append(frames, out);
            self.prepared.clear();
            self.take_out(frames);
            self.arena.clear();
            self.arena.shrink_to(ARENA_KEPT_MAX);
            self.owed.answer_kept(out);
        }
        commit::take_in_order(&self.state, frames, out);
    }

    fn poll_owed(&mut self, context: &mut Context<'_>, out: &mut Outbox) -> Poll<()> {
        self.owed.poll(context, out)
    }

    fn unanswered(&self) -> usize {
        self.owed.len()
    }
}
