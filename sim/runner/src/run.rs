//! `cargo sim run`: seeds, a progress bar, the totals, exit 1 on any violation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::{Effort, RunOptions};
use crate::coverage::Floors;
use crate::error::RunnerError;
use crate::failure::{self, Telling};
use crate::farm::Report;
use crate::host::{progress, this_program, write};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::totals::Totals;
use crate::{meter, pool, schedule, twice};

/// Seeds from which on an invariant that never checked anything is a failure.
const VACUITY_SEEDS_MIN: u64 = 500;

/// Seeds between two measurements of the machine: they take half a percent of the time.
const SEEDS_PER_CALIBRATION: u64 = 100;

/// The scenario whose failure is planted, and must arrive.
const CANARY: &str = "canary";

/// Runs the seeds and says whether all passed.
///
/// # Errors
/// When a scenario is unknown, a report cannot be written, or a planted failure does not arrive.
pub(crate) fn run(options: &RunOptions) -> Result<bool, RunnerError> {
    let mut jobs = schedule::jobs(options)?;
    if options.canary {
        jobs.push(Job::seed(CANARY, options.range.first()));
    }
    let program = this_program()?;
    let bar = progress(jobs.len() as u64);
    let started = Instant::now();
    let limit = options.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let mut report = Report::default();
    let meter = Meter::default();
    let work = |job: &Job| {
        meter.look();
        twice::run(&program, job)
    };
    pool::work_all(&jobs, pool::width(options.jobs), work, |outcome| {
        bar.inc(1);
        take(&mut report, outcome);
        if report.totals.failed > 0 {
            bar.set_message(format!("{} failed", report.totals.failed));
        }
        let late = limit.is_some_and(|limit| started.elapsed() > limit);
        !(late || (options.until_failure && !report.failures.is_empty()))
    });
    let took = started.elapsed();
    bar.finish_and_clear();
    meter.tell(&mut report);
    report.failures.sort_by(|a, b| (&a.scenario, a.seed).cmp(&(&b.scenario, b.seed)));
    let effort =
        Effort { seconds: options.shrink_seconds, jobs: options.jobs, ..Effort::default() };
    let telling = Telling { reports: &options.reports, program: &program, effort };
    failure::tell(&report.failures, &telling)?;
    finish(options, &report, took)
}

/// Adds an outcome to the report. A canary is no failure; one that passes is none of a seed, but of
/// the farm.
fn take(report: &mut Report, outcome: SeedOutcome) {
    if outcome.scenario == CANARY {
        report.totals.canary(outcome.broken.iter().any(|broken| broken.id == "D1"));
        return;
    }
    report.totals.add(&outcome);
    if !outcome.passed() {
        report.failures.push(SeedOutcome { marks: Vec::new(), ..outcome });
    }
}

/// Measures how fast the machine is while seeds run: a processor whose neighbour works is slower
/// than one that is alone, and a seed's CPU is held against the same circumstances.
#[derive(Default)]
struct Meter {
    jobs: AtomicU64,
    loops_ns: Mutex<Vec<u64>>,
}

impl Meter {
    /// Measures before the first seed and now and then after it.
    fn look(&self) {
        if self.jobs.fetch_add(1, Ordering::Relaxed).is_multiple_of(SEEDS_PER_CALIBRATION) {
            let mut loops_ns = self.loops_ns.lock().unwrap_or_else(PoisonError::into_inner);
            loops_ns.extend(meter::calibrate_ns());
        }
    }

    fn tell(self, report: &mut Report) {
        let loops_ns = self.loops_ns.into_inner().unwrap_or_else(PoisonError::into_inner);
        loops_ns.into_iter().for_each(|cpu_ns| report.totals.calibrated(cpu_ns));
    }
}

/// Prints the tables, writes the report and says whether all is well.
fn finish(options: &RunOptions, report: &Report, took: Duration) -> Result<bool, RunnerError> {
    let totals = &report.totals;
    totals.lines(Some(took)).iter().for_each(|line| println!("{line}"));
    if let Some(file) = &options.json {
        write(file, &report.text())?;
    }
    let vacuous = vacuous(options, totals);
    if !vacuous.is_empty() {
        println!("never checked anything, so nothing is known: {}", vacuous.join(" "));
    }
    if options.scenario.is_empty()
        && let Some(words) = Floors::read()?.over_budget(totals)
    {
        println!("over the budget: {words}");
    }
    let (first, count) = (options.range.first(), options.seeds);
    println!("seeds {first} to {}", first.saturating_add(count).saturating_sub(1));
    println!("{} passed, {} failed", totals.passed, totals.failed + u64::from(!vacuous.is_empty()));
    match totals.farm_is_broken() {
        Some(words) => Err(RunnerError::Farm(words)),
        None => Ok(totals.failed == 0 && vacuous.is_empty()),
    }
}

/// A full run of all scenarios must give every invariant something to check.
fn vacuous(options: &RunOptions, totals: &Totals) -> Vec<String> {
    if !options.scenario.is_empty() || totals.passed + totals.failed < VACUITY_SEEDS_MIN {
        return Vec::new();
    }
    totals.vacuous(&crate::seed::invariant_ids())
}
