//! `cargo sim timeline`: one run as a page to look at.

use std::path::Path;

use crate::cli::TimelineOptions;
use crate::entry;
use crate::error::RunnerError;
use crate::host::this_program;
use crate::process;

/// Runs what is asked for once more and writes its page. A failed run is no error here: it is what
/// one wants to see.
///
/// # Errors
/// When the scenario or the entry is unknown, or the page cannot be written.
pub(crate) fn timeline(options: &TimelineOptions) -> Result<bool, RunnerError> {
    let job = options.which.job();
    // What is wrong with the name or the file is said here, not by a child.
    entry::plan_of(&job)?;
    let page = options.output.as_path();
    if page.extension().is_none_or(|ending| ending != "html") {
        let problem = "a timeline is a page: give it a name that ends in .html".to_owned();
        return Err(RunnerError::Malformed { path: page.to_owned(), problem });
    }
    let outcome = process::run(&this_program()?, &job, Some(page), &[]);
    let verdict = match outcome.broken.first() {
        None => "passed".to_owned(),
        Some(broken) => format!("FAILED: {} {}", broken.id, broken.sentence),
    };
    println!("{job} {verdict}");
    println!("  hash {}", outcome.hash);
    if !page.exists() {
        let problem = "the run ended before its page was written".to_owned();
        return Err(RunnerError::Malformed { path: page.to_owned(), problem });
    }
    println!("  timeline: {} (opens in any browser, without a network)", shown(page));
    Ok(true)
}

/// The path, whole if it can be told.
fn shown(page: &Path) -> String {
    page.canonicalize().unwrap_or_else(|_| page.to_owned()).display().to_string()
}
