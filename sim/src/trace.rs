//! What happened, as a rolling hash and, on demand, as lines.
//!
//! Every event of the world feeds the hash: its time, its node, its kind and two numbers. Two runs
//! with the same hash had the same history. A sink sees a line for each event; it draws no
//! randomness and changes nothing, so the hash is the same with it and without.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::node::Node;

/// Takes the lines of a trace.
type Sink = Box<dyn FnMut(&str) + Send>;

/// The trace of a world. Clones are the same trace.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<State>>);

struct State {
    lanes: [u64; 2],
    events: u64,
    sink: Option<Sink>,
}

impl Default for State {
    fn default() -> Self {
        Self { lanes: [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03], events: 0, sink: None }
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

    /// Sends a line for each event from now on to `sink`, which must not touch the world.
    pub fn watch(&self, sink: impl FnMut(&str) + Send + 'static) {
        self.state().sink = Some(Box::new(sink));
    }

    /// Ends [`Trace::watch`].
    pub fn unwatch(&self) {
        self.state().sink = None;
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
        if let Some(sink) = &mut state.sink {
            let name = node.map_or("world", Node::name);
            let [first, second] = event.numbers;
            let (secs, micros) = (at.as_secs(), at.subsec_micros());
            let (what, detail) = (event.what, event.detail);
            sink(&format!("{secs:>6}.{micros:06} {name:<12} {what} {first} {second} {detail}"));
        }
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
}

/// One thing that happened.
pub(crate) struct Event<'a> {
    /// Its kind.
    pub(crate) what: &'static str,
    /// What the hash takes besides; their meaning is the kind's.
    pub(crate) numbers: [u64; 2],
    /// For the line only.
    pub(crate) detail: fmt::Arguments<'a>,
}
