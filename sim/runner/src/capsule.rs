//! `cargo sim capsule`: a run, written down.

use sim_capsule::{Capsule, Expected, Plan};

use crate::cli::CapsuleOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::host::{this_program, write};
use crate::outcome::SeedOutcome;
use crate::process;

/// The commit that was built, if the build was told.
const COMMIT: Option<&str> = option_env!("HOTFIRE_COMMIT");

/// Runs the job, and writes what it was and what came of it.
///
/// # Errors
/// When there is no such run or the file cannot be written.
pub(crate) fn write_down(options: &CapsuleOptions) -> Result<bool, RunnerError> {
    let job = options.which.job();
    let plan = entry::plan_of(&job)?;
    let outcome = process::run(&this_program()?, &job, None, &[]);
    let capsule = of(plan, &outcome);
    write(&options.output, &capsule.text())?;
    let (path, events) = (options.output.display(), outcome.events);
    println!("{path}: {job}, {events} events, hash {}", outcome.hash);
    Ok(true)
}

/// The capsule of a plan and its outcome.
pub(crate) fn of(plan: Plan, outcome: &SeedOutcome) -> Capsule {
    let (hash, events) = (outcome.hash.clone(), outcome.events);
    let expected = Expected { hash, events, fingerprint: outcome.fingerprint() };
    Capsule::new(COMMIT.unwrap_or_default(), expected, plan)
}
