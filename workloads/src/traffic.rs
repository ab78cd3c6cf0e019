//! All traffic of a scenario, drawn from one stream of randomness.

use runtime::Rng;

use crate::scenario::{Run, Scenario, Span};
use crate::stage::Workload;
use crate::{consume, produce};

/// Topics of a run.
const TOPICS: Span = Span { low: 1, high: 2 };

/// Numbers for producers and groups of one run of traffic; those of the next follow.
const NUMBERS: u32 = 1_000;

/// Draws the plans of every kind of traffic in a scenario. The same scenario and the same stream
/// give the same plans.
pub fn plan(scenario: &Scenario, rng: &Rng) -> Vec<Box<dyn Workload>> {
    let topics: Vec<String> =
        (0..TOPICS.draw(rng)).map(|number| format!("Traffic-{number}")).collect();
    let lasts_ms = (scenario.phases.calm + scenario.phases.fault) * 1_000;
    let number = |at: usize| at as u32 * NUMBERS;
    let one = |(at, run): (usize, &Run)| -> Box<dyn Workload> {
        let (rng, topics) = (rng.stream(&format!("workload/{at}")), topics.clone());
        match *run {
            Run::Produce { producers, messages, body, odd } => {
                let first = number(at);
                let knobs =
                    produce::Knobs { first, producers, messages, body, topics, lasts_ms, odd };
                Box::new(produce::Produce::new(produce::plan(&rng, &knobs)))
            }
            Run::Consume { groups, members, odd } => {
                let first = number(at);
                let knobs = consume::Knobs { first, groups, members, topics, lasts_ms, odd };
                Box::new(consume::Consume::new(consume::plan(&rng, &knobs)))
            }
        }
    };
    scenario.runs.iter().enumerate().map(one).collect()
}

/// What must happen in some run, over all kinds of traffic.
pub fn goals() -> Vec<&'static str> {
    [&produce::GOALS[..], &consume::GOALS].concat()
}
