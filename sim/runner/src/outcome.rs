//! What one seed's run says of itself, as one line of JSON between processes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::fingerprint;
use crate::job::Job;

/// One broken invariant, ready to be shown.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The invariant's id, such as `D1`.
    pub(crate) id: String,
    /// What it claims.
    pub(crate) sentence: String,
    /// What happened instead, with the values.
    pub(crate) details: String,
    /// The life of the culprit: the events that show it, one line each.
    pub(crate) events: Vec<String>,
}

/// What is told of a failure besides the violation itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Culprit {
    /// From the configuration over the faults to what is still owed.
    pub(crate) derivation: Vec<String>,
    /// The last events that touch the message it is about, oldest first.
    pub(crate) life: Vec<String>,
    /// Every fault, and every step in a server's life.
    pub(crate) ledger: Vec<String>,
}

/// The outcome of one seed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct SeedOutcome {
    /// The scenario's name.
    pub(crate) scenario: String,
    /// The seed.
    pub(crate) seed: u64,
    /// The file it was read from, if it was.
    #[serde(default)]
    pub(crate) file: Option<PathBuf>,
    /// How many events the run had.
    #[serde(default)]
    pub(crate) events: u64,
    /// When the first violation was seen, in ms of simulated time.
    #[serde(default)]
    pub(crate) failed_at_ms: Option<u64>,
    /// The rolling hash over every event of the run.
    pub(crate) hash: String,
    /// Simulated time, in ms.
    pub(crate) simulated_ms: u64,
    /// Sends that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Messages that consumers finished.
    pub(crate) processed: u64,
    /// Whether messages were acknowledged while faults struck.
    #[serde(default)]
    pub(crate) productive: bool,
    /// The hash after every so many events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) marks: Vec<u64>,
    /// How often it ran once more, elsewhere, and gave the same history.
    #[serde(default)]
    pub(crate) again: u64,
    /// The CPU it took in ns, if it is known.
    #[serde(default)]
    pub(crate) cpu_ns: Option<u64>,
    /// The most memory it held in KiB, if it is known.
    #[serde(default)]
    pub(crate) peak_kib: Option<u64>,
    /// How often each invariant really checked something.
    pub(crate) checks: BTreeMap<String, u64>,
    /// How often each class of fault struck.
    pub(crate) faults: BTreeMap<String, u64>,
    /// How often each "sometimes" goal was reached.
    pub(crate) goals: BTreeMap<String, u64>,
    /// What was broken; empty when the seed passed.
    pub(crate) broken: Vec<Broken>,
    /// The world in a few lines: nodes, plan, faults with their times.
    pub(crate) world: Vec<String>,
    /// When something was broken: more about it.
    #[serde(default)]
    pub(crate) culprit: Option<Culprit>,
}

impl SeedOutcome {
    /// The run that it is the outcome of.
    pub(crate) fn job(&self) -> Job {
        match &self.file {
            Some(path) => Job::Capsule(path.clone()),
            None => Job::seed(&self.scenario, self.seed),
        }
    }

    /// Whether nothing was broken.
    pub(crate) fn passed(&self) -> bool {
        self.broken.is_empty()
    }

    /// What makes two failures the same: the first broken invariant and what its details say,
    /// without the values.
    pub(crate) fn fingerprint(&self) -> String {
        let first = self.broken.first();
        first.map_or_else(String::new, |broken| fingerprint::of(&broken.id, &broken.details))
    }

    /// The outcome of a run that did not come to an end by itself.
    pub(crate) fn crashed(scenario: &str, seed: u64, details: String) -> Self {
        let broken = Broken {
            id: "RUN".to_owned(),
            sentence: "Every run ends by itself, without a panic.".to_owned(),
            details,
            events: Vec::new(),
        };
        Self { scenario: scenario.to_owned(), seed, broken: vec![broken], ..Self::default() }
    }
}
