//! `cargo sim planted`: a failure of each family, from the bug to the page.
//!
//! A mutant of each family of invariants is built, and seeds run until one fails: its report is
//! kept, told, replayed, made smaller and drawn as a timeline. What came of it is a row of a table.

use std::path::Path;

use serde::Deserialize;

use crate::cli::{Effort, PlantedOptions};
use crate::error::RunnerError;
use crate::failure::{self, Telling};
use crate::host::write;
use crate::job::Job;
use crate::mutants::{self, Built};
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::process;
use crate::scratch::{Scratch, workspace_root};
use crate::shrink::Figures;

/// Lines that a failure may take on the terminal, with the one that says where it is kept.
const LINES_MAX: usize = 40;

/// What is planted.
#[derive(Deserialize)]
struct List {
    planted: Vec<Planted>,
}

/// A family of invariants, and a bug that one of them finds.
#[derive(Deserialize)]
struct Planted {
    /// The letters before an invariant's number.
    family: String,
    /// The mutant, by the beginning of its name.
    mutant: String,
}

/// What came of one.
struct Row {
    family: String,
    mutant: String,
    /// The seed that failed, and by what.
    failed: SeedOutcome,
    figures: Figures,
    /// Lines on the terminal.
    lines: usize,
    /// What is not as it should be.
    amiss: Vec<&'static str>,
}

/// Plants what is listed in ci/planted.toml and says whether all of it was found, told in few
/// lines, replayed, made smaller and drawn.
///
/// # Errors
/// When the list or a mutant is malformed, or a report cannot be read.
pub(crate) fn run(options: &PlantedOptions) -> Result<bool, RunnerError> {
    let root = workspace_root();
    let list = root.join("ci/planted.toml");
    let list: List = toml::from_str(&read(&list)?)
        .map_err(|error| RunnerError::Malformed { path: list, problem: error.to_string() })?;
    let scratch = Scratch::new(&root)?;
    let (mut rows, mut whole) = (Vec::new(), true);
    for planted in list.planted {
        if !options.only.is_empty() && !options.only.contains(&planted.family) {
            continue;
        }
        eprintln!("{}: building {}", planted.family, planted.mutant);
        let built = mutants::build(&scratch, &root, (&planted.mutant, options.built))?;
        let row = plant(&planted, &built, options)?;
        println!("{}", row.as_ref().map_or_else(|| planted.missing(), Row::text));
        whole &= row.as_ref().is_some_and(|row| row.amiss.is_empty());
        rows.push(row.map_or_else(|| planted.missing(), |row| row.text()));
    }
    if let Some(path) = &options.table {
        write(path, &page(&rows))?;
    }
    Ok(whole)
}

impl Planted {
    fn missing(&self) -> String {
        let Self { family, mutant } = self;
        format!("| {family} | {mutant} | NOTHING FAILED BY THIS FAMILY | | | | | | | |")
    }
}

/// Lets the mutant's runner run seeds until one fails by the family; keeps, tells, shrinks and
/// draws that.
fn plant(
    planted: &Planted,
    built: &Built,
    options: &PlantedOptions,
) -> Result<Option<Row>, RunnerError> {
    let seeds = built.from..built.from + built.budget;
    let jobs: Vec<Job> = seeds.map(|seed| Job::seed(&built.scenario, seed)).collect();
    let mut failed = None;
    let work = |job: &Job| process::run(&built.program, job, None, &[]);
    pool::work_all(&jobs, pool::width(None), work, |outcome| {
        if family(&outcome) == planted.family {
            failed = Some(outcome);
        }
        failed.is_none()
    });
    let Some(failed) = failed else { return Ok(None) };
    let reports = options.reports.join(&planted.family);
    let effort = Effort { seconds: options.shrink_seconds, ..Effort::default() };
    let telling = Telling { reports: &reports, program: &built.program, effort };
    failure::tell(std::slice::from_ref(&failed), &telling)?;
    let dir = failure::dir(&reports, &failed);
    let figures = serde_json::from_str(&read(&dir.join("shrunk.json"))?).map_err(|error| {
        RunnerError::Malformed { path: dir.join("shrunk.json"), problem: error.to_string() }
    })?;
    let amiss = amiss(&failed, &built.program, &dir)?;
    let lines = lines(&dir)?;
    let (family, mutant) = (planted.family.clone(), built.name.clone());
    Ok(Some(Row { family, mutant, failed, figures, lines, amiss }))
}

/// The letters of the invariant that was broken first.
fn family(outcome: &SeedOutcome) -> &str {
    let first = outcome.broken.first().map_or("", |broken| broken.id.as_str());
    first.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

/// Lines on the terminal: the story, and where it is kept.
fn lines(dir: &Path) -> Result<usize, RunnerError> {
    Ok(read(&dir.join("story.txt"))?.lines().count() + 1)
}

/// What is not as it should be with a report.
fn amiss(
    failed: &SeedOutcome,
    program: &Path,
    dir: &Path,
) -> Result<Vec<&'static str>, RunnerError> {
    let mut amiss = Vec::new();
    let again = process::run(program, &Job::Capsule(dir.join("shrunk.toml")), None, &[]);
    if again.fingerprint() != failed.fingerprint() || !failure::verify(&again, program) {
        amiss.push("the capsule does not fail so again");
    }
    if read(&dir.join("shrunk.txt"))?.contains("not needed") {
        amiss.push("a fault is left that is not needed");
    }
    let first = failed.broken.first().map_or("", |broken| broken.id.as_str());
    if !read(&dir.join("run.html"))?.contains(first) {
        amiss.push("the page does not show it");
    }
    if lines(dir)? > LINES_MAX || !read(&dir.join("story.txt"))?.contains("the same hash") {
        amiss.push("the report is not told in 40 lines, with a replay that was tried");
    }
    Ok(amiss)
}

impl Row {
    fn text(&self) -> String {
        let Self { family, mutant, failed, figures, lines, amiss } = self;
        let cell = |what| {
            let (before, after) = figures.of(what);
            format!("{before} → {after}")
        };
        let (print, percent) = (failed.fingerprint(), figures.percent("events"));
        let seconds = figures.seconds;
        let verdict = if amiss.is_empty() { "yes".to_owned() } else { amiss.join("; ") };
        let (scenario, seed) = (&failed.scenario, failed.seed);
        format!(
            "| {family} | {mutant} | `{scenario}` {seed} | {print} | {} ({percent:.1} %) | {} | {} \
             | {} | {seconds:.1} s | {lines} | {verdict} |",
            cell("events"),
            cell("nodes"),
            cell("faults"),
            cell("operations"),
        )
    }
}

/// The whole page.
fn page(rows: &[String]) -> String {
    let head = "# Planted failures\n\n\
        Made by `cargo sim planted --table docs/simulation/planted.md`: a bug of each family of \
        invariants (ci/planted.toml) is put into the product, and the runner that has it runs \
        seeds until one fails. The failure is told on the terminal, kept in a report, replayed \
        from its shrunk capsule with the same hash, and drawn as a timeline. *Found* says \
        whether all of that came to pass: the same fingerprint again, no fault left that is not \
        needed, the violation on the page.\n\n\
        | Family | Mutant | Scenario, seed | Fingerprint | Events | Nodes | Faults | Operations \
        | Shrunk in | Lines | Found |\n|---|---|---|---|---|---|---|---|---|---|---|\n";
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("{head}{rows}")
}

fn read(path: &Path) -> Result<String, RunnerError> {
    std::fs::read_to_string(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Broken;

    #[test]
    fn a_row_has_as_many_cells_as_the_head() {
        let broken = Broken {
            id: "D4".into(),
            sentence: String::new(),
            details: "gone".into(),
            events: Vec::new(),
        };
        let failed = SeedOutcome { broken: vec![broken], ..SeedOutcome::default() };
        let counts = vec![("events".to_owned(), 1_000, 25)];
        let figures = Figures { counts, seconds: 3.0 };
        let (family, mutant) = ("D".to_owned(), "M01-x".to_owned());
        let row = Row { family, mutant, failed, figures, lines: 20, amiss: Vec::new() };
        let page = page(&[row.text()]);
        let cells: Vec<usize> = page
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.split('|').count())
            .collect();
        assert_eq!(cells, [13; 3], "{page}");
        assert!(page.contains("| 1000 → 25 (2.5 %) |") && page.contains("| 20 | yes |"), "{page}");
    }

    #[test]
    fn the_list_of_the_house_names_mutants_of_the_house() {
        let root = workspace_root();
        let list: List = toml::from_str(&read(&root.join("ci/planted.toml")).unwrap()).unwrap();
        let names = mutants::names(&root).concat();
        for Planted { family, mutant } in list.planted {
            assert!(names.iter().any(|name| name.starts_with(&mutant)), "{family} {mutant}");
        }
    }
}
