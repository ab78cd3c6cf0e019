//! `hotfire consume`: messages to the standard output.
//!
//! With a group, a push consumer is a member of it and the broker keeps its progress. Without one,
//! every queue is read by pulls and nothing is kept.

mod group;
mod pull;
mod sink;

use std::io::IsTerminal;
use std::sync::Arc;

use runtime::sync::{Either, race};

use crate::cli::ConsumeArgs;
use crate::failure::Failure;
use crate::position::Position;
use crate::tool::Tool;
use sink::Sink;
pub(crate) use sink::as_json;

/// Writes messages until `--max`, the operator or the closed output ends it.
pub(crate) async fn run(args: ConsumeArgs) -> Result<(), Failure> {
    let tool = Tool::start(args.cluster.namesrv.clone())?;
    if args.from == Position::Last && args.group.is_none() && std::io::stderr().is_terminal() {
        eprintln!("waiting for new messages; --from first reads those already there");
    }
    let sink = Arc::new(Sink::new(args.max, args.json));
    let result = match &args.group {
        Some(group) => group::run(&tool, &args, group, sink.clone()).await,
        None => match race(pull::run(&tool, &args, sink.clone()), sink.ended()).await {
            Either::Left(failed) => Err(failed),
            Either::Right(()) => Ok(()),
        },
    };
    tool.client.shutdown().await;
    result
}
