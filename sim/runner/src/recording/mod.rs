//! A run as a record for the timeline: what the trace says, made into lanes, arrows and bands.
//!
//! Here, and not in `sim`, somebody knows what the bytes on a connection mean; here, and not in
//! `timeline`, somebody knows what the kinds of events mean.

mod bands;
mod build;
mod frames;
mod words;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::build::Build;
use crate::outcome::SeedOutcome;

/// Records a run while it goes on. Clones are the same recording.
#[derive(Clone, Default)]
pub(crate) struct Recording(Arc<Mutex<Build>>);

impl Recording {
    /// Takes in every event of a world from now on.
    pub(crate) fn watch(&self, world: &sim::World) {
        let recording = self.clone();
        world.trace().watch(move |event| recording.build().take(event));
    }

    /// The page that shows the run with this outcome.
    pub(crate) fn page(&self, outcome: &SeedOutcome) -> String {
        let build = std::mem::take(&mut *self.build());
        timeline::page(&build.finish(outcome))
    }

    fn build(&self) -> MutexGuard<'_, Build> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
