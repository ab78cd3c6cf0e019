//! `cargo sim seeds`: which regression entries have rotted.
//!
//! An entry that names a mutant must fail under it, by the invariant it names, and pass without it.
//! One that names none can only be seen to pass.

use std::path::PathBuf;

use crate::cli::SeedsOptions;
use crate::entry::{self, Entry};
use crate::error::RunnerError;
use crate::host::this_program;
use crate::job::Job;
use crate::mutants;
use crate::process;
use crate::scratch::{Scratch, workspace_root};
use crate::table;

/// Holds every entry against its mutant and says whether none has rotted.
///
/// # Errors
/// When an entry or its mutant is malformed, or the mutant does not build.
pub(crate) fn check(options: &SeedsOptions) -> Result<bool, RunnerError> {
    let root = workspace_root();
    let mut entries = entry::all(&root.join("seeds"))?;
    entries.retain(|(path, _)| {
        let path = path.display().to_string();
        options.only.is_empty() || options.only.iter().any(|text| path.contains(text.as_str()))
    });
    // One build for all entries of a mutant.
    entries.sort_by(|(_, a), (_, b)| a.mutant.cmp(&b.mutant));
    let scratch = if options.without_mutants { None } else { Some(Scratch::new(&root)?) };
    let program = this_program()?;
    let mut built: Option<(String, PathBuf)> = None;
    let mut rows = vec![["entry", "without", "mutant", "with"].map(str::to_owned).to_vec()];
    let mut rotten = 0;
    for (path, entry) in &entries {
        let job = Job::Capsule(path.clone());
        let without = process::run(&program, &job, None, &[]);
        let with = match (&scratch, &entry.mutant) {
            (Some(scratch), Some(id)) => {
                if built.as_ref().is_none_or(|(of, _)| of != id) {
                    eprintln!("{id}: building");
                    built = Some((
                        id.clone(),
                        mutants::build(scratch, &root, (id, options.built))?.program,
                    ));
                }
                let (_, mutated) = built.as_ref().expect("it was built just now");
                let with = process::run(mutated, &job, None, &[]);
                Some(with.broken.into_iter().map(|broken| broken.id).collect::<Vec<_>>())
            }
            _ => None,
        };
        let kills = with.as_ref().is_none_or(|ids| ids.contains(&entry.invariant));
        rotten += usize::from(!without.passed() || !kills);
        rows.push(row(&root, (path, entry), without.passed(), with.as_deref()));
    }
    table::align(&rows).iter().for_each(|line| println!("{line}"));
    println!("{} passed, {rotten} failed", entries.len() - rotten);
    Ok(rotten == 0)
}

fn row(
    root: &std::path::Path,
    (path, entry): (&PathBuf, &Entry),
    passes: bool,
    with: Option<&[String]>,
) -> Vec<String> {
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let wanted = &entry.invariant;
    let killed = match with {
        None => "-".to_owned(),
        Some(ids) if ids.contains(wanted) => format!("fails by {wanted}"),
        Some([]) => "ROTTEN: passes".to_owned(),
        Some(ids) => format!("ROTTEN: {} instead of {wanted}", ids.join(" ")),
    };
    let without = if passes { "passes" } else { "ROTTEN: fails" };
    vec![name, without.to_owned(), entry.mutant.clone().unwrap_or_else(|| "-".into()), killed]
}
