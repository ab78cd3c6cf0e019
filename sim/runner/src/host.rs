//! The machine on which the runner runs: its own binary, files to write, the terminal.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::RunnerError;

/// The binary that runs, for its children.
///
/// # Errors
/// When the operating system does not say.
pub(crate) fn this_program() -> Result<PathBuf, RunnerError> {
    std::env::current_exe()
        .map_err(|source| RunnerError::File { path: PathBuf::from("the running binary"), source })
}

/// A progress bar on a terminal, nothing elsewhere.
pub(crate) fn progress(len: u64) -> ProgressBar {
    let template = "{bar:40} {pos}/{len} seeds  {per_sec}  {eta} left  {msg}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::new(len).with_style(style)
}

/// Writes a file that the caller asked for.
///
/// # Errors
/// When it cannot be written, with its path.
pub(crate) fn write(path: &std::path::Path, text: &str) -> Result<(), RunnerError> {
    std::fs::write(path, text).map_err(|source| RunnerError::File { path: path.to_owned(), source })
}
