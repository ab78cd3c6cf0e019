//! What happened, as a rolling hash and, on demand, as a stream of events.
//!
//! Every event of the world feeds the hash: its time, its node, its kind and two numbers. Two runs
//! with the same hash had the same history. A sink sees each event whole; it draws no randomness
//! and changes nothing, so the hash is the same with it and without. What nobody listens to is
//! never put into words.
//!
//! Whoever watches a run may add *notes*: what a client did, which property was broken. They go to
//! the sink between the events and never into the hash.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::node::Node;

/// Takes the events of a trace.
type Sink = Box<dyn FnMut(&TraceEvent<'_>) + Send>;

/// One thing that happened.
pub struct TraceEvent<'a> {
    /// Its place among the world's events, from 1; a note has the place of the event before it.
    pub index: u64,
    /// When, in true time since the world began.
    pub at: Duration,
    /// Where; `None` is the world itself.
    pub node: Option<&'a Node>,
    /// Its kind, such as `kill`, `write` or `send`.
    pub what: &'static str,
    /// What the hash takes besides; their meaning is the kind's.
    pub numbers: [u64; 2],
    /// For the eye: a path, a peer, a unit.
    pub detail: fmt::Arguments<'a>,
    /// What else is known of it.
    pub aspect: Aspect<'a>,
}

/// What is known of an event besides its kind and its numbers.
#[derive(Clone, Copy)]
pub enum Aspect<'a> {
    /// Nothing more.
    Plain,
    /// Bytes went into a connection or came out of it.
    Passage(Passage<'a>),
    /// No event of the world: somebody who watches it said so.
    Note,
}

/// Bytes at one end of a connection.
#[derive(Clone, Copy)]
pub struct Passage<'a> {
    /// The connection's number in the world.
    pub connection: u64,
    /// Which end: 0 connected, 1 accepted.
    pub end: usize,
    /// The node at the other end.
    pub peer: &'a Node,
    /// The bytes, in the order in which the other end will read them, or has sent them.
    pub bytes: &'a [u8],
}

impl fmt::Display for TraceEvent<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.node.map_or("world", Node::name);
        let (secs, micros) = (self.at.as_secs(), self.at.subsec_micros());
        let (what, [first, second], detail) = (self.what, self.numbers, self.detail);
        write!(to, "{secs:>6}.{micros:06} {name:<12} {what} {first} {second} {detail}")
    }
}

/// The trace of a world. Clones are the same trace.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<State>>);

struct State {
    lanes: [u64; 2],
    events: u64,
    /// The hash after every so many events.
    marks: Vec<u64>,
    /// The most events that there may be.
    events_max: u64,
    sink: Option<Sink>,
}

/// After so many events the hash is kept, so that two histories can be compared mark by mark.
pub const EVENTS_PER_MARK: u64 = 1_024;

impl Default for State {
    fn default() -> Self {
        Self {
            lanes: [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03],
            events: 0,
            marks: Vec::new(),
            events_max: u64::MAX,
            sink: None,
        }
    }
}

impl Trace {
    /// The hash of everything that has happened so far.
    pub fn hash(&self) -> u128 {
        let [high, low] = self.state().lanes;
        (u128::from(high) << 64) | u128::from(low)
    }

    /// How many events have happened so far.
    pub fn events(&self) -> u64 {
        self.state().events
    }

    /// The hash after each [`EVENTS_PER_MARK`] events, folded: two histories that agree in one of
    /// them agree up to there.
    pub fn marks(&self) -> Vec<u64> {
        self.state().marks.clone()
    }

    /// Lets the world have so many more events and no more: a run is bounded in steps, not only in
    /// time, because a loop that never sleeps takes none.
    pub fn allow(&self, events: u64) {
        let mut state = self.state();
        state.events_max = state.events.saturating_add(events);
    }

    /// Hands every event from now on to `sink`, which must not touch the world.
    pub fn watch(&self, sink: impl FnMut(&TraceEvent<'_>) + Send + 'static) {
        self.state().sink = Some(Box::new(sink));
    }

    /// Ends [`Trace::watch`].
    pub fn unwatch(&self) {
        self.state().sink = None;
    }

    /// Whether anybody listens: only then a note is worth its words.
    pub fn is_watched(&self) -> bool {
        self.state().sink.is_some()
    }

    pub(crate) fn record(&self, at: Duration, node: Option<&Node>, event: Event<'_>) {
        let mut state = self.state();
        state.events += 1;
        state.mix(at.as_nanos() as u64);
        state.mix(node.map_or(0, |node| u64::from(node.index())));
        for chunk in event.what.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state.mix(u64::from_le_bytes(word));
        }
        state.mix(event.numbers[0]);
        state.mix(event.numbers[1]);
        if state.events.is_multiple_of(EVENTS_PER_MARK) {
            let [high, low] = state.lanes;
            state.marks.push(high ^ low.rotate_left(32));
        }
        let (what, is_over) = (event.what, state.events == state.events_max);
        state.tell(at, node, event);
        drop(state);
        // Once: what unwinds from here still records events.
        assert!(!is_over, "no end after all the events that it may have; the last is `{what}`");
    }

    /// Tells the sink, and only the sink, what somebody who watches the world has to say.
    pub(crate) fn note(&self, at: Duration, node: Option<&Node>, event: Event<'_>) {
        self.state().tell(at, node, event);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Folds a word into both lanes by multiplication, each with a constant of its own.
    fn mix(&mut self, word: u64) {
        let [high, low] = &mut self.lanes;
        *high = (*high ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25).rotate_left(29);
        *low = (low.rotate_left(17) ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (*high >> 31);
    }

    fn tell(&mut self, at: Duration, node: Option<&Node>, event: Event<'_>) {
        let index = self.events;
        if let Some(sink) = &mut self.sink {
            let Event { what, numbers, detail, aspect } = event;
            sink(&TraceEvent { index, at, node, what, numbers, detail, aspect });
        }
    }
}

/// What the doors say of an event; its time and its node are the ground's to add.
pub(crate) struct Event<'a> {
    /// Its kind.
    pub(crate) what: &'static str,
    /// What the hash takes besides; their meaning is the kind's.
    pub(crate) numbers: [u64; 2],
    /// For the sink only.
    pub(crate) detail: fmt::Arguments<'a>,
    /// For the sink only.
    pub(crate) aspect: Aspect<'a>,
}
