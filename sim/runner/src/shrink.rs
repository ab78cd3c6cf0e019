//! `cargo sim shrink`: the smallest capsule that still fails in the same way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use sim_capsule::shrink::{self, Oracle, Trial};
use sim_capsule::{Capsule, Plan};

use crate::capsule;
use crate::cli::{Effort, ShrinkOptions};
use crate::entry;
use crate::error::RunnerError;
use crate::host::{this_program, write};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::process;
use crate::table;

/// The smallest run that was found, and what was found out about it.
pub(crate) struct Least {
    /// Its capsule.
    pub(crate) capsule: Capsule,
    /// Whether it fails in the same way, with the same hash in two processes, and needs each of its
    /// faults.
    pub(crate) holds: bool,
    /// What is left of how much.
    pub(crate) figures: Figures,
    /// All that there is to say.
    pub(crate) lines: Vec<String>,
}

/// What is left of how much.
#[derive(Serialize, Deserialize)]
pub(crate) struct Figures {
    /// What there was of everything, and what is left.
    pub(crate) counts: Vec<(String, u64, u64)>,
    /// How long it took, in seconds.
    pub(crate) seconds: f64,
}

impl Figures {
    /// How many of these there were, and how many are left.
    pub(crate) fn of(&self, what: &str) -> (u64, u64) {
        let found = self.counts.iter().find(|(known, ..)| known == what);
        found.map_or((0, 0), |(_, before, after)| (*before, *after))
    }

    /// The share that is left of these, in percent.
    pub(crate) fn percent(&self, what: &str) -> f64 {
        let (before, after) = self.of(what);
        after as f64 * 100.0 / before.max(1) as f64
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for what in ["events", "nodes", "faults", "operations"] {
            let (before, after) = self.of(what);
            write!(to, "{after} of {before} {what}, ")?;
        }
        write!(to, "{:.1} % of the events, {:.1} s", self.percent("events"), self.seconds)
    }
}

/// Shrinks the job's run, writes the capsule, and says what is left and whether each fault that is
/// left is needed. False when the run does not fail at all.
///
/// # Errors
/// When there is no such run or a file cannot be written.
pub(crate) fn shrink(options: &ShrinkOptions) -> Result<bool, RunnerError> {
    let job = options.which.job();
    let program = this_program()?;
    let before = process::run(&program, &job, None, &[]);
    if before.passed() {
        println!("{job} passes: there is nothing to shrink");
        return Ok(false);
    }
    let least = least(&program, &job, &before, &options.effort)?;
    let output = options.output.clone().unwrap_or_else(|| {
        format!("target/sim-failures/{}-shrunk.toml", before.fingerprint()).into()
    });
    if let Some(parent) = output.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|source| RunnerError::File { path: parent.to_owned(), source })?;
    }
    write(&output, &least.capsule.text())?;
    least.lines.iter().for_each(|line| println!("{line}"));
    println!("  cargo sim replay {}", output.display());
    Ok(least.holds)
}

/// Finds the smallest run that fails as `before` did, which is the outcome of `job`.
///
/// # Errors
/// When there is no such run or a file cannot be written.
pub(crate) fn least(
    program: &Path,
    job: &Job,
    before: &SeedOutcome,
    effort: &Effort,
) -> Result<Least, RunnerError> {
    let plan = entry::plan_of(job)?;
    let mut trials = Trials::new(program, before, effort)?;
    let smallest = shrink::shrink(trial(plan.clone(), before), &mut trials);
    trials.bar.finish_and_clear();
    let seconds = trials.started.elapsed().as_secs_f64();
    let after = trials.run(0, &smallest.plan);
    let again = trials.run(0, &smallest.plan);
    let same = after.hash == again.hash && after.fingerprint() == trials.fingerprint;
    let mut lines =
        vec![format!("{job}: {}, {} tries, {seconds:.1} s", trials.fingerprint, trials.tried)];
    let counts = counts(&plan, before, &smallest.plan, &after);
    let figures = Figures { counts, seconds };
    lines.extend(rows(&figures).into_iter().map(|line| format!("  {line}")));
    let mut say = |line| lines.push(line);
    let needed = necessary(&smallest.plan, &trials, &mut say)
        && stalls(&plan, &smallest.plan, &trials, &mut say);
    let verdict = if same { "the same hash" } else { "ANOTHER HISTORY: a bug of first rank" };
    lines.push(format!("  again in another process: {verdict}"));
    // What is left behind in the temporary directory is only files.
    let _ = std::fs::remove_dir_all(&trials.dir);
    Ok(Least { capsule: capsule::of(smallest.plan, &after), holds: same && needed, figures, lines })
}

/// Tries each plan in which one of the faults is missing, and says what came of it.
fn necessary(plan: &Plan, trials: &Trials<'_>, say: &mut impl FnMut(String)) -> bool {
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
        say(format!("  without {:?} of {} at {at:.3} s: {verdict}", strike.kind, strike.node));
    }
    needed
}

/// Whether who does not come in the time that was left does not come in all the time either.
fn stalls(before: &Plan, small: &Plan, trials: &Trials<'_>, say: &mut impl FnMut(String)) -> bool {
    let settle_ms = before.phases.settle_ms;
    if small.phases.settle_ms == settle_ms {
        return true;
    }
    let mut patient = small.clone();
    patient.phases.settle_ms = settle_ms;
    let same = trials.run(0, &patient).fingerprint() == trials.fingerprint;
    let verdict = if same { "fails as well" } else { "PASSES: it is only slow" };
    say(format!("  with all of {} s to settle: {verdict}", settle_ms / 1_000));
    same
}

fn counts(
    plan: &Plan,
    before: &SeedOutcome,
    small: &Plan,
    after: &SeedOutcome,
) -> Vec<(String, u64, u64)> {
    let count = |of: fn(&Plan) -> usize| (of(plan) as u64, of(small) as u64);
    let (nodes, faults) = (count(|plan| plan.nodes().len()), count(|plan| plan.strikes.len()));
    let operations = count(Plan::operations);
    let all = [
        ("events", before.events, after.events),
        ("nodes", nodes.0, nodes.1),
        ("faults", faults.0, faults.1),
        ("operations", operations.0, operations.1),
        ("simulated ms", before.simulated_ms, after.simulated_ms),
    ];
    all.into_iter().map(|(what, one, other)| (what.to_owned(), one, other)).collect()
}

fn rows(figures: &Figures) -> Vec<String> {
    let row = |(what, one, other): &(String, u64, u64)| {
        let share = format!("{:.1} %", figures.percent(what));
        vec![what.clone(), one.to_string(), other.to_string(), share]
    };
    let head = ["", "before", "after", "left"].map(str::to_owned).to_vec();
    table::align(&std::iter::once(head).chain(figures.counts.iter().map(row)).collect::<Vec<_>>())
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
    fn new(program: &'a Path, failed: &SeedOutcome, effort: &Effort) -> Result<Self, RunnerError> {
        let (id, print) = (std::process::id(), failed.fingerprint());
        let dir = std::env::temp_dir().join(format!("hotfire-shrink-{id}-{print}"));
        std::fs::create_dir_all(&dir)
            .map_err(|source| RunnerError::File { path: dir.clone(), source })?;
        let template = "{bar:40} {pos}/{len} tries  {elapsed}  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        Ok(Self {
            program,
            fingerprint: print,
            dir,
            width: pool::width(effort.jobs),
            tries_max: effort.tries,
            tried: 0,
            refuted: BTreeSet::new(),
            started: Instant::now(),
            limit: Duration::from_secs(effort.seconds),
            bar: ProgressBar::new(effort.tries).with_style(style),
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
