//! Logs on the standard error, for people or for machines.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Plain,
    /// One JSON object per line.
    Json,
}

/// Starts logging; panics are logged too.
///
/// # Errors
/// The filter is not one.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::from_error(format!("--log {filter}: not a log filter"), &error)
            .remedy("give a level (error, warn, info, debug, trace), or store=debug,warn")
    })?;
    let stderr = std::io::stderr();
    let colour = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Plain => logs.with_ansi(colour).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("not a text");
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic: {text}");
    }));
    Ok(())
}
