//! What a plan can do without, one kind of it at a time.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use workloads::smaller::Number;
use workloads::traffic::Traffic;

use crate::plan::Plan;

/// A list of things in a plan that may go, or become less.
pub struct Axis {
    /// How many there are.
    pub count: fn(&Plan) -> usize,
    /// The plan without some of them.
    pub without: fn(&Plan, Range<usize>) -> Plan,
}

/// All of them, those first that take the most away.
pub const AXES: &[Axis] = &[
    Axis { count: |plan| plan.strikes.len(), without: without_strikes },
    Axis { count: |plan| plan.clients().len(), without: without_clients },
    Axis { count: |plan| topics(plan).len(), without: without_topics },
    Axis { count: |plan| plan.namesrvs.len(), without: without_namesrvs },
    Axis { count: |plan| plan.brokers.len(), without: without_brokers },
    Axis { count: Plan::operations, without: without_operations },
    Axis { count: |plan| plan.stay_dead.len() + TRAITS, without: without_traits },
    Axis { count: |plan| plan.cut_off.len(), without: without_cuts },
    Axis { count: number_count, without: at_their_least },
    Axis { count: number_count, without: halved },
];

fn without_strikes(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    smaller.strikes.drain(range);
    smaller
}

fn without_clients(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    let gone = &plan.clients()[range];
    for traffic in &mut smaller.traffic {
        traffic.retain_clients(|name| !gone.iter().any(|other| other == name));
    }
    // Where nobody sends any more there may still be topics to read back.
    let matters = |traffic: &Traffic| !traffic.clients().is_empty() || traffic.has_topics();
    smaller.traffic.retain(matters);
    without_strangers(smaller)
}

fn topics(plan: &Plan) -> Vec<String> {
    let topics = plan.traffic.iter().flat_map(Traffic::topics);
    topics.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

fn without_topics(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    let gone = &topics(plan)[range];
    smaller.traffic.iter_mut().for_each(|traffic| {
        traffic.retain_topics(|topic| !gone.iter().any(|other| other == topic));
    });
    smaller
}

fn without_namesrvs(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    smaller.namesrvs.drain(range);
    without_strangers(smaller)
}

fn without_brokers(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    smaller.brokers.drain(range);
    without_strangers(smaller)
}

/// Nobody strikes, and nobody mourns, who is not there.
fn without_strangers(mut plan: Plan) -> Plan {
    let nodes = plan.nodes();
    plan.strikes.retain(|strike| nodes.contains(&strike.node));
    plan.stay_dead.retain(|node| nodes.contains(node));
    plan.cut_off.retain(|cut| nodes.contains(&cut.node));
    plan
}

fn without_operations(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    let mut before = 0;
    for traffic in &mut smaller.traffic {
        let count = traffic.operations();
        let own = |at: usize| at.clamp(before, before + count) - before;
        traffic.remove_operations(own(range.start)..own(range.end));
        before += count;
    }
    smaller
}

/// `buggify`, `probes` and that each client has a node of its own.
const TRAITS: usize = 3;

/// The dead live, and then what the whole run has or has not goes.
fn without_traits(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    let dead = plan.stay_dead.len();
    smaller.buggify &= !range.contains(&dead);
    smaller.probes &= !range.contains(&(dead + 1));
    smaller.stay_dead.drain(range.start.min(dead)..range.end.min(dead));
    smaller.together |= range.contains(&(dead + 2)) && are_spared(&smaller);
    smaller
}

/// Whether nothing strikes a client: the ledger knows nodes, and what excuses one client would
/// excuse none or all of those that share one.
fn are_spared(plan: &Plan) -> bool {
    let clients = plan.clients();
    let mut struck = plan.strikes.iter().map(|strike| &strike.node).chain(&plan.stay_dead);
    clients.len() > 1 && !struck.any(|node| clients.contains(node))
}

fn without_cuts(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    smaller.cut_off.drain(range);
    smaller
}

fn number_count(plan: &Plan) -> usize {
    let mut count = 0;
    with_numbers(&mut plan.clone(), |_, _| count += 1);
    count
}

fn at_their_least(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    with_numbers(&mut smaller, |at, number| {
        if range.contains(&at) {
            *number.value = number.low.min(*number.value);
        }
    });
    smaller
}

fn halved(plan: &Plan, range: Range<usize>) -> Plan {
    let mut smaller = plan.clone();
    with_numbers(&mut smaller, |at, number| {
        if range.contains(&at) {
            *number.value = (*number.value / 2).max(number.low).min(*number.value);
        }
    });
    smaller
}

/// Shows every number that may become smaller, with its place in an order that stays. Not the bound
/// of the settling: a healthy product needs it.
fn with_numbers(plan: &mut Plan, mut show: impl FnMut(usize, Number<'_>)) {
    let mut at = 0;
    let mut next = |number: Number<'_>| {
        show(at, number);
        at += 1;
    };
    next(Number::new(&mut plan.phases.calm_ms, 0));
    next(Number::new(&mut plan.phases.fault_ms, 1));
    for strike in &mut plan.strikes {
        for time in [&mut strike.at, &mut strike.lasts] {
            let mut ms = time.as_millis() as u64;
            next(Number::new(&mut ms, 1));
            *time = Duration::from_millis(ms);
        }
    }
    for broker in &mut plan.brokers {
        let mut queues = u64::from(broker.topic_queues);
        next(Number::new(&mut queues, 1));
        broker.topic_queues = queues as u32;
    }
    plan.traffic.iter_mut().flat_map(Traffic::numbers).for_each(next);
}
