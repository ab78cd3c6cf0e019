//! `cargo sim shrink`: the smallest capsule that still fails in the same way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sim_capsule::Plan;
use sim_capsule::shrink::{self, Oracle, Trial};

use crate::capsule;
use crate::cli::ShrinkOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::host::{this_program, write};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::process;
use crate::table;

/// Shrinks the job's run, writes the capsule, and says what is left and whether each fault that is
/// left is needed. False when the run does not fail at all.
///
/// # Errors
/// When there is no such run or a file cannot be written.
pub(crate) fn shrink(options: &ShrinkOptions) -> Result<bool, RunnerError> {
    let job = options.which.job();
    let plan = entry::plan_of(&job)?;
    let program = this_program()?;
    let before = process::run(&program, &job, None, &[]);
    if before.passed() {
        println!("{job} passes: there is nothing to shrink");
        return Ok(false);
    }
    let mut trials = Trials::new(&program, &before, options)?;
    let first = trial(plan.clone(), &before);
    let smallest = shrink::shrink(first, &mut trials);
    trials.bar.finish_and_clear();
    let after = trials.run(0, &smallest.plan);
    let again = trials.run(0, &smallest.plan);
    let same = after.hash == again.hash && after.fingerprint() == trials.fingerprint;
    let output = options.output.clone().unwrap_or_else(|| {
        format!("target/sim-failures/{}-shrunk.toml", trials.fingerprint).into()
    });
    if let Some(parent) = output.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|source| RunnerError::File { path: parent.to_owned(), source })?;
    }
    write(&output, &capsule::of(smallest.plan.clone(), &after).text())?;
    let took = trials.started.elapsed().as_secs_f64();
    println!("{job}: {}, {} tries, {took:.1} s", trials.fingerprint, trials.tried);
    rows(&plan, &before, &smallest.plan, &after).iter().for_each(|line| println!("  {line}"));
    let needed = necessary(&smallest.plan, &trials) && stalls(&plan, &smallest.plan, &trials);
    let verdict = if same { "the same hash" } else { "ANOTHER HISTORY: a bug of first rank" };
    println!("  again in another process: {verdict}");
    println!("  cargo sim replay {}", output.display());
    // What is left behind in the temporary directory is only files.
    let _ = std::fs::remove_dir_all(&trials.dir);
    Ok(same && needed)
}

/// Tries each plan in which one of the faults is missing, and says what came of it.
fn necessary(plan: &Plan, trials: &Trials<'_>) -> bool {
    let mut needed = true;
    for (strike, neighbour) in plan.strikes.iter().zip(shrink::neighbours(plan)) {
        let outcome = trials.run(0, &neighbour);
        let verdict = match outcome.fingerprint() {
            print if print.is_empty() => "passes".to_owned(),
            print if print == trials.fingerprint => "STILL FAILS: it is not needed".to_owned(),
            print => format!("fails in another way, {print}"),
        };
        needed &= outcome.fingerprint() != trials.fingerprint;
        let at = strike.at.as_secs_f64();
        println!("  without {:?} of {} at {at:.3} s: {verdict}", strike.kind, strike.node);
    }
    needed
}

/// Whether who does not come in the time that was left does not come in all the time either.
fn stalls(before: &Plan, small: &Plan, trials: &Trials<'_>) -> bool {
    let settle_ms = before.phases.settle_ms;
    if small.phases.settle_ms == settle_ms {
        return true;
    }
    let mut patient = small.clone();
    patient.phases.settle_ms = settle_ms;
    let same = trials.run(0, &patient).fingerprint() == trials.fingerprint;
    let verdict = if same { "fails as well" } else { "PASSES: it is only slow" };
    println!("  with all of {} s to settle: {verdict}", settle_ms / 1_000);
    same
}

fn rows(plan: &Plan, before: &SeedOutcome, small: &Plan, after: &SeedOutcome) -> Vec<String> {
    let row = |what: &str, one: u64, other: u64| {
        let share = other as f64 * 100.0 / (one.max(1)) as f64;
        vec![what.to_owned(), one.to_string(), other.to_string(), format!("{share:.1} %")]
    };
    let count = |of: fn(&Plan) -> usize| (of(plan) as u64, of(small) as u64);
    let (nodes, faults) = (count(|plan| plan.nodes().len()), count(|plan| plan.strikes.len()));
    let operations = count(Plan::operations);
    table::align(&[
        ["", "before", "after", "left"].map(str::to_owned).to_vec(),
        row("events", before.events, after.events),
        row("nodes", nodes.0, nodes.1),
        row("faults", faults.0, faults.1),
        row("operations", operations.0, operations.1),
        row("simulated ms", before.simulated_ms, after.simulated_ms),
    ])
}

fn trial(plan: Plan, outcome: &SeedOutcome) -> Trial {
    let SeedOutcome { events, failed_at_ms, simulated_ms: ended_ms, .. } = *outcome;
    Trial { plan, events, failed_at_ms, ended_ms }
}

/// Tries plans, each in a process of its own, several at a time.
struct Trials<'a> {
    program: &'a Path,
    fingerprint: String,
    dir: PathBuf,
    width: usize,
    tries_max: u64,
    tried: u64,
    /// What is known not to fail in this way.
    refuted: BTreeSet<String>,
    started: Instant,
    limit: Duration,
    bar: ProgressBar,
}

impl<'a> Trials<'a> {
    fn new(
        program: &'a Path,
        failed: &SeedOutcome,
        options: &ShrinkOptions,
    ) -> Result<Self, RunnerError> {
        let dir = std::env::temp_dir().join(format!("hotfire-shrink-{}", std::process::id()));
        std::fs::create_dir_all(&dir)
            .map_err(|source| RunnerError::File { path: dir.clone(), source })?;
        let template = "{bar:40} {pos}/{len} tries  {elapsed}  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        Ok(Self {
            program,
            fingerprint: failed.fingerprint(),
            dir,
            width: pool::width(options.jobs),
            tries_max: options.tries,
            tried: 0,
            refuted: BTreeSet::new(),
            started: Instant::now(),
            limit: Duration::from_secs(options.seconds),
            bar: ProgressBar::new(options.tries).with_style(style),
        })
    }

    /// Runs a plan; `slot` names its file among those that run at the same time.
    fn run(&self, slot: usize, plan: &Plan) -> SeedOutcome {
        let path = self.dir.join(format!("{slot}.toml"));
        let text = capsule::of(plan.clone(), &SeedOutcome::default()).text();
        match write(&path, &text) {
            Ok(()) => process::run(self.program, &Job::Capsule(path), None, &[]),
            Err(error) => SeedOutcome::crashed(&plan.scenario, plan.seed, error.to_string()),
        }
    }

    /// Runs a few plans at the same time; their outcomes in the same order.
    fn run_all(&self, plans: &[(usize, Plan)]) -> Vec<SeedOutcome> {
        std::thread::scope(|scope| {
            let runs: Vec<_> = plans
                .iter()
                .enumerate()
                .map(|(slot, (_, plan))| scope.spawn(move || self.run(slot, plan)))
                .collect();
            runs.into_iter().map(|run| run.join().expect("a run only waits for a child")).collect()
        })
    }
}

impl Oracle for Trials<'_> {
    /// Which one it is does not depend on how many run at the same time.
    fn first(
        &mut self,
        candidates: &mut dyn Iterator<Item = (usize, Plan)>,
    ) -> Option<(usize, Trial)> {
        while !self.is_spent() {
            let refuted = &self.refuted;
            let fresh = |(_, plan): &(usize, Plan)| !refuted.contains(&key(plan));
            let wave: Vec<_> = candidates.filter(fresh).take(self.width).collect();
            if wave.is_empty() {
                return None;
            }
            self.tried += wave.len() as u64;
            self.bar.inc(wave.len() as u64);
            for ((at, plan), outcome) in wave.iter().zip(self.run_all(&wave)) {
                if outcome.fingerprint() == self.fingerprint {
                    let nodes = plan.nodes().len();
                    let (faults, sends) = (plan.strikes.len(), plan.operations());
                    self.bar.set_message(format!(
                        "{} events, {nodes} nodes, {faults} faults, {sends} operations",
                        outcome.events
                    ));
                    return Some((*at, trial(plan.clone(), &outcome)));
                }
                self.refuted.insert(key(plan));
            }
        }
        None
    }

    fn is_spent(&self) -> bool {
        self.tried >= self.tries_max || self.started.elapsed() >= self.limit
    }
}

/// A plan in few bytes that no other plan of a hunt has.
fn key(plan: &Plan) -> String {
    let text = capsule::of(plan.clone(), &SeedOutcome::default()).text();
    let lanes = [0xcbf2_9ce4_8422_2325u64, 0x9e37_79b9_7f4a_7c15];
    let mix = |lane: u64| {
        text.bytes().fold(lane, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    };
    lanes.map(mix).map(|lane| format!("{lane:016x}")).concat()
}
