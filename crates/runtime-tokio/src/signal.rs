//! The operator's request to stop.

use std::io;

use runtime::sync::{Either, race};
use tokio::signal::unix::{SignalKind, signal};

/// Returns the signal's name once the process is asked to stop (SIGTERM or SIGINT). From the first
/// call on these no longer kill the process.
///
/// # Errors
/// The handlers cannot be installed.
pub async fn stop_requested() -> io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(match race(terminate.recv(), interrupt.recv()).await {
        Either::Left(_) => "SIGTERM",
        Either::Right(_) => "SIGINT",
    })
}
