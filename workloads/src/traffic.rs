//! All traffic of a scenario, drawn from one stream of randomness.

use std::sync::Arc;

use runtime::Rng;
use serde::{Deserialize, Serialize};

use crate::scenario::{Run, Scenario, Span};
use crate::stage::Workload;
use crate::{consume, lookup, produce};

/// Topics of a run that does not say.
const TOPICS: Span = Span { low: 1, high: 2 };

/// Numbers for producers and groups of one run of traffic; those of the next follow.
const NUMBERS: u32 = 1_000;

/// One kind of traffic with its plan drawn, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "workload", rename_all = "snake_case")]
pub enum Traffic {
    /// Producers.
    Produce(produce::Plan),
    /// Push consumers and a reader.
    Consume(consume::Plan),
    /// Users who look messages up.
    Lookup(lookup::Plan),
}

impl Traffic {
    /// The workload, at the beginning of its plan.
    pub fn workload(&self) -> Arc<dyn Workload> {
        match self {
            Traffic::Produce(plan) => Arc::new(produce::Produce::new(plan.clone())),
            Traffic::Consume(plan) => Arc::new(consume::Consume::new(plan.clone())),
            Traffic::Lookup(plan) => Arc::new(lookup::Lookup::new(plan.clone())),
        }
    }

    /// Its clients, by node name.
    pub fn clients(&self) -> Vec<String> {
        self.workload().clients()
    }
}

/// Draws the plans of every kind of traffic in a scenario. The same scenario and the same stream
/// give the same plans.
pub fn plan(scenario: &Scenario, rng: &Rng) -> Vec<Traffic> {
    let topics: Vec<String> = (0..scenario.cluster.topics.unwrap_or(TOPICS).draw(rng))
        .map(|number| format!("Traffic-{number}"))
        .collect();
    let lasts_ms = (scenario.phases.calm + scenario.phases.fault) * 1_000;
    let number = |at: usize| at as u32 * NUMBERS;
    let one = |(at, run): (usize, &Run)| -> Traffic {
        let (rng, topics) = (rng.stream(&format!("workload/{at}")), topics.clone());
        match *run {
            Run::Produce { producers, messages, body, odd } => {
                let first = number(at);
                let knobs =
                    produce::Knobs { first, producers, messages, body, topics, lasts_ms, odd };
                Traffic::Produce(produce::plan(&rng, &knobs))
            }
            Run::Consume { groups, members, odd } => {
                let first = number(at);
                let knobs = consume::Knobs { first, groups, members, topics, lasts_ms, odd };
                Traffic::Consume(consume::plan(&rng, &knobs))
            }
            Run::Lookup { users, operations } => {
                let first = number(at);
                let knobs = lookup::Knobs { first, users, operations, topics, lasts_ms };
                Traffic::Lookup(lookup::plan(&rng, &knobs))
            }
        }
    };
    scenario.runs.iter().enumerate().map(one).collect()
}

/// What must happen in some run, over all kinds of traffic.
pub fn goals() -> Vec<&'static str> {
    [&produce::GOALS[..], &consume::GOALS, &lookup::GOALS].concat()
}
