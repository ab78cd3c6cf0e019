//! Where the trace of a run goes: lines of text, or a timeline when the file ends in `.html`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::RunnerError;
use crate::outcome::SeedOutcome;
use crate::recording::Recording;

/// A file that a trace goes to. Clones are the same file.
#[derive(Clone)]
pub(crate) struct Sink {
    path: PathBuf,
    /// Lines of events before that are left out, and then those a mark later.
    from: u64,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Lines(Arc<Mutex<BufWriter<File>>>),
    Page(Recording),
}

impl Sink {
    /// A sink that writes to `path`: all of the run, or, as lines, what lies within a mark from
    /// event `from` on.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub(crate) fn open(path: &Path, from: u64) -> Result<Self, RunnerError> {
        let page = path.extension().is_some_and(|ending| ending == "html");
        let form = if page {
            Form::Page(Recording::default())
        } else {
            let file = File::create(path)
                .map_err(|source| RunnerError::File { path: path.to_owned(), source })?;
            Form::Lines(Arc::new(Mutex::new(BufWriter::new(file))))
        };
        Ok(Self { path: path.to_owned(), from, form })
    }

    /// Takes in every event of a world from now on.
    pub(crate) fn watch(&self, world: &sim::World) {
        match &self.form {
            Form::Page(recording) => recording.watch(world),
            Form::Lines(lines) => {
                let lines = lines.clone();
                let window = match self.from {
                    0 => 0..=u64::MAX,
                    from => from..=from + sim::EVENTS_PER_MARK,
                };
                world.trace().watch(move |event| {
                    if !window.contains(&event.index) {
                        return;
                    }
                    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                    // A trace that cannot be written is told at the end, when it is flushed.
                    let _ = writeln!(lines, "{event}");
                });
            }
        }
    }

    /// Writes what is left to write, after the run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn close(self, outcome: &SeedOutcome) -> Result<(), RunnerError> {
        let written = match &self.form {
            Form::Page(recording) => std::fs::write(&self.path, recording.page(outcome)),
            Form::Lines(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).flush(),
        };
        written.map_err(|source| RunnerError::File { path: self.path, source })
    }
}
