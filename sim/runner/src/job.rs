//! Which run to start.

use std::path::PathBuf;

use sim_capsule::{Plan, draw};
use workloads::scenario;

use crate::error::RunnerError;

/// A run to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// Of a scenario and a seed.
    Seed {
        /// The scenario's name.
        scenario: String,
        /// The seed.
        seed: u64,
    },
    /// Of a file that holds a capsule, or a regression entry.
    Capsule(PathBuf),
}

impl Job {
    /// A scenario and a seed.
    pub(crate) fn seed(scenario: &str, seed: u64) -> Self {
        Job::Seed { scenario: scenario.to_owned(), seed }
    }

    /// What stands behind `cargo sim replay` for this run.
    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Job::Seed { scenario, seed } => {
                ["--scenario", scenario, "--seed", &seed.to_string()].map(str::to_owned).to_vec()
            }
            Job::Capsule(path) => vec![path.display().to_string()],
        }
    }
}

impl std::fmt::Display for Job {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Job::Seed { scenario, seed } => write!(to, "seed {seed} of `{scenario}`"),
            Job::Capsule(path) => write!(to, "{}", path.display()),
        }
    }
}

/// The plan that a seed makes of a scenario.
///
/// # Errors
/// When there is no such scenario.
pub(crate) fn draw(name: &str, seed: u64) -> Result<Plan, RunnerError> {
    match scenario::named(name) {
        Some(scenario) => Ok(draw::plan(&scenario, seed, &sim::root(seed).stream("plan"))),
        None => {
            let all = scenario::all();
            let known: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
            let known = known.join(", ");
            Err(RunnerError::UnknownScenario { name: name.to_owned(), known })
        }
    }
}
