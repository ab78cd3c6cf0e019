//! Disks that are slow, or do not answer at all.

use crate::control::Control;
use crate::latency::Latency;
use crate::node::Node;

/// Every awaited operation on the node's disk takes so many times as long from now on; 1 is as
/// usual.
pub fn factor(control: &Control, node: &Node, times: u32) {
    control.disk(node).turn(|knobs| knobs.slow = times);
    control.ground().record(node, "disk-slow", [u64::from(times), 0], format_args!("times"));
}

/// How long an awaited operation on the node's disk takes from now on.
pub fn latency(control: &Control, node: &Node, latency: Latency) {
    control.disk(node).turn(|knobs| knobs.latency = latency);
    let least = latency.least.as_nanos() as u64;
    control.ground().record(node, "disk-latency", [least, 0], format_args!("ns at least"));
}

/// Nothing that is awaited on the node's disk ends until [`release`]. Writes to a mapping go on:
/// they only touch memory.
pub fn stall(control: &Control, node: &Node) {
    control.disk(node).turn(|knobs| knobs.stalled = true);
    control.ground().record(node, "disk-stall", [0, 0], format_args!(""));
}

/// Ends a [`stall`].
pub fn release(control: &Control, node: &Node) {
    control.disk(node).turn(|knobs| knobs.stalled = false);
    control.ground().record(node, "disk-release", [0, 0], format_args!(""));
}
