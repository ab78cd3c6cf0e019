//! Where workloads note what they did and saw. Noting is all they do: verdicts are made elsewhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use invariants::history::What;

/// Tells true time in ms.
type TrueTime = dyn Fn() -> u64 + Send + Sync;

/// Is shown each note when it is taken: who made it, its place among all, and what it says.
type Listener = dyn Fn(&str, usize, &What) + Send + Sync;

/// A notebook with a clock of true time. Clones are the same notebook, so that all clients of a
/// run write one history, in one order.
#[derive(Clone)]
pub struct Recorder {
    true_ms: Arc<TrueTime>,
    notes: Arc<Mutex<Notes>>,
    listener: Option<Arc<Listener>>,
    /// Whose hand holds this clone.
    who: Arc<str>,
}

#[derive(Default)]
struct Notes {
    /// How many were taken away already.
    taken: usize,
    fresh: Vec<(u64, What)>,
}

impl Recorder {
    /// An empty notebook. `true_ms` tells true time in ms and never runs back: the simulator's
    /// own time, or any one clock on a real machine.
    pub fn new(true_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let (true_ms, notes) = (Arc::new(true_ms), Arc::default());
        Self { true_ms, notes, listener: None, who: Arc::from("") }
    }

    /// The same notebook, with somebody who looks over the writers' shoulders: a trace. It must not
    /// write itself.
    #[must_use]
    pub fn overheard(self, listener: impl Fn(&str, usize, &What) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), ..self }
    }

    /// The same notebook in the hand of a client, by the name of its node.
    #[must_use]
    pub fn held_by(&self, who: &str) -> Self {
        Self { who: Arc::from(who), ..self.clone() }
    }

    /// Notes what happened just now.
    pub fn record(&self, what: What) {
        let mut notes = self.notes();
        if let Some(listener) = &self.listener {
            listener(&self.who, notes.taken + notes.fresh.len(), &what);
        }
        // Read under the lock, so that the notes are in order of their times.
        let at_ms = (self.true_ms)();
        notes.fresh.push((at_ms, what));
    }

    /// True time now, in ms.
    pub fn now_ms(&self) -> u64 {
        (self.true_ms)()
    }

    /// Takes everything noted since the last time, oldest first.
    pub fn take(&self) -> Vec<(u64, What)> {
        let mut notes = self.notes();
        let fresh = std::mem::take(&mut notes.fresh);
        notes.taken += fresh.len();
        fresh
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
