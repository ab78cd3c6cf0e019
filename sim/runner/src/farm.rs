//! What a run leaves for others: JSON lines that merge.
//!
//! The first line holds the totals, each further one a failure. Totals are sums, maxima and minima
//! only, so shards merge in any order and any grouping, and a merged file merges again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cli::MergeOptions;
use crate::error::RunnerError;
use crate::outcome::SeedOutcome;
use crate::totals::Totals;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    /// What all seeds add up to.
    Totals(Box<Totals>),
    /// A seed that failed.
    Failure(Box<SeedOutcome>),
}

/// What a file holds, or several together.
#[derive(Default)]
pub(crate) struct Report {
    /// The sums.
    pub(crate) totals: Totals,
    /// The failures, by scenario and seed.
    pub(crate) failures: Vec<SeedOutcome>,
}

impl Report {
    /// Takes in another.
    pub(crate) fn merge(&mut self, other: Report) {
        self.totals.merge(&other.totals);
        self.failures.extend(other.failures);
        self.failures.sort_by(|a, b| (&a.scenario, a.seed).cmp(&(&b.scenario, b.seed)));
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let totals = Line::Totals(Box::new(self.totals.clone()));
        let failures = self.failures.iter().map(|one| Line::Failure(Box::new(one.clone())));
        let lines = std::iter::once(totals).chain(failures);
        let line =
            |line: Line| serde_json::to_string(&line).expect("a report is plain data") + "\n";
        lines.map(line).collect()
    }

    /// Reads a file's text.
    fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut report = Report::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line)? {
                Line::Totals(totals) => report.totals.merge(&totals),
                Line::Failure(outcome) => report.failures.push(*outcome),
            }
        }
        Ok(report)
    }

    /// Reads files and merges them.
    ///
    /// # Errors
    /// When one cannot be read or is no report.
    pub(crate) fn read(paths: &[impl AsRef<Path>]) -> Result<Self, RunnerError> {
        let mut all = Report::default();
        for path in paths {
            let path = path.as_ref().to_owned();
            let text = std::fs::read_to_string(&path)
                .map_err(|source| RunnerError::File { path: path.clone(), source })?;
            let one = Report::parse(&text)
                .map_err(|error| RunnerError::Malformed { path, problem: error.to_string() })?;
            all.merge(one);
        }
        Ok(all)
    }
}

/// `cargo sim merge`: several shards as one run. Whether nothing failed.
///
/// # Errors
/// When a file cannot be read or written, or is no report.
pub(crate) fn merge(options: &MergeOptions) -> Result<bool, RunnerError> {
    let report = Report::read(&options.reports)?;
    report.totals.lines(None).iter().for_each(|line| println!("{line}"));
    for outcome in &report.failures {
        println!("{} failed: {}", outcome.job(), outcome.fingerprint());
    }
    if let Some(path) = &options.output {
        std::fs::write(path, report.text())
            .map_err(|source| RunnerError::File { path: path.clone(), source })?;
    }
    println!("{} passed, {} failed", report.totals.passed, report.totals.failed);
    match report.totals.farm_is_broken() {
        Some(words) => Err(RunnerError::Farm(words)),
        None => Ok(report.totals.failed == 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(seed: u64) -> Report {
        let mut report = Report::default();
        let mut outcome = SeedOutcome::crashed("kill", seed, "panic".into());
        outcome.cpu_ns = Some(seed * 1_000);
        outcome.peak_kib = Some(seed);
        outcome.faults.insert("kill".into(), seed);
        outcome.goals.insert("a goal".into(), seed % 2);
        report.totals.add(&outcome);
        report.totals.calibrated(seed);
        report.failures.push(outcome);
        report
    }

    fn merged(reports: Vec<Report>) -> String {
        let mut all = Report::default();
        reports.into_iter().for_each(|report| all.merge(report));
        all.text()
    }

    #[test]
    fn shards_merge_in_any_order_and_any_grouping() {
        let together = merged(vec![one(3), one(4), one(5)]);
        assert_eq!(merged(vec![one(5), one(3), one(4)]), together);
        let again = |text: &str| Report::parse(text).expect("it is a report");
        let two = again(&merged(vec![one(4), one(5)]));
        assert_eq!(merged(vec![two, one(3)]), together);
        assert_eq!(merged(vec![again(&together)]), together);
        assert_eq!(again(&together).totals.failed, 3);
    }
}
