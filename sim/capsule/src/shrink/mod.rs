//! Delta debugging: the least of a plan that still fails in the same way.
//!
//! Each [`Axis`] is a list of things that may go: faults, clients, servers, operations, times. All
//! of them at once, then halves, quarters and so on down to each alone, until a whole round over
//! all axes takes nothing more away.

mod axis;

pub use axis::{AXES, Axis};

use crate::plan::Plan;

/// A plan that was tried and failed as the first one did.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The plan.
    pub plan: Plan,
    /// Events of its run.
    pub events: u64,
    /// When the first violation was seen, in ms of simulated time, if one was; a stall is none.
    pub failed_at_ms: Option<u64>,
    /// When the run ended, in ms of simulated time.
    pub ended_ms: u64,
}

/// Tries plans.
pub trait Oracle {
    /// The first of the candidates that still fails in the same way; later ones need not be tried.
    /// None, too, when no more tries are left.
    fn first(
        &mut self,
        candidates: &mut dyn Iterator<Item = (usize, Plan)>,
    ) -> Option<(usize, Trial)>;

    /// Whether no more tries are left.
    fn is_spent(&self) -> bool;
}

/// The bound of the settling while a stall is made smaller, in ms: three times what a healthy run
/// takes, and a sixth of what it may take.
const SETTLE_MS: u64 = 200_000;

/// The least of a trial that the oracle lets through.
pub fn shrink(first: Trial, oracle: &mut dyn Oracle) -> Trial {
    let mut best = settle(first, oracle);
    let mut grain = COARSE;
    loop {
        let before = best.plan.clone();
        best = cut(best, oracle);
        for axis in AXES {
            best = along(axis, grain, best, oracle);
        }
        let is_least = best.plan == before && grain == FINE;
        if is_least || oracle.is_spent() {
            return best;
        }
        grain = FINE;
    }
}

/// The first round takes no more than so many pieces of a list: to look at each of many operations
/// is for runs that have become short.
const COARSE: usize = 8;

/// Each piece alone.
const FINE: usize = usize::MAX;

/// Waits less for those who do not come: nearly all events of a stall are spent with that.
fn settle(best: Trial, oracle: &mut dyn Oracle) -> Trial {
    let mut plan = best.plan.clone();
    if best.failed_at_ms.is_some() || plan.phases.settle_ms <= SETTLE_MS {
        return best;
    }
    plan.phases.settle_ms = SETTLE_MS;
    oracle.first(&mut std::iter::once((0, plan))).map_or(best, |(_, trial)| trial)
}

/// Ends the run where the violation was seen, if that is well before its end: what the last look
/// finds would only be lost when the end comes a little later.
fn cut(best: Trial, oracle: &mut dyn Oracle) -> Trial {
    let Some(cut_ms) = best.failed_at_ms.map(|at_ms| at_ms + 1) else { return best };
    if cut_ms > best.ended_ms / 10 * 9 {
        return best;
    }
    let candidate = Plan { cut_ms: Some(cut_ms), ..best.plan.clone() };
    oracle.first(&mut std::iter::once((0, candidate))).map_or(best, |(_, trial)| trial)
}

/// Takes away along one axis what can be, in ever smaller pieces, down to `grain` of them.
fn along(axis: &Axis, grain: usize, mut best: Trial, oracle: &mut dyn Oracle) -> Trial {
    let mut size = (axis.count)(&best.plan);
    let mut from = 0;
    let least = size.div_ceil(grain);
    while size > 0 && !oracle.is_spent() {
        let count = (axis.count)(&best.plan);
        let plan = &best.plan;
        let mut candidates = (from..count).step_by(size).filter_map(|start| {
            let smaller = (axis.without)(plan, start..count.min(start + size));
            (smaller != *plan && is_legal(&smaller)).then_some((start, smaller))
        });
        match oracle.first(&mut candidates) {
            // What followed stands at this place now. Where it did not go but only became less,
            // the next round comes back to it.
            Some((start, trial)) => {
                let gone = count - (axis.count)(&trial.plan);
                from = if gone == 0 { start + size } else { start };
                best = trial;
            }
            None if size <= least => break,
            None => (size, from) = (size.div_ceil(2), 0),
        }
    }
    best
}

/// Whether a healthy product would pass: somebody must be left who can serve.
fn is_legal(plan: &Plan) -> bool {
    let is_cut = |name: &String| plan.cut_off.iter().any(|cut| cut.node == *name);
    let lives = |name: &String| !plan.stay_dead.contains(name) && !is_cut(name);
    plan.namesrvs.iter().any(lives) && plan.brokers.iter().any(|broker| lives(&broker.node))
}

/// The plans in which one of the faults that are left is missing, with its place.
pub fn neighbours(plan: &Plan) -> Vec<Plan> {
    let without = |at: usize| {
        let mut neighbour = plan.clone();
        neighbour.strikes.remove(at);
        neighbour
    };
    (0..plan.strikes.len()).map(without).collect()
}

#[cfg(test)]
mod tests {
    use runtime::Rng;
    use workloads::scenario;
    use workloads::traffic::Traffic;

    use super::*;
    use crate::draw;

    /// Fails whenever a condition holds.
    struct When<F>(F, usize);

    impl<F: Fn(&Plan) -> bool> Oracle for When<F> {
        fn first(
            &mut self,
            candidates: &mut dyn Iterator<Item = (usize, Plan)>,
        ) -> Option<(usize, Trial)> {
            candidates.take(self.1).find_map(|(at, plan)| {
                self.1 -= 1;
                (self.0)(&plan)
                    .then_some((at, Trial { plan, events: 1, failed_at_ms: None, ended_ms: 9 }))
            })
        }

        fn is_spent(&self) -> bool {
            self.1 == 0
        }
    }

    fn large() -> Trial {
        let all = scenario::all();
        let scenario = all.iter().find(|scenario| scenario.name == "power_fail").unwrap();
        let plans = (0..).map(|seed: u8| draw::plan(scenario, 1, &Rng::from_seed([seed; 32])));
        let has = |plan: &Plan| plan.strikes.len() > 2 && plan.brokers.len() > 1;
        let plan = plans.take(200).find(has).expect("some seed draws such a plan");
        Trial { plan, events: 9, failed_at_ms: Some(70_000), ended_ms: 130_000 }
    }

    #[test]
    fn topics_queues_and_nodes_go() {
        let fails = |plan: &Plan| sends(plan) >= 1 && plan.clients().len() >= 2;
        let small = shrink(large(), &mut When(fails, 5_000)).plan;
        assert!(small.together && small.nodes().len() == 3, "{:?}", small.nodes());
        assert!(small.brokers.iter().all(|broker| broker.topic_queues == 1));
        assert!(small.traffic.iter().all(|traffic| traffic.topics().len() == 1));
    }

    #[test]
    fn clients_that_are_struck_keep_their_nodes() {
        let first = large();
        let client = first.plan.clients()[0].clone();
        let plan = Plan { stay_dead: vec![client.clone()], ..first.plan.clone() };
        let fails = |plan: &Plan| plan.stay_dead.contains(&client) && plan.clients().len() > 1;
        let small = shrink(Trial { plan, ..first }, &mut When(fails, 5_000)).plan;
        assert!(!small.together && small.nodes().contains(&client), "{:?}", small.nodes());
    }

    fn sends(plan: &Plan) -> usize {
        let produce = |traffic: &&Traffic| matches!(traffic, Traffic::Produce(_));
        plan.traffic.iter().filter(produce).map(Traffic::operations).sum()
    }

    #[test]
    fn what_the_failure_does_not_need_goes() {
        let first = large();
        let needed = first.plan.strikes[1].clone();
        let struck = |plan: &Plan| {
            plan.strikes.iter().any(|at| (&at.node, at.kind) == (&needed.node, needed.kind))
        };
        let fails = |plan: &Plan| struck(plan) && sends(plan) >= 3;
        let small = shrink(first, &mut When(fails, 5_000)).plan;
        assert_eq!((small.strikes.len(), sends(&small)), (1, 3));
        assert_eq!((small.namesrvs.len(), small.phases.calm_ms), (1, 0));
        assert_eq!(small.cut_ms, Some(70_001));
        let clients = small.traffic.iter().flat_map(Traffic::clients);
        assert!(clients.count() <= 3, "{:?}", small.nodes());
        assert!(neighbours(&small).iter().all(|without| !fails(without)));
    }

    #[test]
    fn somebody_who_serves_is_left_and_a_bound_holds() {
        let small = shrink(large(), &mut When(|_: &Plan| true, 5_000)).plan;
        assert_eq!((small.namesrvs.len(), small.brokers.len()), (1, 1));
        assert_eq!((small.strikes.len(), sends(&small)), (0, 0));
        assert!(!small.probes && !small.buggify && small.stay_dead.is_empty());
        let mut few = When(|_: &Plan| true, 3);
        shrink(large(), &mut few);
        assert!(few.is_spent());
    }
}
