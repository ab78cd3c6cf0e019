//! Faults between nodes: what a strike does to the ways of a node, and how it is undone.

use std::time::Duration;

use sim::fault::{
    accept_error, bandwidth, clog, half_open, latency, loss, partition, refuse, reset, slow_reader,
    split,
};
use sim::{Control, Latency, Node};
use sim_capsule::Strike;
use workloads::scenario::NemesisKind;

/// The longest that a piece is under way where the latency has a long tail.
const TAIL_MAX: Duration = Duration::from_secs(10);

/// Disturbs what the node says to others, or they to it.
pub(crate) fn begin(control: &Control, node: &Node, strike: &Strike) {
    let amount = strike.amount.unsigned_abs();
    match strike.kind {
        NemesisKind::SlowReader => {
            let pause = Duration::from_millis(one_of(amount / 3, [1, 10, 50]));
            slow_reader::slow(control, node, one_of(amount, [64, 512, 4096]) as usize, pause);
        }
        NemesisKind::AcceptError => {
            accept_error::chance(control, node, one_of(amount, [30, 70, 100]) as f64 / 100.0);
        }
        _ => others(control, node).for_each(|other| between(control, (node, &other), strike)),
    }
}

/// Disturbs the ways between two nodes.
fn between(control: &Control, (node, other): (&Node, &Node), strike: &Strike) {
    let amount = strike.amount.unsigned_abs();
    let pick = |of: [u64; 3]| one_of(amount, of);
    let outwards = strike.at.as_millis().is_multiple_of(2);
    match strike.kind {
        NemesisKind::Partition => partition::both_ways(control, node, other),
        NemesisKind::OneWay if outwards => partition::one_way(control, node, other),
        NemesisKind::OneWay => partition::one_way(control, other, node),
        NemesisKind::Clog => {
            let extra = Duration::from_millis(pick([200, 2_000, 20_000]));
            clog::both_ways(control, node, other, extra);
        }
        NemesisKind::HalfOpen => drop(half_open::between(control, node, other)),
        NemesisKind::Reset => drop(reset::between(control, node, other)),
        _ => {
            for (from, to) in [(node, other), (other, node)] {
                match strike.kind {
                    NemesisKind::Latency => {
                        let least = Duration::from_millis(pick([1, 5, 20]));
                        let tail = Some(Latency::between(least, TAIL_MAX));
                        latency::one_way(control, from, to, tail);
                    }
                    NemesisKind::Loss => loss::one_way(control, from, to, Some(pick([2, 5, 20]))),
                    NemesisKind::Refuse => {
                        let chance = pick([30, 70, 100]) as f64 / 100.0;
                        refuse::connections(control, from, to, chance);
                    }
                    NemesisKind::SplitBytes => split::one_way(control, from, to, Some(1)),
                    NemesisKind::Bandwidth => {
                        let bytes = pick([5_000, 20_000, 200_000]);
                        bandwidth::one_way(control, from, to, Some(bytes));
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Undoes a disturbance; what it broke stays broken.
pub(crate) fn end(control: &Control, node: &Node, kind: NemesisKind) {
    match kind {
        NemesisKind::SlowReader => slow_reader::usual(control, node),
        NemesisKind::AcceptError => accept_error::chance(control, node, 0.0),
        _ => {}
    }
    for other in others(control, node) {
        match kind {
            NemesisKind::Partition | NemesisKind::OneWay => {
                partition::heal(control, node, &other);
            }
            NemesisKind::Clog => clog::both_ways(control, node, &other, Duration::ZERO),
            _ => {}
        }
        for (from, to) in [(node, &other), (&other, node)] {
            match kind {
                NemesisKind::Latency => latency::one_way(control, from, to, None),
                NemesisKind::Loss => loss::one_way(control, from, to, None),
                NemesisKind::Refuse => refuse::connections(control, from, to, 0.0),
                NemesisKind::SplitBytes => split::one_way(control, from, to, None),
                NemesisKind::Bandwidth => bandwidth::one_way(control, from, to, None),
                _ => {}
            }
        }
    }
}

/// Whether a kind of strike is between nodes.
pub(crate) fn is_between_nodes(kind: NemesisKind) -> bool {
    matches!(
        kind,
        NemesisKind::Partition
            | NemesisKind::OneWay
            | NemesisKind::Reset
            | NemesisKind::HalfOpen
            | NemesisKind::Latency
            | NemesisKind::Loss
            | NemesisKind::Clog
            | NemesisKind::Refuse
            | NemesisKind::SlowReader
            | NemesisKind::SplitBytes
            | NemesisKind::Bandwidth
            | NemesisKind::AcceptError
    )
}

/// One of three, the same for the same amount.
fn one_of(amount: u64, of: [u64; 3]) -> u64 {
    of[(amount % 3) as usize]
}

fn others<'a>(control: &Control, node: &'a Node) -> impl Iterator<Item = Node> + use<'a> {
    control.nodes().into_iter().filter(move |other| other != node)
}
