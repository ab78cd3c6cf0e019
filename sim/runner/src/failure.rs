//! A failure, told: a directory to keep, and at most forty lines on the terminal.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::outcome::SeedOutcome;

/// Events of the culprit's life that are shown.
const EVENTS_SHOWN_MAX: usize = 12;
/// Lines of the world that are shown.
const WORLD_SHOWN_MAX: usize = 14;

/// The command that runs this seed again.
pub(crate) fn replay_command(outcome: &SeedOutcome) -> String {
    format!("cargo sim replay {}", outcome.job().arguments().join(" "))
}

/// The command that shows this run as a page.
fn timeline_command(outcome: &SeedOutcome) -> String {
    format!("cargo sim timeline {} -o run.html", outcome.job().arguments().join(" "))
}

/// What a person is shown.
pub(crate) fn story(outcome: &SeedOutcome) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{words}");
    };
    line(&format!("seed {} of `{}` FAILED", outcome.seed, outcome.scenario));
    line(&format!("  again:  {}", replay_command(outcome)));
    line(&format!("  look:   {}", timeline_command(outcome)));
    for broken in outcome.broken.iter().take(2) {
        line(&format!("  {}: {}", broken.id, broken.sentence));
        for detail in broken.details.lines().take(10) {
            line(&format!("    {detail}"));
        }
        for event in broken.events.iter().take(EVENTS_SHOWN_MAX / outcome.broken.len().min(2)) {
            line(&format!("      {event}"));
        }
    }
    if outcome.broken.len() > 2 {
        line(&format!("  and {} more violations", outcome.broken.len() - 2));
    }
    for words in outcome.world.iter().take(WORLD_SHOWN_MAX) {
        line(&format!("  | {words}"));
    }
    line(&format!("  hash {}  fingerprint {}", outcome.hash, outcome.fingerprint()));
    text
}

/// Writes the whole outcome below `reports` and returns the directory.
///
/// # Errors
/// What the operating system says.
pub(crate) fn keep(reports: &Path, outcome: &SeedOutcome) -> std::io::Result<PathBuf> {
    let dir = reports.join(format!("{}-{}", outcome.fingerprint(), outcome.seed));
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("story.txt"), story(outcome))?;
    let json = serde_json::to_string_pretty(outcome).map_err(std::io::Error::other)?;
    std::fs::write(dir.join("outcome.json"), json)?;
    Ok(dir)
}
