//! Several seeds at a time, their outcomes handed over one by one as they come.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::process;

/// Runs all jobs, `width` at a time. `on_outcome` returns false to stop early.
pub(crate) fn run_all(
    program: &Path,
    jobs: &[Job],
    width: usize,
    mut on_outcome: impl FnMut(SeedOutcome) -> bool,
) {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (sender, outcomes) = mpsc::channel();
        for _ in 0..width.max(1) {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                while !stop.load(Ordering::Relaxed) {
                    let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    if sender.send(process::run(program, job, None, &[])).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for outcome in outcomes {
            if !on_outcome(outcome) {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
    });
}

/// How many processes at a time, unless the caller said: one per processor.
pub(crate) fn width(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
