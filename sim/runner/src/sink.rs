//! Where the trace of a run goes: lines of text, or a timeline when the file ends in `.html`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::RunnerError;
use crate::outcome::SeedOutcome;
use crate::recording::Recording;

/// Where a trace goes that nobody reads.
pub(crate) const NOWHERE: &str = "/dev/null";

/// One event in so many is put into words when nobody reads them. A run is watched to show that it
/// changes nothing (X2): each event goes to the sink for that, and the words would be an eighth of
/// all that the run costs.
const SAMPLE: u64 = 16;

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
    /// Nobody reads it: only a sample is put into words, which are thrown away.
    Nowhere,
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
        } else if path == Path::new(NOWHERE) {
            Form::Nowhere
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
            Form::Nowhere => world.trace().watch(|event| {
                if event.index.is_multiple_of(SAMPLE) {
                    // What is thrown away cannot fail to be written.
                    let _ = write!(std::io::sink(), "{event}");
                }
            }),
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
            Form::Nowhere => Ok(()),
            Form::Page(recording) => std::fs::write(&self.path, recording.page(outcome)),
            Form::Lines(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).flush(),
        };
        written.map_err(|source| RunnerError::File { path: self.path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_needs_no_file() {
        let sink = Sink::open(Path::new(NOWHERE), 0).expect("nothing is opened");
        assert!(matches!(sink.form, Form::Nowhere));
        sink.close(&SeedOutcome::default()).expect("nothing is written");
    }
}
