//! A failure, told: a directory to keep, and at most forty lines on the terminal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::capsule;
use crate::cli::Effort;
use crate::entry;
use crate::error::RunnerError;
use crate::host::write;
use crate::job::Job;
use crate::outcome::{Broken, SeedOutcome};
use crate::process;
use crate::shrink;
use crate::table;

/// Failures that are told in full on the terminal; the others are counted.
const STORIES_MAX: usize = 3;

/// Lines of a story, so that it stays on one screen.
const LINES_MAX: usize = 40;
/// Lines of each part of it.
const DETAILS_MAX: usize = 4;
const DERIVATION_MAX: usize = 7;
const LIFE_MAX: usize = 5;
const WORLD_MAX: usize = 10;
/// Columns of a line that are shown; the files have all.
const COLUMNS_MAX: usize = 140;

/// How failures are told.
pub(crate) struct Telling<'a> {
    /// Where reports go.
    pub(crate) reports: &'a Path,
    /// The runner in which they failed.
    pub(crate) program: &'a Path,
    /// The most that is done to find a smaller run for each that is told.
    pub(crate) effort: Effort,
}

/// Keeps a report of every failure and tells the first of each fingerprint, the first few of them.
/// A replay command is printed after it was tried twice, and a smaller run is looked for.
///
/// # Errors
/// When a report cannot be written.
pub(crate) fn tell(failures: &[SeedOutcome], telling: &Telling<'_>) -> Result<(), RunnerError> {
    let mut told: Vec<String> = Vec::new();
    for outcome in failures {
        let print = outcome.fingerprint();
        let tells = told.len() < STORIES_MAX && !told.contains(&print);
        let dir = keep(telling.reports, outcome)?;
        let less = if tells { shrink(outcome, telling, &dir)? } else { None };
        let story = story(outcome, tells.then(|| verify(outcome, telling.program)), less.as_ref());
        write(&dir.join("story.txt"), &whole(&story))?;
        if tells {
            told.push(print);
            story.iter().for_each(|line| println!("{line}"));
            println!("  kept in {}\n", dir.display());
        }
    }
    groups(failures).iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// A smaller run that fails in the same way, in files.
pub(crate) struct Less {
    /// Its capsule.
    capsule: PathBuf,
    /// Its timeline.
    page: PathBuf,
    /// What is left of how much.
    sum: String,
}

/// Looks for a smaller run and puts it, its figures and its timeline into the report. None when
/// that takes no time by order, or cannot be done: a run that hangs takes minutes for each try, and
/// one run alone has no two histories.
fn shrink(
    outcome: &SeedOutcome,
    telling: &Telling<'_>,
    dir: &Path,
) -> Result<Option<Less>, RunnerError> {
    let cannot = |first: &Broken| first.id == "X1" || first.details.starts_with("hung");
    if telling.effort.seconds == 0 || outcome.broken.first().is_none_or(cannot) {
        return Ok(None);
    }
    let least = shrink::least(telling.program, &outcome.job(), outcome, &telling.effort)?;
    let (capsule, page) = (dir.join("shrunk.toml"), dir.join("run.html"));
    write(&capsule, &least.capsule.text())?;
    write(&dir.join("shrunk.txt"), &whole(&least.lines))?;
    process::run(telling.program, &Job::Capsule(capsule.clone()), Some(&page), &[]);
    let figures = serde_json::to_string(&least.figures).expect("figures are plain data");
    write(&dir.join("shrunk.json"), &figures)?;
    let doubt = if least.holds { "" } else { "; NOT ALL OF IT IS NEEDED: see shrunk.txt" };
    let sum = format!("{}{doubt}", least.figures);
    Ok(Some(Less { capsule, page, sum }))
}

/// Failures that are the same, as a table.
fn groups(failures: &[SeedOutcome]) -> Vec<String> {
    let mut groups: BTreeMap<String, Vec<&SeedOutcome>> = BTreeMap::new();
    for outcome in failures {
        groups.entry(outcome.fingerprint()).or_default().push(outcome);
    }
    let mut rows: Vec<Vec<String>> = groups
        .iter()
        .map(|(print, same)| vec![print.clone(), same.len().to_string(), same[0].job().to_string()])
        .collect();
    if !rows.is_empty() {
        rows.insert(0, ["failures by fingerprint", "seeds", "the first"].map(str::to_owned).into());
        rows.push(Vec::new());
    }
    table::align(&rows)
}

/// Whether two more processes make the same history of it.
pub(crate) fn verify(outcome: &SeedOutcome, program: &Path) -> bool {
    (0..2).all(|_| {
        let again = process::run(program, &outcome.job(), None, &[]);
        again.hash == outcome.hash && again.fingerprint() == outcome.fingerprint()
    })
}

/// What a person is shown. `same` says whether more runs made the same history, if they were tried;
/// `less` is a smaller run, if one was looked for.
pub(crate) fn story(outcome: &SeedOutcome, same: Option<bool>, less: Option<&Less>) -> Vec<String> {
    let arguments = outcome.job().arguments().join(" ");
    let tried = match same {
        Some(true) => "tried twice more: the same hash",
        Some(false) => "TRIED TWICE MORE: ANOTHER HISTORY, a bug of first rank",
        None => "not tried again",
    };
    let mut lines = vec![
        format!("{} FAILED", outcome.job()),
        format!("  again:  cargo sim replay {arguments}    ({tried})"),
    ];
    match less {
        None => lines.extend([
            format!("  less:   cargo sim shrink {arguments}"),
            format!("  look:   cargo sim timeline {arguments} -o run.html"),
        ]),
        Some(Less { capsule, page, sum }) => lines.extend([
            format!("  less:   cargo sim replay {}", capsule.display()),
            format!("          {sum}"),
            format!("  look:   {}", page.display()),
        ]),
    }
    let mut part = |indent: &str, from: &[String], most: usize| {
        let shown = from.iter().take(most).map(|line| {
            let line: String = line.chars().take(COLUMNS_MAX).collect();
            format!("{indent}{line}")
        });
        lines.extend(shown);
        if from.len() > most {
            lines.push(format!("{indent}… and {} lines more", from.len() - most));
        }
    };
    if let Some(first) = outcome.broken.first() {
        let details: Vec<String> = first.details.lines().map(str::to_owned).collect();
        part("  ", &[format!("{}: {}", first.id, first.sentence)], 1);
        part("    ", &details, DETAILS_MAX);
        let mut others = BTreeMap::<&str, usize>::new();
        outcome.broken[1..].iter().for_each(|other| *others.entry(&other.id).or_default() += 1);
        let others: Vec<String> =
            others.iter().map(|(id, count)| format!("{id} {count} times")).collect();
        if !others.is_empty() {
            part("    ", &[format!("also broken: {}", others.join(", "))], 1);
        }
    }
    if let Some(culprit) = &outcome.culprit {
        part("    ", &culprit.derivation, DERIVATION_MAX);
        let skip = culprit.life.len().saturating_sub(LIFE_MAX);
        part("      ", &culprit.life[skip..], LIFE_MAX);
        part("  ", &[format!("{} entries in the ledger of faults", culprit.ledger.len())], 1);
    }
    part("  | ", &outcome.world, WORLD_MAX);
    let print = outcome.fingerprint();
    let (hash, events) = (&outcome.hash, outcome.events);
    part("  ", &[format!("hash {hash} after {events} events, fingerprint {print}")], 1);
    debug_assert!(lines.len() <= LINES_MAX, "{} lines", lines.len());
    lines
}

/// Where the report of a failure is kept.
pub(crate) fn dir(reports: &Path, outcome: &SeedOutcome) -> PathBuf {
    let (print, scenario) = (outcome.fingerprint(), slug(&outcome.scenario));
    reports.join(format!("{print}-{scenario}-{}", outcome.seed))
}

/// Writes everything that is known below `reports` and returns the directory.
///
/// # Errors
/// When a file cannot be written.
fn keep(reports: &Path, outcome: &SeedOutcome) -> Result<PathBuf, RunnerError> {
    let dir = dir(reports, outcome);
    std::fs::create_dir_all(&dir)
        .map_err(|source| RunnerError::File { path: dir.clone(), source })?;
    write(&dir.join("world.txt"), &whole(&outcome.world))?;
    if let Some(culprit) = &outcome.culprit {
        write(&dir.join("derivation.txt"), &whole(&culprit.derivation))?;
        write(&dir.join("culprit.txt"), &whole(&culprit.life))?;
        write(&dir.join("ledger.txt"), &whole(&culprit.ledger))?;
    }
    let capsule = capsule::of(entry::plan_of(&outcome.job())?, outcome);
    write(&dir.join("capsule.toml"), &capsule.text())?;
    let json = serde_json::to_string_pretty(outcome).expect("an outcome is plain data");
    write(&dir.join("outcome.json"), &json)?;
    Ok(dir)
}

fn whole(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A scenario's name, or a path in its stead, as part of a directory's name.
fn slug(name: &str) -> String {
    name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Culprit;

    #[test]
    fn a_story_fits_on_a_screen_however_much_there_is_to_tell() {
        let many = |what: &str| vec![what.repeat(90); 300];
        let broken = Broken {
            id: "D1".into(),
            sentence: "It stays.".into(),
            details: many("gone ").join("\n"),
            events: many("event "),
        };
        let culprit =
            Culprit { derivation: many("why "), life: many("life "), ledger: many("PK ") };
        let outcome = SeedOutcome {
            broken: vec![broken.clone(), broken],
            world: many("node "),
            culprit: Some(culprit),
            ..SeedOutcome::default()
        };
        let less = Less {
            capsule: "reports/shrunk.toml".into(),
            page: "reports/run.html".into(),
            sum: "1 of 9 events".into(),
        };
        let lines = story(&outcome, Some(true), Some(&less));
        assert!(lines.len() < LINES_MAX, "{}", lines.join("\n"));
        for told in [
            "cargo sim replay",
            "shrunk.toml",
            "1 of 9",
            "tried twice more",
            "It stays.",
            "fingerprint D1-",
            "ledger",
        ] {
            assert!(lines.iter().any(|line| line.contains(told)), "{told}");
        }
    }
}
