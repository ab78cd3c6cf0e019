//! `hotfire store check`: every file against every other.

use std::io::Write;

use store::inspect::{CheckOptions, check};

use super::colour::Colours;
use super::place::{LOCK, failed, open, survey};
use super::progress::Progress;
use super::render;
use crate::cli::StoreCheckArgs;
use crate::failure::Failure;

/// Checks a store and writes what was found.
///
/// # Errors
/// Something is wrong with the store (exit code 1), or it could not be checked (2).
pub(crate) async fn run(args: StoreCheckArgs) -> Result<(), Failure> {
    let runtime = open(&args.dir)?;
    let dir = args.dir.display();
    let holder = || async {
        let asked = runtime.disk.lock_holder(LOCK).await;
        let what = "cannot see whether a broker runs";
        asked.map_err(|error| Failure::from_error(what, &error).could_not())
    };
    if let Some(holder) = holder().await?
        && !args.live
    {
        return Err(Failure::new(format!("the store in {dir} is in use"))
            .because(format!("{holder} holds its lock"))
            .remedy(
                "stop the broker first, or give --live: what is found about the newest messages \
                 may be wrong then",
            )
            .could_not());
    }
    let survey = survey(&runtime, &args.dir).await?;
    let progress = Progress::start(&runtime, survey.log_bytes());
    let options = CheckOptions { index_slots: args.index_slots };
    let started = runtime.clock.monotonic();
    let report = check(&runtime.disk, &survey, options, &progress.done).await;
    let elapsed = runtime.clock.monotonic().since(started);
    progress.finish().await;
    let report = report.map_err(|error| failed(&args.dir, &error))?;
    if !args.live && holder().await?.is_some() {
        tracing::warn!("a broker was started during the check; check again without it");
    }
    let colours = Colours::of_stdout();
    let text = match args.json {
        true => format!("{}\n", render::object(&report, elapsed)),
        false => {
            let findings = render::findings(&report.findings, &colours);
            let summary = render::summary(&report.summary);
            format!("{findings}{summary}{}", render::verdict(&report, elapsed, &colours))
        }
    };
    // Whoever closed the pipe has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    if report.is_sound() { Ok(()) } else { Err(Failure::told()) }
}
