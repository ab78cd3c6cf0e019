//! One seed: its world, its plan, its phases, its verdict.

mod culprit;
mod deletion;
mod director;
mod observer;
mod phases;
mod servers;
mod strike;
mod tell;
mod verdict;

use workloads::scenario::{self, Scenario};

use crate::cli::OneOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::outcome::SeedOutcome;
use crate::sink::Sink;

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
    let (scenario, seed) = (plan.scenario.clone(), plan.seed);
    let sink = options.trace.as_deref().map(Sink::open).transpose()?;
    let listener = sink.clone();
    // A fresh thread: madsim seeds the hash maps of a thread when they are first used there.
    let run = std::thread::spawn(move || {
        let world = sim::World::new(plan.seed);
        if let Some(listener) = &listener {
            listener.watch(&world);
        }
        let outcome = phases::run(&world, &plan);
        // The end of the world is no event of the run.
        world.trace().unwatch();
        outcome
    });
    let (outcome, panic) = match run.join() {
        Ok(outcome) => (outcome, None),
        Err(panic) => {
            let details = "the run panicked; the trace ends there".to_owned();
            (SeedOutcome::crashed(&scenario, seed, details), Some(panic))
        }
    };
    let outcome = SeedOutcome { file: options.which.file.clone(), ..outcome };
    if let Some(sink) = sink {
        sink.close(&outcome)?;
    }
    if let Some(panic) = panic {
        // It was printed by its thread, with the seed; the parent shows it.
        std::panic::resume_unwind(panic);
    }
    let line = serde_json::to_string(&outcome).expect("an outcome is plain data");
    println!("{line}");
    Ok(outcome.passed())
}
