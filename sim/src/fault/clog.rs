//! Ways that are slow.

use std::time::Duration;

use crate::control::Control;
use crate::node::Node;

/// From now on everything from one node to another takes so much longer; zero unclogs the way.
pub fn one_way(control: &Control, from: &Node, to: &Node, extra: Duration) {
    control.hub().turn_link(from, to, |link| link.extra = extra);
    let micros = extra.as_micros() as u64;
    control.ground().record(from, "clog", [micros, u64::from(to.index())], format_args!("{to}"));
}

/// As [`one_way`], in both directions.
pub fn both_ways(control: &Control, one: &Node, other: &Node, extra: Duration) {
    one_way(control, one, other, extra);
    one_way(control, other, one, extra);
}
