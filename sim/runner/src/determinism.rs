//! `cargo sim check-determinism`: the same seed, the same history, on any machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cli::DeterminismOptions;
use crate::error::RunnerError;
use crate::host::{progress, this_program, write};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::process;
use crate::schedule;
use crate::twice::{ELSEWHERE, alike, elsewhere, parted_at};

/// Runs each seed twice and says whether every pair agrees.
///
/// # Errors
/// When a trace cannot be read or the log cannot be written.
pub(crate) fn check(options: &DeterminismOptions) -> Result<bool, RunnerError> {
    let chosen = schedule::scenarios(&[])?;
    let first = options.range.first();
    let jobs: Vec<Job> = (first..first.saturating_add(options.seeds))
        .map(|seed| {
            let scenario = &chosen[usize::try_from(seed).unwrap_or(0) % chosen.len()].0;
            Job::seed(scenario, seed)
        })
        .collect();
    let program = this_program()?;
    let (bar, started) = (progress(jobs.len() as u64), Instant::now());
    let (mut same, mut differ) = (0u64, Vec::new());
    let pair = |job: &Job| {
        let one = process::run(&program, job, None, &[]);
        (job.clone(), one, elsewhere(&program, job))
    };
    pool::work_all(&jobs, pool::width(options.jobs), pair, |(job, first, second)| {
        if alike(&first, &second) {
            same += 1;
            // No matter of determinism, and nothing to keep silent about.
            if let Some(broken) = first.broken.first() {
                bar.suspend(|| println!("{job} has one history, which breaks {}", broken.id));
            }
        } else {
            differ.push((job, first, second));
        }
        bar.inc(1);
        true
    });
    bar.finish_and_clear();
    for (job, first, second) in &differ {
        println!("{job} has two histories");
        println!("  {} and {}", first.hash, second.hash);
        println!("  {}", first_difference(&program, job, (first, second))?);
    }
    if let Some(path) = &options.log {
        log(path, first, (same, differ.len()), started.elapsed())?;
    }
    println!("{same} passed, {} failed", differ.len());
    Ok(differ.is_empty())
}

/// Appends a line to the table of all runs.
fn log(
    path: &Path,
    first: u64,
    (same, differ): (u64, usize),
    took: Duration,
) -> Result<(), RunnerError> {
    let mut text = std::fs::read_to_string(path)
        .map_err(|source| RunnerError::File { path: path.to_owned(), source })?;
    let (commit, hours) = (commit(), took.as_secs_f64() / 3_600.0);
    let runs = same + differ as u64;
    text.push_str(&format!("| {commit} | {first} | {runs} | {hours:.2} | {differ} |\n"));
    write(path, &text)
}

/// The commit of the working tree, if git knows one.
fn commit() -> String {
    let asked =
        std::process::Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let told = asked.ok().filter(|output| output.status.success());
    told.map_or("unknown".to_owned(), |output| {
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

/// The first event that differs: the marks tell where to look, and only that part is traced.
fn first_difference(
    program: &Path,
    job: &Job,
    (first, second): (&SeedOutcome, &SeedOutcome),
) -> Result<String, RunnerError> {
    let from = parted_at(first, second);
    let path = |run: u8| -> PathBuf {
        std::env::temp_dir().join(format!("hotfire-{run}-{}.trace", std::process::id()))
    };
    let mut texts = Vec::new();
    for (run, environment) in [(1, &[][..]), (2, &ELSEWHERE[..])] {
        let (trace, number) = (path(run), from.to_string());
        let window = ["--trace-from", &number, "--trace"].map(OsStr::new);
        let arguments = [&window[..], &[trace.as_os_str()]].concat();
        process::run_with(program, job, &arguments, environment);
        let text = std::fs::read_to_string(&trace)
            .map_err(|source| RunnerError::File { path: trace.clone(), source })?;
        // Left behind, a trace is only a file in the temporary directory.
        let _ = std::fs::remove_file(trace);
        texts.push(text);
    }
    Ok(parting(&texts[0], &texts[1], from))
}

/// Where two texts of a trace part.
fn parting(one: &str, two: &str, from: u64) -> String {
    let (mut one, mut two) = (one.lines(), two.lines());
    let mut before = None;
    loop {
        match (one.next(), two.next()) {
            (None, None) => return "the traced runs agree: what differs is not an event".into(),
            (a, b) if a == b => before = a,
            (a, b) => {
                let [before, a, b] = [before, a, b].map(|line| line.unwrap_or("the end"));
                return format!(
                    "behind event {from}, after\n    {before}\n  is\n    {a}\n  or\n    {b}"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_shown_with_what_was_before() {
        let told = parting("a\nb\nc\n", "a\nb\nd\n", 1_024);
        assert!(
            told.contains("1024") && told.contains("    b\n") && told.contains("    d"),
            "{told}"
        );
        assert!(parting("a\n", "a\n", 0).contains("agree"));
    }
}
