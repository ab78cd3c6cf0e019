//! Ways with another latency, such as one with a long tail.

use crate::control::Control;
use crate::latency::Latency;
use crate::node::Node;

/// From now on everything from one node to another takes that long; `None` is as usual.
pub fn one_way(control: &Control, from: &Node, to: &Node, latency: Option<Latency>) {
    control.hub().turn_link(from, to, |link| link.latency = latency);
    let most = latency.map_or(0, |latency| latency.most.as_micros() as u64);
    control.ground().record(from, "latency", [most, u64::from(to.index())], format_args!("{to}"));
}
