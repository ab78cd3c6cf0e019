//! `cargo sim coverage`: what never happened, and what happened too seldom. A run in which a fault
//! never struck or an invariant never checked anything proves nothing about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::cli::CoverageOptions;
use crate::error::RunnerError;
use crate::farm::Report;
use crate::scratch::workspace_root;
use crate::totals::Totals;

/// The file with the floors, below the workspace's root.
const FLOORS: &str = "ci/coverage-floor.toml";

/// What a gate must reach.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floors {
    /// Below so many seeds nothing is asked: chance would decide.
    seeds_min: u64,
    /// So many of a hundred seeds acknowledged messages while faults struck.
    productive_percent: u64,
    /// By how much the budget may be passed before it is told, in percent.
    budget_growth_percent: u64,
    /// The mean CPU of a seed, as a multiple of the calibration loop in the same run.
    budget_cpu: f64,
    /// How often each class of fault strikes, in 1,000 seeds.
    faults: BTreeMap<String, u64>,
    /// Goals that the simulator cannot reach, and why.
    goals_elsewhere: BTreeMap<String, String>,
}

impl Floors {
    /// The floors of this house.
    ///
    /// # Errors
    /// When the file cannot be read or is malformed.
    pub(crate) fn read() -> Result<Self, RunnerError> {
        let path = workspace_root().join(FLOORS);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| RunnerError::File { path: path.clone(), source })?;
        toml::from_str(&text)
            .map_err(|error| RunnerError::Malformed { path, problem: error.to_string() })
    }

    /// What a run did not reach, in words; `invariants` and `goals` are all there are.
    fn missed(
        &self,
        totals: &Totals,
        invariants: &[&str],
        goals: &BTreeSet<String>,
    ) -> Vec<String> {
        let seeds = (totals.passed + totals.failed).max(1);
        let mut missed = Vec::new();
        for (class, floor) in &self.faults {
            let struck = totals.faults.get(class).copied().unwrap_or(0);
            if struck * 1_000 < floor * seeds {
                let per_mille = struck as f64 * 1_000.0 / seeds as f64;
                missed
                    .push(format!("{class} struck {per_mille:.1} of {floor} times in 1,000 seeds"));
            }
        }
        for class in totals.faults.keys().filter(|class| !self.faults.contains_key(*class)) {
            missed.push(format!("{class} strikes and has no floor in {FLOORS}"));
        }
        for id in totals.vacuous(invariants) {
            missed.push(format!("{id} never checked anything"));
        }
        for goal in goals.iter().filter(|goal| !self.goals_elsewhere.contains_key(*goal)) {
            if totals.goals.get(goal).copied().unwrap_or(0) == 0 {
                missed.push(format!("never: {goal}"));
            }
        }
        if totals.productive * 100 < self.productive_percent * seeds {
            let percent = totals.productive * 100 / seeds;
            let floor = self.productive_percent;
            missed.push(format!("{percent} % of {floor} % of the seeds were productive"));
        }
        missed
    }

    /// A word about the budget, if it was passed. Machines differ, and so do neighbours on one: it
    /// is a word and no failure.
    pub(crate) fn over_budget(&self, totals: &Totals) -> Option<String> {
        let cost = totals.cpu_calibrated()?;
        let limit = self.budget_cpu * (100 + self.budget_growth_percent) as f64 / 100.0;
        (cost > limit).then(|| {
            let budget = self.budget_cpu;
            format!("a seed takes {cost:.2} calibration loops of CPU, the budget is {budget:.2}")
        })
    }
}

/// Judges reports and says whether every floor was reached.
///
/// # Errors
/// When a report or the floors cannot be read.
pub(crate) fn coverage(options: &CoverageOptions) -> Result<bool, RunnerError> {
    let report = Report::read(&options.reports)?;
    let missed = judge(&report.totals)?;
    if let Some(words) = &missed {
        words.iter().for_each(|words| println!("{words}"));
    }
    let misses = missed.as_ref().map_or(0, Vec::len);
    match missed {
        None => println!("too few seeds to ask for anything"),
        Some(_) => println!("{misses} floors were missed"),
    }
    Ok(misses == 0)
}

/// What a run missed; `None` when it is too short to ask.
///
/// # Errors
/// When the floors cannot be read.
pub(crate) fn judge(totals: &Totals) -> Result<Option<Vec<String>>, RunnerError> {
    let floors = Floors::read()?;
    if totals.passed + totals.failed < floors.seeds_min {
        return Ok(None);
    }
    let goals = goals(&workspace_root());
    Ok(Some(floors.missed(totals, &crate::seed::invariant_ids(), &goals)))
}

/// Every "sometimes" goal of the product and of the traffic: a goal that no seed even comes near
/// stands in no outcome, so the sources are asked.
fn goals(root: &Path) -> BTreeSet<String> {
    let mut goals = BTreeSet::new();
    let mut rooms = vec![root.join("crates"), root.join("workloads/src")];
    while let Some(room) = rooms.pop() {
        let Ok(listing) = std::fs::read_dir(&room) else { continue };
        for path in listing.flatten().map(|entry| entry.path()) {
            let is_test = path.ends_with("tests") || path.ends_with("runtime");
            if path.is_dir() && !is_test {
                rooms.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                goals.extend(goals_in(&text));
            }
        }
    }
    goals
}

/// The names in `sometimes!("name", …)`.
fn goals_in(text: &str) -> Vec<String> {
    let calls = text.split("sometimes!(").skip(1);
    let name = |call: &str| {
        let quoted = call.trim_start().strip_prefix('"')?;
        Some(quoted.split_once('"')?.0.to_owned())
    };
    calls.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::SeedOutcome;

    fn floors() -> Floors {
        Floors {
            seeds_min: 1,
            productive_percent: 70,
            budget_growth_percent: 15,
            budget_cpu: 2.0,
            faults: [("kill".to_owned(), 20)].into(),
            goals_elsewhere: [("a far goal".to_owned(), "needs a real disk".to_owned())].into(),
        }
    }

    fn totals(kills: u64) -> Totals {
        let mut totals = Totals::default();
        let mut outcome = SeedOutcome { productive: true, ..SeedOutcome::default() };
        outcome.faults.insert("kill".into(), kills);
        outcome.checks.insert("D1".into(), 1);
        outcome.goals.insert("a goal".into(), 1);
        totals.add(&outcome);
        totals
    }

    #[test]
    fn what_never_happened_is_named() {
        let goals: BTreeSet<String> = ["a goal", "a far goal"].map(str::to_owned).into();
        assert!(floors().missed(&totals(1), &["D1"], &goals).is_empty());
        let more: BTreeSet<String> = ["another goal".to_owned()].into();
        let missed = floors().missed(&totals(0), &["D1", "D2"], &more);
        let [kill, vacuous, goal] = &missed[..] else { panic!("{missed:?}") };
        assert!(kill.starts_with("kill struck 0.0 of 20"), "{kill}");
        assert_eq!(
            (vacuous.as_str(), goal.as_str()),
            ("D2 never checked anything", "never: another goal")
        );
        let unknown = Floors { faults: BTreeMap::new(), ..floors() };
        assert_eq!(unknown.missed(&totals(1), &["D1"], &goals).len(), 1);
    }

    #[test]
    fn seeds_that_get_nothing_done_are_a_finding() {
        let mut idle = totals(1);
        (0..9).for_each(|_| idle.add(&SeedOutcome::default()));
        let missed = floors().missed(&idle, &["D1"], &BTreeSet::new());
        assert_eq!(missed, ["10 % of 70 % of the seeds were productive"]);
    }

    #[test]
    fn a_budget_is_told_when_it_is_passed_by_more_than_it_may() {
        let mut costly = totals(1);
        assert_eq!(floors().over_budget(&costly), None, "nothing was measured");
        costly.cpu_ns = 230;
        costly.cpu_seeds = 1;
        costly.calibrated(100);
        assert_eq!(floors().over_budget(&costly), None);
        costly.cpu_ns = 231;
        assert!(floors().over_budget(&costly).is_some());
    }

    #[test]
    fn goals_are_read_from_the_sources() {
        let text =
            "sometimes!(\"one\", x); // no\n sometimes!(\n    \"two\",\n y); sometimes!(name)";
        assert_eq!(goals_in(text), ["one", "two"]);
        assert!(goals(&workspace_root()).len() >= 10);
    }

    #[test]
    fn the_floors_of_this_house_are_well_formed() {
        let floors = Floors::read().expect("they are");
        assert!(floors.faults.len() >= 25, "{} classes", floors.faults.len());
        assert!(floors.faults.values().all(|floor| *floor >= 1));
    }
}
