//! Reads, writes and removals that fail.

use crate::control::Control;
use crate::node::Node;

/// From now on a read on the node's disk fails with that chance (0 to 1).
pub fn reads(control: &Control, node: &Node, chance: f64) {
    control.disk(node).turn(|knobs| knobs.read_error = chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(node, "read-error-chance", [percent, 0], format_args!("%"));
}

/// From now on a write on the node's disk fails with that chance (0 to 1). Nothing of it is
/// written.
pub fn writes(control: &Control, node: &Node, chance: f64) {
    control.disk(node).turn(|knobs| knobs.write_error = chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(node, "write-error-chance", [percent, 0], format_args!("%"));
}

/// The next `count` removals of a file on the node's disk fail. Nothing is removed.
pub fn removals(control: &Control, node: &Node, count: u32) {
    control.disk(node).turn(|knobs| knobs.remove_errors_due = count);
    control.ground().record(node, "remove-errors", [u64::from(count), 0], format_args!("next"));
}
