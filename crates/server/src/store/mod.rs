//! `hotfire store`: a store looked at and put right without a broker.

mod check;
mod colour;
mod dump;
mod place;
mod progress;
mod render;
mod repair;

use crate::cli::StoreCommand;
use crate::failure::Failure;

/// Runs one of the verbs.
pub(crate) async fn run(command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check(args) => check::run(args).await,
        StoreCommand::Dump(args) => dump::run(args).await,
        StoreCommand::Repair(args) => repair::run(args).await,
    }
}
