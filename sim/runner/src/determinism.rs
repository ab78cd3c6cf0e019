//! `cargo sim check-determinism`: the same seed, the same history, on any machine.

use std::path::{Path, PathBuf};

use crate::cli::DeterminismOptions;
use crate::error::RunnerError;
use crate::host::{progress, this_program};
use crate::job::Job;
use crate::outcome::SeedOutcome;
use crate::pool;
use crate::process;
use crate::schedule;

/// The other environment of the second run: whatever a program might read by mistake.
const ELSEWHERE: [(&str, &str); 5] = [
    ("TZ", "Pacific/Kiritimati"),
    ("LANG", "tr_TR.UTF-8"),
    ("RUST_LOG", "trace"),
    ("HOME", "/nonexistent"),
    ("HOTFIRE_SIM_PADDING", "moves the stack and the heap a little, as another machine would"),
];

/// Runs each seed twice and says whether every pair agrees.
///
/// # Errors
/// When a trace cannot be read.
pub(crate) fn check(options: &DeterminismOptions) -> Result<bool, RunnerError> {
    let chosen = schedule::scenarios(&[])?;
    let seeds = options.from..options.from.saturating_add(options.seeds);
    let jobs: Vec<Job> = seeds
        .map(|seed| {
            let scenario = &chosen[usize::try_from(seed).unwrap_or(0) % chosen.len()].0;
            Job::seed(scenario, seed)
        })
        .collect();
    let program = this_program()?;
    let bar = progress(jobs.len() as u64);
    let (mut same, mut differ) = (0u64, Vec::new());
    pool::run_all(&program, &jobs, pool::width(options.jobs), |first| {
        let job = Job::seed(&first.scenario, first.seed);
        let second = process::run(&program, &job, None, &ELSEWHERE);
        if alike(&first, &second) {
            same += 1;
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
        println!("  {}", first_difference(&program, job)?);
    }
    println!("{same} passed, {} failed", differ.len());
    Ok(differ.is_empty())
}

fn alike(first: &SeedOutcome, second: &SeedOutcome) -> bool {
    first.hash == second.hash && first.broken == second.broken && !first.hash.is_empty()
}

/// The first event that differs, found by tracing both runs.
fn first_difference(program: &Path, job: &Job) -> Result<String, RunnerError> {
    let path = |run: u8| -> PathBuf {
        std::env::temp_dir().join(format!("hotfire-{run}-{}.trace", std::process::id()))
    };
    let mut texts = Vec::new();
    for (run, environment) in [(1, &[][..]), (2, &ELSEWHERE[..])] {
        process::run(program, job, Some(&path(run)), environment);
        let text = std::fs::read_to_string(path(run))
            .map_err(|source| RunnerError::File { path: path(run), source })?;
        // Left behind, a trace is only a file in the temporary directory.
        let _ = std::fs::remove_file(path(run));
        texts.push(text);
    }
    let (mut one, mut two) = (texts[0].lines(), texts[1].lines());
    let mut number = 0;
    loop {
        number += 1;
        match (one.next(), two.next()) {
            (None, None) => return Ok("the traced runs agree: what differs is not an event".into()),
            (a, b) if a == b => {}
            (a, b) => {
                let [a, b] = [a, b].map(|line| line.unwrap_or("the end"));
                return Ok(format!("first at event {number}:\n    {a}\n    {b}"));
            }
        }
    }
}
