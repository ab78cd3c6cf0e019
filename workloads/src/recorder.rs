//! Where workloads note what they did and saw. Noting is all they do: verdicts are made elsewhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use invariants::history::What;

/// Tells true time in ms.
type TrueTime = dyn Fn() -> u64 + Send + Sync;

/// A notebook with a clock of true time. Clones are the same notebook, so that all clients of a
/// run write one history, in one order.
#[derive(Clone)]
pub struct Recorder {
    true_ms: Arc<TrueTime>,
    notes: Arc<Mutex<Vec<(u64, What)>>>,
}

impl Recorder {
    /// An empty notebook. `true_ms` tells true time in ms and never runs back: the simulator's
    /// own time, or any one clock on a real machine.
    pub fn new(true_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { true_ms: Arc::new(true_ms), notes: Arc::default() }
    }

    /// Notes what happened just now.
    pub fn record(&self, what: What) {
        let mut notes = self.notes();
        // Read under the lock, so that the notes are in order of their times.
        let at_ms = (self.true_ms)();
        notes.push((at_ms, what));
    }

    /// True time now, in ms.
    pub fn now_ms(&self) -> u64 {
        (self.true_ms)()
    }

    /// Takes everything noted since the last time, oldest first.
    pub fn take(&self) -> Vec<(u64, What)> {
        std::mem::take(&mut *self.notes())
    }

    fn notes(&self) -> MutexGuard<'_, Vec<(u64, What)>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
