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
use crate::scratch::{Edit, Scratch, workspace_root};
use crate::{table, twice};

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
    /// The invariants that may kill it.
    kills: Vec<String>,
    /// The scenario in which it must die.
    scenario: String,
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
}

/// The runner with the bug in the product whose file's name begins with `id`.
///
/// # Errors
/// When there is no such mutant, or it is malformed or does not build.
pub(crate) fn build(scratch: &Scratch, root: &Path, id: &str) -> Result<PathBuf, RunnerError> {
    let chosen = chosen(root, &[id.to_owned()])?;
    let (name, mutant) = chosen.first().expect("none at all is an error");
    mutant.build(scratch, name)
}

fn one() -> u64 {
    1
}

/// How a mutant fared.
struct Verdict {
    name: String,
    source: String,
    killed: Option<(String, u64)>,
    budget: u64,
    /// Whether there is such a tree at all.
    builds: bool,
}

impl Verdict {
    /// Before anything was tried.
    fn of(name: String, mutant: &Mutant) -> Self {
        let (source, budget) = (mutant.source.clone(), mutant.budget);
        Self { name, source, killed: None, budget, builds: true }
    }
}

/// Tries every mutant and says whether all died.
///
/// # Errors
/// When a mutant's file is malformed.
pub(crate) fn run(options: &MutantOptions) -> Result<bool, RunnerError> {
    let root = workspace_root();
    let mut chosen = chosen(&root, &options.only)?;
    if let Some((k, n)) = options.shard {
        let mut number = 0;
        chosen.retain(|_| {
            number += 1;
            number % n == k % n
        });
    }
    let scratch = Scratch::new(&root)?;
    let mut verdicts = Vec::new();
    for (name, mutant) in chosen {
        let regressions = regressions(&root, &name)?;
        eprintln!("{name}: building");
        // One that does not fit the tree any more is a failure, and no reason to leave the others
        // untried.
        verdicts.push(match mutant.build(&scratch, &name) {
            Ok(program) => hunt(&program, name, &mutant, &regressions),
            Err(error) => {
                eprintln!("{error}");
                Verdict { builds: false, ..Verdict::of(name, &mutant) }
            }
        });
    }
    let lines = report(&verdicts);
    lines.iter().for_each(|line| println!("{line}"));
    if let Some(path) = &options.table {
        let old = std::fs::read_to_string(path).unwrap_or_default();
        let all = chosen_names(&root)?;
        write(path, &markdown(&old, &all, &verdicts))?;
    }
    let killed = verdicts.iter().filter(|verdict| verdict.killed.is_some()).count();
    println!("{killed} passed, {} failed", verdicts.len() - killed);
    Ok(killed == verdicts.len())
}

fn chosen(root: &Path, only: &[String]) -> Result<Vec<(String, Mutant)>, RunnerError> {
    let mut mutants = Vec::new();
    for path in toml_files(&root.join("ci/mutants")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
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
        return Err(RunnerError::Malformed { path: root.join("ci/mutants"), problem });
    }
    Ok(mutants)
}

/// The seeds in `seeds/` that say they kill this mutant.
fn regressions(root: &Path, name: &str) -> Result<Vec<Job>, RunnerError> {
    let entries = entry::all(&root.join("seeds"))?;
    let of = |mutant: &Option<String>| mutant.as_ref().is_some_and(|id| name.starts_with(id));
    let mine = entries.into_iter().filter(|(_, entry)| of(&entry.mutant));
    Ok(mine.map(|(path, _)| Job::Capsule(path)).collect())
}

/// Runs seeds until one of the mutant's invariants is broken.
fn hunt(program: &Path, name: String, mutant: &Mutant, regressions: &[Job]) -> Verdict {
    let seeds = mutant.from..mutant.from + mutant.budget;
    let jobs: Vec<Job> = seeds.map(|seed| Job::seed(&mutant.scenario, seed)).collect();
    let bar = progress(mutant.budget);
    bar.set_message(name.clone());
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
    Verdict { killed, ..Verdict::of(name, mutant) }
}

fn killer(outcome: &SeedOutcome, kills: &[String]) -> Option<String> {
    outcome.broken.iter().map(|broken| &broken.id).find(|id| kills.contains(id)).cloned()
}

fn report(verdicts: &[Verdict]) -> Vec<String> {
    let mut rows = vec![["mutant", "killed by", "seeds", "budget"].map(str::to_owned).to_vec()];
    for verdict in verdicts {
        let (by, seeds) = fate(verdict);
        rows.push(vec![verdict.name.clone(), by, seeds, verdict.budget.to_string()]);
    }
    table::align(&rows)
}

fn fate(verdict: &Verdict) -> (String, String) {
    match &verdict.killed {
        Some((by, seeds)) => (by.clone(), seeds.to_string()),
        None if !verdict.builds => ("DOES NOT BUILD".to_owned(), "-".to_owned()),
        None => ("SURVIVED".to_owned(), "-".to_owned()),
    }
}

/// The names of all mutants.
fn chosen_names(root: &Path) -> Result<Vec<String>, RunnerError> {
    Ok(chosen(root, &[])?.into_iter().map(|(name, _)| name).collect())
}

/// The table of all mutants: a row for each that was tried now, and the old rows of the others, so
/// that the matrix may be tried part by part.
fn markdown(old: &str, all: &[String], verdicts: &[Verdict]) -> String {
    let mut text =
        "# Mutants\n\nMade by `cargo sim mutants --table docs/mutants.md`; a part of the \
         mutants (`--only`, `--shard`) changes its own rows.\n\n\
         | Mutant | Killed by | Seeds it took | Budget | Source |\n|---|---|---|---|---|\n"
            .to_owned();
    for name in all {
        let old = || old.lines().find(|line| line.starts_with(&format!("| {name} |")));
        match verdicts.iter().find(|verdict| verdict.name == *name) {
            Some(verdict) => {
                let (by, seeds) = fate(verdict);
                let Verdict { name, budget, source, .. } = verdict;
                text.push_str(&format!("| {name} | {by} | {seeds} | {budget} | {source} |\n"));
            }
            None => text.push_str(&format!("{}\n", old().unwrap_or(&untried(name)))),
        }
    }
    text
}

fn untried(name: &str) -> String {
    format!("| {name} | not tried yet | - | - | - |")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_mutants_changes_its_own_rows_and_those_that_are_gone_go() {
        let verdict = |name: &str, seeds| Verdict {
            name: name.to_owned(),
            source: "here".to_owned(),
            killed: Some(("D1".to_owned(), seeds)),
            budget: 64,
            builds: true,
        };
        let all = ["M01-a".to_owned(), "M02-b".to_owned()];
        let first = markdown("| M00-gone | D1 | 1 | 1 | x |", &all, &[verdict("M01-a", 7)]);
        assert!(first.contains("| M01-a | D1 | 7 | 64 | here |\n| M02-b | not tried yet |"));
        assert!(!first.contains("M00"));
        let second = markdown(&first, &all, &[verdict("M02-b", 9)]);
        assert!(
            second.ends_with("| M01-a | D1 | 7 | 64 | here |\n| M02-b | D1 | 9 | 64 | here |\n")
        );
    }
}
