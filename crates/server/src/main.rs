//! The one binary: command line, configuration and wiring.
//!
//! *Invariant:* nothing here knows how a message is stored, sent or served. It turns what the
//! operator wrote into the configuration of the packages below, opens this machine's doors for
//! them, and tells the operator what became of it.

#![expect(clippy::disallowed_methods, reason = "it faces the operator: files and the console")]

mod bench;
mod broker_config;
mod cli;
mod config;
mod config_list;
mod consume;
mod failure;
mod logging;
mod machine;
mod position;
mod produce;
mod query;
mod recovering;
mod serve;
mod store;
mod text;
mod tool;

use std::process::ExitCode;

use clap::Parser;

use cli::{BenchCommand, Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let serves =
        matches!(cli.command, Command::Standalone(_) | Command::Namesrv(_) | Command::Broker(_));
    let filter = cli.log.as_deref().unwrap_or(if serves { "info" } else { "warn" });
    logging::start(cli.log_format, filter)?;
    let threads = tokio::runtime::Builder::new_multi_thread()
        .thread_name("hotfire")
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error("cannot start the threads", &error))?;
    // On a worker, as everything else: what the main thread polls, the workers would be woken for.
    let command = threads.spawn(dispatch(cli.command));
    threads.block_on(command).unwrap_or_else(|error| {
        Err(Failure::from_error("a bug of hotfire ended the command", &error))
    })
}

async fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Standalone(args) => serve::standalone(args).await,
        Command::Namesrv(args) => serve::namesrv(args).await,
        Command::Broker(args) => serve::broker(args).await,
        Command::Produce(args) => produce::run(args).await,
        Command::Consume(args) => consume::run(args).await,
        Command::Query(args) => query::run(args).await,
        Command::Bench(BenchCommand::Produce(args)) => bench::produce(args).await,
        Command::Bench(BenchCommand::Consume(args)) => bench::consume(args).await,
        Command::Store(command) => store::run(command).await,
        Command::Config => config_list::run(),
    }
}
