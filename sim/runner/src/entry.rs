//! A regression entry: a run that once failed, with its story, in `seeds/`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sim_capsule::{Capsule, Expected, Plan};

use crate::error::RunnerError;
use crate::job::{self, Job};

/// What is kept of a failure that was fixed. The run is a scenario and a seed, or a capsule, which
/// stays the same run when scenarios or generators change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// One line.
    #[expect(dead_code, reason = "for the reader of the file; required so that it is written")]
    pub(crate) title: String,
    /// Three sentences: what happened, why, what was changed.
    #[expect(dead_code, reason = "for the reader of the file; required so that it is written")]
    pub(crate) story: String,
    /// The scenario's name.
    scenario: Option<String>,
    /// The seed.
    seed: Option<u64>,
    /// The run, instead of scenario and seed.
    capsule: Option<Capsule>,
    /// The invariant that was broken.
    pub(crate) invariant: String,
    /// The mutant that brings the bug back, if there is one.
    pub(crate) mutant: Option<String>,
}

impl Entry {
    /// Reads one entry.
    ///
    /// # Errors
    /// When the file cannot be read or is not an entry.
    pub(crate) fn read(path: &Path) -> Result<Self, RunnerError> {
        toml::from_str(&read(path)?).map_err(|error| malformed(path, error.to_string()))
    }

    fn capsule(self, path: &Path) -> Result<Capsule, RunnerError> {
        match (self.capsule, self.scenario, self.seed) {
            (Some(capsule), None, None) => Ok(capsule),
            (None, Some(scenario), Some(seed)) => {
                Ok(Capsule::new("", Expected::default(), job::draw(&scenario, seed)?))
            }
            _ => Err(malformed(path, "it needs a scenario and a seed, or a capsule".to_owned())),
        }
    }
}

/// The plan of a run: from its file, or drawn from its scenario and its seed.
///
/// # Errors
/// When there is no such scenario or the file holds no capsule.
pub(crate) fn plan_of(job: &Job) -> Result<Plan, RunnerError> {
    match job {
        Job::Capsule(path) => Ok(capsule(path)?.plan),
        Job::Seed { scenario, seed } => job::draw(scenario, *seed),
    }
}

/// The capsule in a file, which holds nothing else or is an entry.
///
/// # Errors
/// When the file cannot be read or is neither.
pub(crate) fn capsule(path: &Path) -> Result<Capsule, RunnerError> {
    let text = read(path)?;
    // Not by `toml::Table`: it knows no numbers above 2⁶³.
    let head: Head = toml::from_str(&text).map_err(|error| malformed(path, error.to_string()))?;
    if head.story.is_some() {
        return Entry::read(path)?.capsule(path);
    }
    Capsule::parse(&text).map_err(|error| malformed(path, error.to_string()))
}

/// What tells an entry from a capsule.
#[derive(Deserialize)]
struct Head {
    story: Option<serde::de::IgnoredAny>,
}

/// Every entry below `dir`, by path.
///
/// # Errors
/// When one cannot be read or is not an entry.
pub(crate) fn all(dir: &Path) -> Result<Vec<(PathBuf, Entry)>, RunnerError> {
    let mut entries = Vec::new();
    for path in toml_files(dir) {
        let entry = Entry::read(&path)?;
        entries.push((path, entry));
    }
    Ok(entries)
}

/// The TOML files below a directory, sorted; none if there is no such directory.
pub(crate) fn toml_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut files = Vec::new();
    for path in listing.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(toml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> Result<String, RunnerError> {
    std::fs::read_to_string(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })
}

fn malformed(path: &Path, problem: String) -> RunnerError {
    RunnerError::Malformed { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_in_the_house_holds_a_run() {
        for (path, _) in all(&crate::scratch::workspace_root().join("seeds")).expect("they parse") {
            assert!(!capsule(&path).expect("it holds a run").plan.nodes().is_empty());
        }
    }
}
