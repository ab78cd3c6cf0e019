//! What all seeds of a run add up to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outcome::SeedOutcome;
use crate::table;

/// One scenario's share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScenarioTotals {
    seeds: u64,
    failed: u64,
    acknowledged: u64,
    processed: u64,
    simulated_ms: u64,
    /// CPU of its seeds whose CPU is known, in ns.
    cpu_ns: u64,
}

/// The sums over all seeds, and now and then a maximum or a minimum: so they merge in any order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Seeds that broke nothing.
    pub(crate) passed: u64,
    /// Seeds that broke something.
    pub(crate) failed: u64,
    /// Seeds that acknowledged messages while faults struck.
    pub(crate) productive: u64,
    /// Seeds that ran once more in another process and environment, and gave the same history.
    pub(crate) again: u64,
    /// Planted failures, and how many of them arrived.
    pub(crate) canaries: (u64, u64),
    /// CPU of all seeds whose CPU is known, in ns.
    pub(crate) cpu_ns: u64,
    /// Simulated time of these, in ms.
    pub(crate) cpu_simulated_ms: u64,
    /// How many these are.
    pub(crate) cpu_seeds: u64,
    /// The most memory that a seed held, in KiB, if it is known.
    pub(crate) peak_kib: Option<u64>,
    /// Calibration loops: how many, and their CPU in ns.
    pub(crate) calibrations: (u64, u64),
    /// By scenario.
    pub(crate) scenarios: BTreeMap<String, ScenarioTotals>,
    /// How often each invariant really checked something.
    pub(crate) checks: BTreeMap<String, u64>,
    /// How often each class of fault struck.
    pub(crate) faults: BTreeMap<String, u64>,
    /// How often each goal was reached.
    pub(crate) goals: BTreeMap<String, u64>,
    /// Failures by fingerprint, with the least seed of each.
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
        self.productive += u64::from(outcome.productive);
        self.again += outcome.again;
        if let Some(cpu_ns) = outcome.cpu_ns {
            scenario.cpu_ns += cpu_ns;
            self.cpu_ns += cpu_ns;
            self.cpu_simulated_ms += outcome.simulated_ms;
            self.cpu_seeds += 1;
        }
        self.peak_kib = self.peak_kib.max(outcome.peak_kib);
        if outcome.passed() {
            self.passed += 1;
        } else {
            self.failed += 1;
            scenario.failed += 1;
            self.note_failure(&outcome.fingerprint(), (1, outcome.seed));
        }
        merge(&mut self.checks, &outcome.checks);
        merge(&mut self.faults, &outcome.faults);
        merge(&mut self.goals, &outcome.goals);
    }

    /// Adds the CPU of one calibration loop, in ns.
    pub(crate) fn calibrated(&mut self, cpu_ns: u64) {
        self.calibrations.0 += 1;
        self.calibrations.1 += cpu_ns;
    }

    /// Adds a planted failure that arrived, or did not.
    pub(crate) fn canary(&mut self, arrived: bool) {
        self.canaries.0 += 1;
        self.canaries.1 += u64::from(arrived);
    }

    /// Adds what another run adds up to.
    pub(crate) fn merge(&mut self, other: &Totals) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.productive += other.productive;
        self.again += other.again;
        self.canaries.0 += other.canaries.0;
        self.canaries.1 += other.canaries.1;
        self.cpu_ns += other.cpu_ns;
        self.cpu_simulated_ms += other.cpu_simulated_ms;
        self.cpu_seeds += other.cpu_seeds;
        self.peak_kib = self.peak_kib.max(other.peak_kib);
        self.calibrations.0 += other.calibrations.0;
        self.calibrations.1 += other.calibrations.1;
        for (name, share) in &other.scenarios {
            let mine = self.scenarios.entry(name.clone()).or_default();
            mine.seeds += share.seeds;
            mine.failed += share.failed;
            mine.acknowledged += share.acknowledged;
            mine.processed += share.processed;
            mine.simulated_ms += share.simulated_ms;
            mine.cpu_ns += share.cpu_ns;
        }
        merge(&mut self.checks, &other.checks);
        merge(&mut self.faults, &other.faults);
        merge(&mut self.goals, &other.goals);
        for (fingerprint, known) in &other.fingerprints {
            self.note_failure(fingerprint, *known);
        }
    }

    fn note_failure(&mut self, fingerprint: &str, (count, seed): (u64, u64)) {
        let known = self.fingerprints.entry(fingerprint.to_owned()).or_insert((0, seed));
        *known = (known.0 + count, known.1.min(seed));
    }

    /// The mean CPU of a seed as a multiple of the calibration loop of the same runs.
    pub(crate) fn cpu_calibrated(&self) -> Option<f64> {
        let (loops, loops_ns) = self.calibrations;
        if self.cpu_seeds == 0 || loops == 0 || loops_ns == 0 {
            return None;
        }
        let seed_ns = self.cpu_ns as f64 / self.cpu_seeds as f64;
        Some(seed_ns * loops as f64 / loops_ns as f64)
    }

    /// Why nothing that this run says can be believed, if so.
    pub(crate) fn farm_is_broken(&self) -> Option<String> {
        let (planted, arrived) = self.canaries;
        (planted != arrived)
            .then(|| format!("{planted} failures were planted and {arrived} arrived"))
    }

    /// Invariants that never checked anything: a gate run in which one is vacuous proves nothing
    /// about it.
    pub(crate) fn vacuous(&self, all: &[&str]) -> Vec<String> {
        let idle = |id: &&&str| self.checks.get(**id).copied().unwrap_or(0) == 0;
        all.iter().filter(idle).map(|id| (*id).to_owned()).collect()
    }

    /// The tables a person reads at the end; `took` is the time on the wall of a single run.
    pub(crate) fn lines(&self, took: Option<Duration>) -> Vec<String> {
        let mut lines = table::align(&self.rows());
        let mut section = |title: &str, counts: &BTreeMap<String, u64>| {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(table::wrap(counts.iter()));
        };
        section("faults that struck", &self.faults);
        section("checks made by each invariant", &self.checks);
        section("goals reached", &self.goals);
        lines.push(String::new());
        lines.extend(self.figures(took));
        lines
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let titles =
            ["scenario", "seeds", "failed", "acknowledged", "processed", "simulated", "cpu a seed"];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        for (name, share) in &self.scenarios {
            let cpu_ms = share.cpu_ns as f64 / 1e6 / share.seeds.max(1) as f64;
            rows.push(vec![
                name.clone(),
                share.seeds.to_string(),
                share.failed.to_string(),
                share.acknowledged.to_string(),
                share.processed.to_string(),
                format!("{:.1} h", share.simulated_ms as f64 / 3_600_000.0),
                format!("{cpu_ms:.0} ms"),
            ]);
        }
        rows
    }

    /// Speed, cost and what makes the run worth believing, a line each.
    fn figures(&self, took: Option<Duration>) -> Vec<String> {
        let seeds = self.passed + self.failed;
        let mut lines = Vec::new();
        if let Some(took) = took {
            let seconds = took.as_secs_f64().max(0.001);
            let simulated: u64 = self.scenarios.values().map(|share| share.simulated_ms).sum();
            lines.push(format!(
                "{:.1} seeds/s, {:.0} simulated seconds per second",
                seeds as f64 / seconds,
                simulated as f64 / 1e3 / seconds
            ));
        }
        if self.cpu_seeds > 0 {
            let mut line = format!(
                "{:.0} ms CPU a seed, {:.0} simulated seconds per second of CPU",
                self.cpu_ns as f64 / 1e6 / self.cpu_seeds as f64,
                self.cpu_simulated_ms as f64 * 1e6 / self.cpu_ns.max(1) as f64
            );
            if let Some(loops) = self.cpu_calibrated() {
                line.push_str(&format!(", {loops:.2} calibration loops a seed"));
            }
            lines.push(line);
        }
        if let Some(kib) = self.peak_kib {
            lines.push(format!("{} MiB at most in a seed", kib.div_ceil(1024)));
        }
        let percent = self.productive * 100 / seeds.max(1);
        lines.push(format!("{percent} % of the seeds acknowledged messages while faults struck"));
        if self.again > 0 {
            lines.push(format!("{} seeds again in another environment: the same", self.again));
        }
        let (planted, arrived) = self.canaries;
        if planted > 0 {
            lines.push(format!("{arrived} of {planted} planted failures arrived"));
        }
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
