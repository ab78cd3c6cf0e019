//! `cargo sim mutants`: a bug is put into a copy of the product; an invariant must see it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::MutantOptions;
use crate::entry::{self, toml_files};
use crate::error::RunnerError;
use crate::host::{progress, write};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::schedule;
use crate::score::{self, SHELVES, Verdict};
use crate::scratch::{Edit, Scratch, workspace_root};
use crate::twice;

/// A bug as data.
#[derive(Debug, Deserialize)]
struct Mutant {
    /// The file of the product, from the workspace's root.
    file: PathBuf,
    /// What to change there.
    #[serde(flatten)]
    edit: Edit,
    /// What else to change there, when one place alone would not be the bug.
    #[serde(default)]
    also: Vec<Edit>,
    /// The invariants that may kill it; any failure does if none is named.
    #[serde(default)]
    kills: Vec<String>,
    /// The scenario in which it must die; the gate's mix of all of them if none is named.
    scenario: Option<String>,
    /// Seeds within which it must die.
    budget: u64,
    /// The first seed to try.
    #[serde(default = "one")]
    from: u64,
    /// Where such a bug was seen, or why it is plausible.
    source: String,
}

impl Mutant {
    /// The runner with this bug in the product.
    fn build(&self, scratch: &Scratch, name: &str) -> Result<PathBuf, RunnerError> {
        let edits: Vec<&Edit> = std::iter::once(&self.edit).chain(&self.also).collect();
        scratch.build_with(name, &self.file, &edits)
    }

    /// The runs in which it must die.
    fn jobs(&self) -> Result<Vec<Job>, RunnerError> {
        match &self.scenario {
            None => schedule::mix(self.from, self.budget),
            Some(scenario) => {
                let seeds = self.from..self.from + self.budget;
                Ok(seeds.map(|seed| Job::seed(scenario, seed)).collect())
            }
        }
    }

    /// Before anything was tried.
    fn verdict(&self, name: &str) -> Verdict {
        let (source, budget) = (self.source.clone(), self.budget);
        Verdict { name: name.to_owned(), source, killed: None, budget, builds: true }
    }
}

/// A runner with a bug in the product, and where it shows.
pub(crate) struct Built {
    /// The mutant's name.
    pub(crate) name: String,
    /// The runner.
    pub(crate) program: PathBuf,
    /// The scenario in which it dies.
    pub(crate) scenario: String,
    /// The first seed to try.
    pub(crate) from: u64,
    /// Seeds within which it must die.
    pub(crate) budget: u64,
}

/// The runner with the bug in the product whose file's name begins with `id`; with `kept`, the one
/// that was built the last time, if there is one.
///
/// # Errors
/// When there is no such mutant, or it is malformed or does not build.
pub(crate) fn build(
    scratch: &Scratch,
    root: &Path,
    (id, kept): (&str, bool),
) -> Result<Built, RunnerError> {
    let mut chosen = chosen(&root.join(SHELVES[0].dir), &[id.to_owned()])?;
    let (name, mutant) = chosen.swap_remove(0);
    let program = match scratch.runner(&name) {
        runner if kept && runner.exists() => runner,
        _ => mutant.build(scratch, &name)?,
    };
    let Mutant { scenario, from, budget, .. } = mutant;
    Ok(Built { name, program, scenario: scenario.unwrap_or_default(), from, budget })
}

fn one() -> u64 {
    1
}

/// Tries every mutant and says whether all died. Each verdict is told, and stands in the table, as
/// soon as it is known: the whole matrix takes long.
///
/// # Errors
/// When a mutant's file is malformed.
pub(crate) fn run(options: &MutantOptions) -> Result<bool, RunnerError> {
    let root = workspace_root();
    let shelf = if options.fresh { &SHELVES[1] } else { &SHELVES[0] };
    let mut chosen = chosen(&root.join(shelf.dir), &options.only)?;
    if let Some((k, n)) = options.shard {
        let mut number = 0;
        chosen.retain(|_| {
            number += 1;
            number % n == k % n
        });
    }
    let scratch = Scratch::new(&root)?;
    let (mut killed, mut tried) = (0, 0);
    for (name, mutant) in chosen {
        let regressions = regressions(&root, &name)?;
        eprintln!("{name}: building");
        // One that does not fit the tree any more is a failure, and no reason to leave the others
        // untried.
        let verdict = match mutant.build(&scratch, &name) {
            Ok(program) if options.build => {
                println!("{}", program.display());
                continue;
            }
            Ok(program) => hunt(&program, &name, &mutant, &regressions)?,
            Err(error) => {
                eprintln!("{error}");
                Verdict { builds: false, ..mutant.verdict(&name) }
            }
        };
        println!("{}", verdict.line());
        tried += 1;
        killed += usize::from(verdict.killed.is_some());
        if let Some(path) = &options.table {
            let old = std::fs::read_to_string(path).unwrap_or_default();
            write(path, &score::markdown(&old, &names(&root), &verdict))?;
        }
    }
    println!("{killed} passed, {} failed", tried - killed);
    Ok(killed == tried)
}

fn chosen(dir: &Path, only: &[String]) -> Result<Vec<(String, Mutant)>, RunnerError> {
    let mut mutants = Vec::new();
    for path in toml_files(dir) {
        let name = name_of(&path);
        if !only.is_empty() && !only.iter().any(|prefix| name.starts_with(prefix.as_str())) {
            continue;
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|source| RunnerError::File { path: path.clone(), source })?;
        let mutant = toml::from_str(&text)
            .map_err(|error| RunnerError::Malformed { path, problem: error.to_string() })?;
        mutants.push((name, mutant));
    }
    if mutants.is_empty() {
        let problem = "no mutant has such a name".to_owned();
        return Err(RunnerError::Malformed { path: dir.to_owned(), problem });
    }
    Ok(mutants)
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The names of all mutants, shelf by shelf.
pub(crate) fn names(root: &Path) -> Vec<Vec<String>> {
    let of = |dir| toml_files(&root.join(dir)).iter().map(|path| name_of(path)).collect();
    SHELVES.iter().map(|shelf| of(shelf.dir)).collect()
}

/// The seeds in `seeds/` that say they kill this mutant.
fn regressions(root: &Path, name: &str) -> Result<Vec<Job>, RunnerError> {
    let entries = entry::all(&root.join("seeds"))?;
    let of = |mutant: &Option<String>| mutant.as_ref().is_some_and(|id| name.starts_with(id));
    let mine = entries.into_iter().filter(|(_, entry)| of(&entry.mutant));
    Ok(mine.map(|(path, _)| Job::Capsule(path)).collect())
}

/// Runs seeds until one of the mutant's invariants is broken.
fn hunt(
    program: &Path,
    name: &str,
    mutant: &Mutant,
    regressions: &[Job],
) -> Result<Verdict, RunnerError> {
    let jobs = mutant.jobs()?;
    let bar = progress(mutant.budget);
    bar.set_message(name.to_owned());
    let (mut tried, mut killed) = (0, None);
    // Two histories of one seed show only when it runs twice.
    let twice = mutant.kills.iter().any(|id| id == "X1");
    let work = |job: &Job| match twice {
        true => twice::pair(program, job),
        false => crate::process::run(program, job, None, &[]),
    };
    pool::work_all(&jobs, pool::width(None), work, |outcome| {
        tried += 1;
        bar.inc(1);
        killed = killer(&outcome, &mutant.kills).map(|id| (id, tried));
        killed.is_none()
    });
    bar.finish_and_clear();
    for job in regressions {
        let outcome = crate::process::run(program, job, None, &[]);
        if killer(&outcome, &mutant.kills).is_none() {
            eprintln!("{name}: {job} does not kill it any more");
            killed = None;
        }
    }
    Ok(Verdict { killed, ..mutant.verdict(name) })
}

fn killer(outcome: &SeedOutcome, kills: &[String]) -> Option<String> {
    let mut ids = outcome.broken.iter().map(|broken| &broken.id);
    ids.find(|id| kills.is_empty() || kills.contains(id)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_of_the_house_fits_the_tree() {
        let root = workspace_root();
        let mut known = crate::seed::invariant_ids();
        known.extend(["LIVE", "RUN", "X1", "X5"]);
        for shelf in SHELVES {
            for (name, mutant) in chosen(&root.join(shelf.dir), &[]).expect("they parse") {
                let text = std::fs::read_to_string(root.join(&mutant.file)).expect(&name);
                let edits = std::iter::once(&mutant.edit).chain(&mutant.also);
                Edit::all(edits, &text).expect(&name);
                mutant.jobs().expect(&name);
                for id in &mutant.kills {
                    assert!(known.contains(&id.as_str()), "{name}: no invariant is called {id}");
                }
            }
        }
    }
}
