//! `cargo sim`: plan, run, observe, replay, report.

#![expect(clippy::disallowed_methods, reason = "it faces the developer: processes, reports, time")]

mod capsule;
mod cli;
mod coverage;
mod determinism;
mod entry;
mod error;
mod failure;
mod farm;
mod fingerprint;
mod host;
mod job;
mod meter;
mod mutants;
mod outcome;
mod planted;
mod pool;
mod process;
mod recording;
mod replay;
mod run;
mod schedule;
mod score;
mod scratch;
mod seed;
mod seeds;
mod shrink;
mod sink;
mod table;
mod timeline;
mod totals;
mod twice;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::error::RunnerError;

/// Runs are short and allocate much: see the decision in ARCHITECTURE.md.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match execute(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error @ RunnerError::Farm(_)) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does what was asked and says whether all is well.
fn execute(cli: Cli) -> Result<bool, RunnerError> {
    match cli.command {
        Command::Run(options) => run::run(&options),
        Command::Replay(options) => replay::replay(&options),
        Command::Capsule(options) => capsule::write_down(&options),
        Command::Timeline(options) => timeline::timeline(&options),
        Command::Shrink(options) => shrink::shrink(&options),
        Command::Seeds(options) => seeds::check(&options),
        Command::CheckDeterminism(options) => determinism::check(&options),
        Command::Merge(options) => farm::merge(&options),
        Command::Coverage(options) => coverage::coverage(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Planted(options) => planted::run(&options),
        Command::Scenarios => {
            let rows: Vec<Vec<String>> = seed::scenarios()
                .iter()
                .map(|scenario| vec![scenario.name.clone(), scenario.title.clone()])
                .collect();
            table::align(&rows).iter().for_each(|line| println!("{line}"));
            Ok(true)
        }
        Command::One(options) => seed::one(&options),
    }
}
