//! Processes that read slowly, so that the windows of those who send to them are full.

use std::time::Duration;

use crate::control::Control;
use crate::net::SlowReader;
use crate::node::Node;

/// From now on each connection of the node's process is read at most `most` bytes (at least 1) at a
/// time, with so long a pause behind each read.
pub fn slow(control: &Control, node: &Node, most: usize, pause: Duration) {
    control.hub().slow_reader(node, Some(SlowReader { most: most.max(1), pause }));
    let numbers = [most as u64, pause.as_micros() as u64];
    control.ground().record(node, "slow-reader", numbers, format_args!("bytes, us"));
}

/// The node's process reads as usual.
pub fn usual(control: &Control, node: &Node) {
    control.hub().slow_reader(node, None);
    control.ground().record(node, "usual-reader", [0, 0], format_args!(""));
}
