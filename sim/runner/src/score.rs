//! How mutants fared: a line for each, and a table that is kept.

/// A place where mutants are kept, and its part of the table.
pub(crate) struct Shelf {
    /// The directory, from the workspace's root.
    pub(crate) dir: &'static str,
    heading: &'static str,
}

/// The shelves: bugs that were seen elsewhere, by which the simulator was made; and fresh ones.
pub(crate) const SHELVES: [Shelf; 2] = [
    Shelf {
        dir: "ci/mutants",
        heading: "# Mutants\n\nMade by `cargo sim mutants --table docs/mutants.md`; a part of the \
                  mutants (`--only`, `--shard`) changes its own rows.\n\n",
    },
    Shelf {
        dir: "ci/mutants-fresh",
        heading: "\n## Fresh mutants\n\nMade by `cargo sim mutants --fresh --table \
                  docs/mutants.md`. Written after the simulator was finished, at places that \
                  `ci/mutants-fresh/choose` chose (its rule is told there), and not used to tune \
                  it: whatever fails in the gate's mix of scenarios kills one, and a survivor \
                  stays here as it is.\n\n",
    },
];

const COLUMNS: &str =
    "| Mutant | Killed by | Seeds it took | Budget | Source |\n|---|---|---|---|---|\n";

/// How a mutant fared.
pub(crate) struct Verdict {
    /// Its file's name.
    pub(crate) name: String,
    /// Where such a bug was seen.
    pub(crate) source: String,
    /// By which invariant it died, after how many seeds.
    pub(crate) killed: Option<(String, u64)>,
    /// Seeds within which it must die.
    pub(crate) budget: u64,
    /// Whether there is such a tree at all.
    pub(crate) builds: bool,
}

impl Verdict {
    /// The verdict in a line.
    pub(crate) fn line(&self) -> String {
        let ((by, seeds), budget) = (self.fate(), self.budget);
        let (name, by) =
            (&self.name, if self.killed.is_some() { "killed by " } else { "" }.to_owned() + &by);
        format!("{name}: {by}, {seeds} of {budget} seeds")
    }

    fn row(&self) -> String {
        let ((by, seeds), Self { name, budget, source, .. }) = (self.fate(), self);
        format!("| {name} | {by} | {seeds} | {budget} | {source} |")
    }

    fn fate(&self) -> (String, String) {
        match &self.killed {
            Some((by, seeds)) => (by.clone(), seeds.to_string()),
            None if !self.builds => ("DOES NOT BUILD".to_owned(), "-".to_owned()),
            None => ("SURVIVED".to_owned(), "-".to_owned()),
        }
    }
}

/// The tables of all shelves, whose mutants have these names: a new row for the one that was tried
/// now, and the old rows of the others, so that the matrix may be tried part by part.
pub(crate) fn markdown(old: &str, names: &[Vec<String>], verdict: &Verdict) -> String {
    let row = |name: &String| {
        let old = || old.lines().find(|line| line.starts_with(&format!("| {name} |")));
        match verdict.name == *name {
            true => verdict.row(),
            false => old().map_or_else(|| untried(name), str::to_owned),
        }
    };
    let mut text = String::new();
    for (shelf, names) in SHELVES.iter().zip(names).filter(|(_, names)| !names.is_empty()) {
        let rows: Vec<String> = names.iter().map(row).collect();
        text.push_str(shelf.heading);
        text.push_str(COLUMNS);
        rows.iter().for_each(|row| text.push_str(&format!("{row}\n")));
        text.push_str(&format!("\n{}\n", sum(&rows)));
    }
    text
}

/// How many died, and within how many seeds the one in the middle.
fn sum(rows: &[String]) -> String {
    let seeds = |row: &String| row.split(" | ").nth(2).and_then(|cell| cell.parse::<u64>().ok());
    let mut killed: Vec<u64> = rows.iter().filter_map(seeds).collect();
    killed.sort_unstable();
    let (count, all) = (killed.len(), rows.len());
    match killed.get(count / 2) {
        Some(median) => format!("{count} of {all} killed, the median after {median} seeds."),
        None => format!("{count} of {all} killed."),
    }
}

fn untried(name: &str) -> String {
    format!("| {name} | not tried yet | - | - | - |")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(name: &str, seeds: u64) -> Verdict {
        Verdict {
            name: name.to_owned(),
            source: "here".to_owned(),
            killed: Some(("D1".to_owned(), seeds)),
            budget: 64,
            builds: true,
        }
    }

    #[test]
    fn a_part_of_the_mutants_changes_its_own_rows_and_those_that_are_gone_go() {
        let all = [vec!["M01-a".to_owned(), "M02-b".to_owned()], vec!["F01-c".to_owned()]];
        let first = markdown("| M00-gone | D1 | 1 | 1 | x |", &all, &verdict("M01-a", 7));
        assert!(first.contains("| M01-a | D1 | 7 | 64 | here |\n| M02-b | not tried yet |"));
        assert!(
            !first.contains("M00") && first.contains("1 of 2 killed, the median after 7 seeds")
        );
        let second = markdown(&first, &all, &verdict("M02-b", 9));
        assert!(
            second.contains("| M01-a | D1 | 7 | 64 | here |\n| M02-b | D1 | 9 | 64 | here |\n")
        );
        let third = markdown(&second, &all, &verdict("F01-c", 3));
        assert!(third.contains("2 of 2 killed, the median after 9 seeds.\n\n## Fresh"));
        assert!(third.ends_with(
            "| F01-c | D1 | 3 | 64 | here |\n\n1 of 1 killed, the median after 3 seeds.\n"
        ));
    }

    #[test]
    fn a_survivor_is_told_as_one() {
        let survivor = Verdict { killed: None, ..verdict("F01-c", 0) };
        assert_eq!(survivor.line(), "F01-c: SURVIVED, - of 64 seeds");
        assert_eq!(sum(&[survivor.row()]), "0 of 1 killed.");
        assert_eq!(verdict("F01-c", 3).line(), "F01-c: killed by D1, 3 of 64 seeds");
    }
}
