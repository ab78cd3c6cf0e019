//! `cargo sim replay`: one seed again, byte for byte, and what happened in it.

use std::path::Path;

use crate::cli::ReplayOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::failure;
use crate::host::this_program;
use crate::process;

/// Runs the seed three times, shows the run, and says whether it passed.
///
/// # Errors
/// When the scenario or the entry is unknown, or a file cannot be written.
pub(crate) fn replay(options: &ReplayOptions) -> Result<bool, RunnerError> {
    let job = options.which.job();
    // What is wrong with the name or the file is said here, not by a child.
    entry::plan_of(&job)?;
    let program = this_program()?;
    let trace = std::env::temp_dir().join(format!("hotfire-{}.trace", std::process::id()));
    let outcome = process::run(&program, &job, options.trace.then_some(trace.as_path()), &[]);
    if options.trace {
        show(&trace)?;
    }
    let same = failure::verify(&outcome, &program);
    if outcome.passed() {
        println!("{job} passed");
        outcome.world.iter().for_each(|line| println!("  | {line}"));
        println!("  {} acknowledged, {} processed", outcome.acknowledged, outcome.processed);
        println!("  hash {}", outcome.hash);
    } else {
        failure::story(&outcome, Some(same), None).iter().for_each(|line| println!("{line}"));
    }
    let verdict = if same { "the same hash" } else { "ANOTHER HISTORY: a bug of first rank" };
    println!("  again in two other processes: {verdict}");
    Ok(outcome.passed() && same)
}

fn show(trace: &Path) -> Result<(), RunnerError> {
    let file = |source| RunnerError::File { path: trace.to_owned(), source };
    let text = std::fs::read_to_string(trace).map_err(file)?;
    print!("{text}");
    std::fs::remove_file(trace).map_err(file)
}
