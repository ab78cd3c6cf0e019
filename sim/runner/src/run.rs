//! `cargo sim run`: seeds, a progress bar, the totals, exit 1 on any violation.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::RunOptions;
use crate::error::RunnerError;
use crate::failure;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::schedule;
use crate::totals::Totals;

/// Failures that are told in full on the terminal; the others are counted.
const STORIES_MAX: usize = 3;
/// Seeds from which on an invariant that never checked anything is a failure.
const VACUITY_SEEDS_MIN: u64 = 500;

/// Runs the seeds and says whether all passed.
///
/// # Errors
/// When a scenario is unknown or a report cannot be written.
pub(crate) fn run(options: &RunOptions) -> Result<bool, RunnerError> {
    let jobs = schedule::jobs(options)?;
    let program = this_program()?;
    let bar = progress(jobs.len() as u64);
    let started = Instant::now();
    let limit = options.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let (mut totals, mut failures) = (Totals::default(), Vec::new());
    pool::run_all(&program, &jobs, pool::width(options.jobs), |outcome| {
        totals.add(&outcome);
        bar.inc(1);
        if totals.failed > 0 {
            bar.set_message(format!("{} failed", totals.failed));
        }
        if !outcome.passed() {
            failures.push(outcome);
        }
        let late = limit.is_some_and(|limit| started.elapsed() > limit);
        !(late || (options.until_failure && !failures.is_empty()))
    });
    bar.finish_and_clear();
    tell(options, &mut failures, &program)?;
    for line in totals.lines(started.elapsed()) {
        println!("{line}");
    }
    let vacuous = vacuous(options, &totals);
    if let Some(file) = &options.json {
        let json =
            serde_json::json!({ "totals": totals, "failures": failures, "vacuous": vacuous });
        write(file, &json.to_string())?;
    }
    if !vacuous.is_empty() {
        println!("never checked anything, so nothing is known: {}", vacuous.join(" "));
    }
    println!("{} passed, {} failed", totals.passed, totals.failed + u64::from(!vacuous.is_empty()));
    Ok(totals.failed == 0 && vacuous.is_empty())
}

/// A full run of all scenarios must give every invariant something to check.
fn vacuous(options: &RunOptions, totals: &Totals) -> Vec<String> {
    if !options.scenario.is_empty() || totals.passed + totals.failed < VACUITY_SEEDS_MIN {
        return Vec::new();
    }
    totals.vacuous(&crate::seed::invariant_ids())
}

/// Keeps every failure's report, tells the first few, and shows that the first replays.
fn tell(
    options: &RunOptions,
    failures: &mut [SeedOutcome],
    program: &std::path::Path,
) -> Result<(), RunnerError> {
    failures.sort_by(|a, b| (&a.scenario, a.seed).cmp(&(&b.scenario, b.seed)));
    for (number, outcome) in failures.iter().enumerate() {
        let dir = failure::keep(&options.reports, outcome)
            .map_err(|source| RunnerError::File { path: options.reports.clone(), source })?;
        if number < STORIES_MAX {
            print!("{}", failure::story(outcome));
            println!("  kept in {}", dir.display());
        }
    }
    if let Some(first) = failures.first() {
        let job = first.job();
        let again = (0..2).all(|_| {
            let again = crate::process::run(program, &job, None, &[]);
            again.hash == first.hash && again.fingerprint() == first.fingerprint()
        });
        let verdict =
            if again { "the same, twice" } else { "ANOTHER HISTORY: a bug of first rank" };
        println!("  replayed in two more processes: {verdict}\n");
    }
    Ok(())
}

/// The binary that runs, for its children.
///
/// # Errors
/// When the operating system does not say.
pub(crate) fn this_program() -> Result<PathBuf, RunnerError> {
    std::env::current_exe()
        .map_err(|source| RunnerError::File { path: PathBuf::from("the running binary"), source })
}

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(len: u64) -> ProgressBar {
    let template = "{bar:40} {pos}/{len} seeds  {per_sec}  {eta} left  {msg}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::new(len).with_style(style)
}

/// Writes a file that the caller asked for.
///
/// # Errors
/// When it cannot be written, with its path.
pub(crate) fn write(path: &std::path::Path, text: &str) -> Result<(), RunnerError> {
    std::fs::write(path, text).map_err(|source| RunnerError::File { path: path.to_owned(), source })
}
