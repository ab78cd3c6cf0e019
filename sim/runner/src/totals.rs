//! What all seeds of a run add up to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::outcome::SeedOutcome;
use crate::table;

/// One scenario's share.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ScenarioTotals {
    seeds: u64,
    failed: u64,
    acknowledged: u64,
    processed: u64,
    simulated_ms: u64,
}

/// The sums over all seeds.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// Seeds that broke nothing.
    pub(crate) passed: u64,
    /// Seeds that broke something.
    pub(crate) failed: u64,
    /// By scenario.
    pub(crate) scenarios: BTreeMap<String, ScenarioTotals>,
    /// How often each invariant really checked something.
    pub(crate) checks: BTreeMap<String, u64>,
    /// How often each class of fault struck.
    pub(crate) faults: BTreeMap<String, u64>,
    /// How often each goal was reached.
    pub(crate) goals: BTreeMap<String, u64>,
    /// Failures by fingerprint, with the first seed of each.
    pub(crate) fingerprints: BTreeMap<String, (u64, u64)>,
}

impl Totals {
    /// Adds one seed.
    pub(crate) fn add(&mut self, outcome: &SeedOutcome) {
        let scenario = self.scenarios.entry(outcome.scenario.clone()).or_default();
        scenario.seeds += 1;
        scenario.acknowledged += outcome.acknowledged;
        scenario.processed += outcome.processed;
        scenario.simulated_ms += outcome.simulated_ms;
        if outcome.passed() {
            self.passed += 1;
        } else {
            self.failed += 1;
            scenario.failed += 1;
            let known = self.fingerprints.entry(outcome.fingerprint()).or_insert((0, outcome.seed));
            known.0 += 1;
        }
        merge(&mut self.checks, &outcome.checks);
        merge(&mut self.faults, &outcome.faults);
        merge(&mut self.goals, &outcome.goals);
    }

    /// Invariants that never checked anything: a gate run in which one is vacuous proves nothing
    /// about it.
    pub(crate) fn vacuous(&self, all: &[&str]) -> Vec<String> {
        let idle = |id: &&&str| self.checks.get(**id).copied().unwrap_or(0) == 0;
        all.iter().filter(idle).map(|id| (*id).to_owned()).collect()
    }

    /// The tables a person reads at the end.
    pub(crate) fn lines(&self, took: Duration) -> Vec<String> {
        let seconds = took.as_secs_f64().max(0.001);
        let mut rows = vec![
            ["scenario", "seeds", "failed", "acknowledged", "processed", "simulated"]
                .map(str::to_owned)
                .to_vec(),
        ];
        for (name, totals) in &self.scenarios {
            rows.push(vec![
                name.clone(),
                totals.seeds.to_string(),
                totals.failed.to_string(),
                totals.acknowledged.to_string(),
                totals.processed.to_string(),
                format!("{:.1} h", totals.simulated_ms as f64 / 3_600_000.0),
            ]);
        }
        let mut lines = table::align(&rows);
        let mut section = |title: &str, counts: &BTreeMap<String, u64>| {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(table::wrap(counts.iter()));
        };
        section("faults that struck", &self.faults);
        section("checks made by each invariant", &self.checks);
        section("goals reached", &self.goals);
        let seeds = (self.passed + self.failed) as f64;
        let simulated: u64 = self.scenarios.values().map(|totals| totals.simulated_ms).sum();
        lines.push(String::new());
        lines.push(format!(
            "{:.1} seeds/s, {:.0} simulated seconds per second",
            seeds / seconds,
            simulated as f64 / 1000.0 / seconds
        ));
        lines
    }
}

fn merge(into: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>) {
    for (name, count) in from {
        *into.entry(name.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vacuous_invariant_is_named() {
        let mut totals = Totals::default();
        let mut outcome = SeedOutcome { scenario: "calm".into(), ..SeedOutcome::default() };
        outcome.checks.insert("D1".into(), 3);
        outcome.checks.insert("D3".into(), 0);
        totals.add(&outcome);
        assert_eq!(totals.vacuous(&["D1", "D3", "D4"]), ["D3", "D4"]);
    }

    #[test]
    fn failures_count_by_fingerprint() {
        let mut totals = Totals::default();
        for seed in [7, 9] {
            totals.add(&SeedOutcome::crashed("kill", seed, "panic".into()));
        }
        totals.add(&SeedOutcome { scenario: "kill".into(), ..SeedOutcome::default() });
        assert_eq!((totals.passed, totals.failed), (1, 2));
        assert_eq!(totals.fingerprints.into_values().collect::<Vec<_>>(), [(2, 7)]);
    }
}
