//! One seed: its world, its plan, its phases, its verdict.

mod deletion;
mod director;
mod observer;
mod phases;
mod servers;
mod strike;
mod tell;
mod verdict;

use std::io::Write;
use std::sync::{Arc, Mutex};

use workloads::scenario::{self, Scenario};

use crate::cli::OneOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::outcome::SeedOutcome;

/// All scenarios.
pub(crate) fn scenarios() -> Vec<Scenario> {
    scenario::all()
}

/// The ids of all invariants.
pub(crate) fn invariant_ids() -> Vec<&'static str> {
    invariants::all().iter().map(|invariant| invariant.claim().id).collect()
}

/// Runs one seed in this process and prints its outcome as one line of JSON.
///
/// # Errors
/// When the scenario is unknown or the trace cannot be written.
pub(crate) fn one(options: &OneOptions) -> Result<bool, RunnerError> {
    let plan = entry::plan_of(&options.which.job())?;
    let (file, trace) = (options.which.file.clone(), options.trace.clone());
    // A fresh thread: madsim seeds the hash maps of a thread when they are first used there.
    let run = std::thread::spawn(move || {
        let world = sim::World::new(plan.seed);
        let sink = trace.as_deref().map(|path| watch_trace(&world, path)).transpose()?;
        let outcome = SeedOutcome { file, ..phases::run(&world, &plan) };
        if let Some(sink) = sink {
            world.trace().unwatch();
            let mut sink = sink.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            sink.flush()
                .map_err(|source| RunnerError::File { path: "the trace".into(), source })?;
        }
        Ok(outcome)
    });
    // A panic was printed by its thread, with the seed; the parent shows it.
    let outcome = run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let line = serde_json::to_string(&outcome).expect("an outcome is plain data");
    println!("{line}");
    Ok(outcome.passed())
}

type Sink = Arc<Mutex<std::io::BufWriter<std::fs::File>>>;

fn watch_trace(world: &sim::World, path: &std::path::Path) -> Result<Sink, RunnerError> {
    let file = std::fs::File::create(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })?;
    let sink: Sink = Arc::new(Mutex::new(std::io::BufWriter::new(file)));
    let lines = sink.clone();
    world.trace().watch(move |event| {
        let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A trace that cannot be written is told at the end, when it is flushed.
        let _ = writeln!(lines, "{event}");
    });
    Ok(sink)
}
