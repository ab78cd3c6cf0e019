//! `hotfire store repair`: what a check finds and the log can mend, after asking.

use std::io::{IsTerminal, Write};

use store::inspect::{CheckOptions, Plan, check, repair};

use super::colour::Colours;
use super::place::{LOCK, failed, open, survey};
use super::progress::Progress;
use crate::cli::StoreRepairArgs;
use crate::failure::Failure;
use crate::text::grouped;

/// Checks a store, says what it would do, asks, and does it.
///
/// # Errors
/// The store is in use or cannot be read (2); it was not done, or something is left to do (1).
pub(crate) async fn run(args: StoreRepairArgs) -> Result<(), Failure> {
    let runtime = open(&args.dir)?;
    let dir = args.dir.display();
    // Looked at before the lock is taken, which makes a file.
    survey(&runtime, &args.dir).await?;
    let _held_to_the_end = runtime.disk.lock(LOCK).await.map_err(|error| {
        Failure::from_error(format!("the store in {dir} cannot be locked"), &error)
            .remedy("stop the broker first")
            .could_not()
    })?;
    let survey = survey(&runtime, &args.dir).await?;
    let progress = Progress::start(&runtime, survey.log_bytes());
    let options = CheckOptions { index_slots: args.index_slots };
    let report = check(&runtime.disk, &survey, options, &progress.done).await;
    progress.finish().await;
    let report = report.map_err(|error| failed(&args.dir, &error))?;
    let plan = Plan::of(&runtime.disk, &survey, &report).await;
    say(&render(&plan, &Colours::of_stdout()));
    if plan.steps.is_empty() {
        return remaining(&plan, &dir.to_string());
    }
    if !args.yes && !agreed()? {
        return Err(Failure::new("nothing was changed"));
    }
    repair(&runtime.disk, &plan).await.map_err(|error| failed(&args.dir, &error))?;
    say("done\n");
    remaining(&plan, &dir.to_string())
}

/// What comes after a repair, or what no repair mends.
fn remaining(plan: &Plan, dir: &str) -> Result<(), Failure> {
    if !plan.awaited.is_empty() {
        let count = plan.awaited.len();
        say(&format!("next: start hotfire, which makes {count} of these anew, and stop it\n"));
    }
    if !plan.awaited.is_empty() || !plan.steps.is_empty() {
        say(&format!("then: hotfire store check {dir}\n"));
    }
    match plan.left.len() {
        0 => Ok(()),
        left => Err(Failure::new(format!("{left} findings are not for a tool to mend"))),
    }
}

/// What would be done.
fn render(plan: &Plan, colours: &Colours) -> String {
    let Colours { yellow, red, dim, off, .. } = colours;
    let mut text = String::new();
    for step in &plan.steps {
        let (what, why) = (&step.what, step.why);
        let bytes = match step.bytes {
            0 => String::new(),
            bytes => format!(", {} bytes", grouped(bytes)),
        };
        text += &format!("{yellow}{:8}{off} {what}{bytes}: {dim}{why}{off}\n", verb(&step.remedy));
    }
    for awaited in plan.awaited.iter().filter(|_| plan.steps.is_empty()) {
        text +=
            &format!("{yellow}{:8}{off} {awaited}: removed before, not made anew yet\n", "await");
    }
    for left in &plan.left {
        text += &format!("{red}{:8}{off} {left}\n", "leave");
    }
    if text.is_empty() && plan.awaited.is_empty() {
        text += "nothing to repair\n";
    }
    text
}

fn verb(remedy: &store::inspect::Remedy) -> &'static str {
    match remedy {
        store::inspect::Remedy::Remove(_) => "remove",
        store::inspect::Remedy::DropMark(_) => "drop",
        store::inspect::Remedy::Restore(..) => "restore",
    }
}

/// Asks the operator.
fn agreed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new("nothing was changed")
            .because("there is no terminal to ask at")
            .remedy("give --yes to do what is said above"));
    }
    say("Do this? [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| Failure::from_error("nothing was changed", &error))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // The answer is asked for at the terminal, whoever reads this.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
