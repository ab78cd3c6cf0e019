//! `cargo sim run`: seeds, a progress bar, the totals, exit 1 on any violation.

use std::time::{Duration, Instant};

use crate::cli::RunOptions;
use crate::error::RunnerError;
use crate::failure;
use crate::host::{progress, this_program, write};
use crate::pool;
use crate::schedule;
use crate::totals::Totals;

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
    failures.sort_by(|a, b| (&a.scenario, a.seed).cmp(&(&b.scenario, b.seed)));
    failure::tell(&failures, &options.reports, &program)?;
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
