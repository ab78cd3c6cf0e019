//! The same run once more, elsewhere: another process, another environment, and with a trace, which
//! only watches.

use std::path::Path;

use crate::job::Job;
use crate::outcome::{Broken, SeedOutcome};
use crate::process;
use crate::sink::NOWHERE;

/// The other environment of the second run: whatever a program might read by mistake.
pub(crate) const ELSEWHERE: [(&str, &str); 5] = [
    ("TZ", "Pacific/Kiritimati"),
    ("LANG", "tr_TR.UTF-8"),
    ("RUST_LOG", "trace"),
    ("HOME", "/nonexistent"),
    ("HOTFIRE_SIM_PADDING", "moves the stack and the heap a little, as another machine would"),
];

/// One seed in so many of every run is run again.
const ONE_IN: u64 = 100;

/// Runs a job elsewhere.
pub(crate) fn elsewhere(program: &Path, job: &Job) -> SeedOutcome {
    process::run(program, job, Some(Path::new(NOWHERE)), &ELSEWHERE)
}

/// Whether two outcomes of a run tell the same history.
pub(crate) fn alike(first: &SeedOutcome, second: &SeedOutcome) -> bool {
    first.hash == second.hash && first.broken == second.broken && !first.hash.is_empty()
}

/// Runs a job, and one seed in a hundred once more; another history is a failure like any other.
pub(crate) fn run(program: &Path, job: &Job) -> SeedOutcome {
    let is_due = matches!(job, Job::Seed { seed, .. } if seed.is_multiple_of(ONE_IN));
    if is_due { pair(program, job) } else { process::run(program, job, None, &[]) }
}

/// Runs a job twice; another history is a failure like any other.
pub(crate) fn pair(program: &Path, job: &Job) -> SeedOutcome {
    let mut outcome = process::run(program, job, None, &[]);
    if !outcome.hash.is_empty() {
        let second = elsewhere(program, job);
        if alike(&outcome, &second) {
            outcome.again += 1;
        } else {
            outcome.broken.push(two_histories(&outcome, &second));
        }
    }
    outcome
}

/// X1 in words.
fn two_histories(first: &SeedOutcome, second: &SeedOutcome) -> Broken {
    let (one, two) = (&first.hash, &second.hash);
    Broken {
        id: "X1".to_owned(),
        sentence: "The same seed gives the same history in any process and environment.".to_owned(),
        details: format!(
            "{one} and {two}, apart from event {} on; `cargo sim check-determinism` shows where",
            parted_at(first, second)
        ),
        events: Vec::new(),
    }
}

/// The last event up to which two runs agree for sure.
pub(crate) fn parted_at(first: &SeedOutcome, second: &SeedOutcome) -> u64 {
    let agree = first.marks.iter().zip(&second.marks).take_while(|(one, two)| one == two).count();
    agree as u64 * sim::EVENTS_PER_MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histories_part_behind_the_last_mark_they_share() {
        let with = |marks: &[u64]| SeedOutcome { marks: marks.to_vec(), ..SeedOutcome::default() };
        assert_eq!(parted_at(&with(&[1, 2, 3]), &with(&[1, 2, 4])), 2 * sim::EVENTS_PER_MARK);
        assert_eq!(parted_at(&with(&[1]), &with(&[1, 2])), sim::EVENTS_PER_MARK);
        assert_eq!(parted_at(&with(&[]), &with(&[])), 0);
    }
}
