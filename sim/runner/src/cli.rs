//! The command line of `cargo sim`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::job::Job;

/// Runs the whole cluster inside the deterministic simulator.
#[derive(Parser)]
#[command(name = "cargo sim", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run seeds; exit 1 on any violation
    Run(RunOptions),
    /// Run one seed or capsule again, byte for byte, and show what happened
    Replay(ReplayOptions),
    /// Write a run down as data: it means the same after scenarios or generators have changed
    Capsule(CapsuleOptions),
    /// Run one seed or capsule again and show it as a page: processes, requests, faults, violations
    Timeline(TimelineOptions),
    /// Find the smallest capsule that still fails in the same way
    Shrink(ShrinkOptions),
    /// Hold every regression entry against its mutant: it fails with it and passes without
    Seeds(SeedsOptions),
    /// Run each seed twice, in separate processes with other environments, and compare
    CheckDeterminism(DeterminismOptions),
    /// Merge the reports of several shards into one; exit 1 on any failure in them
    Merge(MergeOptions),
    /// Tell what never happened in a run, or too seldom; exit 1 below a floor
    Coverage(CoverageOptions),
    /// Build each mutant of the product and show which invariant kills it, after how many seeds
    Mutants(MutantOptions),
    /// Put a bug of each family in: it is found, told, replayed, shrunk and drawn
    Planted(PlantedOptions),
    /// List the scenarios
    Scenarios,
    /// One seed in this process: what `run` starts for each seed
    #[command(hide = true)]
    One(OneOptions),
}

#[derive(Args, Clone)]
pub(crate) struct RunOptions {
    /// Scenarios to run, by name; all by their weight if none is named
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) scenario: Vec<String>,
    /// How many seeds
    #[arg(long, default_value_t = 200)]
    pub(crate) seeds: u64,
    #[command(flatten)]
    pub(crate) range: Range,
    /// Processes at a time [default: one per processor]
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
    /// Plant a failure as well, which must arrive in the report; exit 3 if it does not
    #[arg(long)]
    pub(crate) canary: bool,
    /// Stop after so many minutes, even if seeds are left
    #[arg(long)]
    pub(crate) minutes: Option<f64>,
    /// Run only the k-th of n parts of the seeds
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(crate) shard: Option<(u64, u64)>,
    /// Write the totals and every failure to this file, as JSON lines that merge
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Stop at the first failure
    #[arg(long)]
    pub(crate) until_failure: bool,
    /// Where failure reports go
    #[arg(long, value_name = "DIR", default_value = "target/sim-failures")]
    pub(crate) reports: PathBuf,
    /// The most seconds to look for a smaller run for each failure that is told; 0 for not at all
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) shrink_seconds: u64,
}

/// Where the seeds begin.
#[derive(Args, Clone)]
pub(crate) struct Range {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Take the first seed from this commit, so that a red run is red again and the next commit
    /// meets others
    #[arg(long, value_name = "COMMIT", conflicts_with = "from", value_parser = commit)]
    seeds_of: Option<u64>,
    /// Begin so many seeds later
    #[arg(long, default_value_t = 0)]
    skip: u64,
}

impl Range {
    /// The first seed.
    pub(crate) fn first(&self) -> u64 {
        self.seeds_of.unwrap_or(self.from).saturating_add(self.skip)
    }
}

/// The first seed of a commit: its first nine digits, with room for a million seeds behind each.
fn commit(text: &str) -> Result<u64, String> {
    let digits = text.get(..9).ok_or("expected a commit's hash, at least nine digits of it")?;
    let number = u64::from_str_radix(digits, 16).map_err(|_| "expected a commit's hash")?;
    Ok(number * 1_000_000)
}

#[derive(Args)]
pub(crate) struct MergeOptions {
    /// Files that `cargo sim run --json` wrote
    #[arg(required = true)]
    pub(crate) reports: Vec<PathBuf>,
    /// Write the merged report to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CoverageOptions {
    /// Files that `cargo sim run --json` or `cargo sim merge` wrote; together they are one run
    #[arg(required = true)]
    pub(crate) reports: Vec<PathBuf>,
}

/// Which run: a scenario and a seed, or a file.
#[derive(Args, Clone)]
pub(crate) struct Which {
    /// The scenario's name
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    scenario: Option<String>,
    /// The seed
    #[arg(long, required_unless_present = "file")]
    seed: Option<u64>,
    /// A capsule, or a regression entry from seeds/, instead of scenario and seed
    #[arg(conflicts_with_all = ["scenario", "seed"])]
    pub(crate) file: Option<PathBuf>,
}

impl Which {
    /// The run to start.
    pub(crate) fn job(&self) -> Job {
        match (&self.file, &self.scenario, self.seed) {
            (Some(path), ..) => Job::Capsule(path.clone()),
            (None, Some(scenario), Some(seed)) => Job::seed(scenario, seed),
            _ => unreachable!("clap requires both without a file"),
        }
    }
}

#[derive(Args)]
pub(crate) struct TimelineOptions {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Where the page goes; its name ends in .html
    #[arg(short, long, value_name = "FILE", default_value = "run.html")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct ReplayOptions {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Show every event of the simulated world
    #[arg(long)]
    pub(crate) trace: bool,
}

#[derive(Args)]
pub(crate) struct CapsuleOptions {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Where to write it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args)]
pub(crate) struct ShrinkOptions {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Where to write the smallest capsule [default: target/sim-failures/<fingerprint>-shrunk.toml]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) effort: Effort,
}

/// Runs to try at most for a smaller one.
const TRIES_MAX: u64 = 4_000;

/// How hard to look for the smallest capsule.
#[derive(Args)]
pub(crate) struct Effort {
    /// The most runs to try
    #[arg(long, default_value_t = TRIES_MAX)]
    pub(crate) tries: u64,
    /// The most seconds to take; what was reached until then is kept
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// Processes at a time [default: one per processor]
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { tries: TRIES_MAX, seconds: 60, jobs: None }
    }
}

#[derive(Args)]
pub(crate) struct SeedsOptions {
    /// Only entries whose path contains this
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub(crate) only: Vec<String>,
    /// Build no mutants: only see that every entry passes without its bug
    #[arg(long)]
    pub(crate) without_mutants: bool,
    /// Take the runners that `mutants` or this command built the last time, where there are some
    #[arg(long)]
    pub(crate) built: bool,
}

#[derive(Args)]
pub(crate) struct DeterminismOptions {
    /// How many seeds
    #[arg(long, default_value_t = 100)]
    pub(crate) seeds: u64,
    #[command(flatten)]
    pub(crate) range: Range,
    /// Processes at a time [default: one per processor]
    #[arg(long)]
    pub(crate) jobs: Option<usize>,
    /// Append a line about this run to the table in this file
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct MutantOptions {
    /// Only mutants whose file name begins so
    #[arg(long, value_name = "M07", num_args = 1..)]
    pub(crate) only: Vec<String>,
    /// Those of ci/mutants-fresh instead: the simulator was not made by them
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Only build them, and print each runner's path: it replays and shrinks what it fails by
    #[arg(long, conflicts_with = "table")]
    pub(crate) build: bool,
    /// Only the k-th of n parts of the mutants: the gate tries one part a change, in turn
    #[arg(long, value_name = "K/N", value_parser = shard)]
    pub(crate) shard: Option<(u64, u64)>,
    /// Write the table to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct PlantedOptions {
    /// Only these families
    #[arg(long, value_name = "FAMILY", num_args = 1..)]
    pub(crate) only: Vec<String>,
    /// Write the table to this file, as Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) table: Option<PathBuf>,
    /// Where the reports go
    #[arg(long, value_name = "DIR", default_value = "target/sim-planted")]
    pub(crate) reports: PathBuf,
    /// The most seconds to look for a smaller run of each
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) shrink_seconds: u64,
    /// Take the runners that `mutants` or this command built the last time, where there are some
    #[arg(long)]
    pub(crate) built: bool,
}

#[derive(Args)]
pub(crate) struct OneOptions {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Write every event of the simulated world to this file; as a page if it ends in .html
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Leave out what comes before this event, and what comes a mark later
    #[arg(long, value_name = "EVENT", default_value_t = 0, requires = "trace")]
    pub(crate) trace_from: u64,
}

fn shard(text: &str) -> Result<(u64, u64), String> {
    let (k, n) = text.split_once('/').ok_or("expected K/N, such as 1/4")?;
    match (k.parse(), n.parse()) {
        (Ok(k), Ok(n)) if 1 <= k && k <= n => Ok((k, n)),
        _ => Err("expected K/N with 1 ≤ K ≤ N, such as 1/4".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_commit_is_a_first_seed_and_others_have_others() {
        assert_eq!(commit("00000000afff"), Ok(10_000_000));
        assert_ne!(commit("f930656a1b2c"), commit("f930656a2b2c"));
        assert!(commit("main").is_err() && commit("not-a-hash").is_err());
        assert!(commit("fffffffffffff").is_ok_and(|seed| seed < 1 << 60));
    }

    #[test]
    fn a_shard_is_one_of_its_parts() {
        assert_eq!(shard("2/4"), Ok((2, 4)));
        assert!(shard("0/4").is_err() && shard("5/4").is_err() && shard("4").is_err());
    }
}
