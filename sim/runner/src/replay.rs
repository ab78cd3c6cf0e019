//! `cargo sim replay`: one seed again, byte for byte, and what happened in it.

use std::path::Path;

use crate::cli::ReplayOptions;
use crate::entry::Entry;
use crate::error::RunnerError;
use crate::failure;
use crate::process::{self, Job};
use crate::run::this_program;
use crate::schedule;

/// Runs the seed twice, shows the run, and says whether it passed.
///
/// # Errors
/// When the scenario or the entry is unknown, or a file cannot be written.
pub(crate) fn replay(options: &ReplayOptions) -> Result<bool, RunnerError> {
    let job = job(options)?;
    schedule::scenarios(std::slice::from_ref(&job.scenario))?;
    let program = this_program()?;
    let trace = std::env::temp_dir().join(format!(
        "hotfire-{}-{}-{}.trace",
        job.scenario,
        job.seed,
        std::process::id()
    ));
    let outcome = process::run(&program, &job, options.trace.then_some(trace.as_path()), &[]);
    if options.trace {
        show(&trace)?;
    }
    let again = process::run(&program, &job, None, &[]);
    if outcome.passed() {
        println!("seed {} of `{}` passed", job.seed, job.scenario);
        outcome.world.iter().for_each(|line| println!("  | {line}"));
        println!("  {} acknowledged, {} processed", outcome.acknowledged, outcome.processed);
        println!("  hash {}", outcome.hash);
    } else {
        print!("{}", failure::story(&outcome));
    }
    let same = again.hash == outcome.hash && again.passed() == outcome.passed();
    let verdict = if same { "the same hash" } else { "ANOTHER HISTORY: a bug of first rank" };
    println!("  again in another process: {verdict}");
    Ok(outcome.passed() && same)
}

fn job(options: &ReplayOptions) -> Result<Job, RunnerError> {
    if let Some(path) = &options.entry {
        let entry = Entry::read(path)?;
        return Ok(Job { scenario: entry.scenario, seed: entry.seed });
    }
    let scenario = options.scenario.clone().expect("clap requires it without an entry");
    Ok(Job { scenario, seed: options.seed.expect("clap requires it without an entry") })
}

fn show(trace: &Path) -> Result<(), RunnerError> {
    let file = |source| RunnerError::File { path: trace.to_owned(), source };
    let text = std::fs::read_to_string(trace).map_err(file)?;
    print!("{text}");
    std::fs::remove_file(trace).map_err(file)
}
