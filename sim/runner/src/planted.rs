//! `cargo sim planted`: a failure of each family, from the bug to the page.
//!
//! A mutant of each family of invariants is built, and its runner does what a person would: it runs
//! seeds until one fails, keeps a report, shrinks it and draws its timeline. What came of it is a
//! row of a table.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::cli::PlantedOptions;
use crate::error::RunnerError;
use crate::host::write;
use crate::mutants::{self, Built};
use crate::outcome::SeedOutcome;
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
        let built = mutants::build(&scratch, &root, &planted.mutant)?;
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

/// Lets the mutant's runner find, keep, shrink and draw a failure.
fn plant(
    planted: &Planted,
    built: &Built,
    options: &PlantedOptions,
) -> Result<Option<Row>, RunnerError> {
    let reports = options.reports.join(&planted.family);
    // Reports of an earlier run would be taken for this one's; if there are none, so much better.
    let _ = std::fs::remove_dir_all(&reports);
    let arguments = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut words: Vec<String> = arguments(&["run", "--until-failure", "--scenario"]);
    words.extend([built.scenario.clone(), "--from".into(), built.from.to_string()]);
    words.extend(["--seeds".into(), built.budget.to_string(), "--reports".into()]);
    words.push(reports.display().to_string());
    let told = ask(&built.program, &words)?.1;
    for dir in std::fs::read_dir(&reports).into_iter().flatten().flatten() {
        let dir = dir.path();
        let failed: SeedOutcome = parse(&dir.join("outcome.json"))?;
        let first = failed.broken.first().map_or("", |broken| broken.id.as_str());
        if first.trim_end_matches(|letter: char| letter.is_ascii_digit()) != planted.family {
            continue;
        }
        return row(planted, built, (&dir, failed, &told)).map(Some);
    }
    Ok(None)
}

fn row(
    planted: &Planted,
    built: &Built,
    (dir, failed, told): (&Path, SeedOutcome, &str),
) -> Result<Row, RunnerError> {
    let figures: Figures = parse(&dir.join("shrunk.json"))?;
    let mut amiss = Vec::new();
    let capsule = dir.join("shrunk.toml").display().to_string();
    let (passed, replayed) = ask(&built.program, &["replay".to_owned(), capsule])?;
    let print = failed.fingerprint();
    if passed || !replayed.contains("the same hash") || !replayed.contains(&print) {
        amiss.push("the capsule does not fail so again");
    }
    if read(&dir.join("shrunk.txt"))?.contains("not needed") {
        amiss.push("a fault is left that is not needed");
    }
    let id = failed.broken.first().map_or("", |broken| broken.id.as_str());
    if !read(&dir.join("run.html"))?.contains(id) {
        amiss.push("the page does not show it");
    }
    let story = read(&dir.join("story.txt"))?;
    let lines = story.lines().count() + 1;
    if lines > LINES_MAX || !told.contains(story.trim_end()) {
        amiss.push("the report is not told in 40 lines");
    }
    let (family, mutant) = (planted.family.clone(), built.name.clone());
    Ok(Row { family, mutant, failed, figures, lines, amiss })
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

/// Runs a runner and gives whether it was content, and what it said.
fn ask(program: &Path, words: &[String]) -> Result<(bool, String), RunnerError> {
    let output = Command::new(program)
        .args(words)
        .output()
        .map_err(|source| RunnerError::File { path: program.to_owned(), source })?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn read(path: &Path) -> Result<String, RunnerError> {
    std::fs::read_to_string(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })
}

fn parse<T: for<'de> Deserialize<'de>>(path: &PathBuf) -> Result<T, RunnerError> {
    serde_json::from_str(&read(path)?)
        .map_err(|error| RunnerError::Malformed { path: path.clone(), problem: error.to_string() })
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
