//! Writes that the device puts in another place than it was told.

use crate::control::Control;
use crate::node::Node;

/// In each of the next `count` syncs that write pages on the node's disk, one page goes over
/// another of the same file and not to its own place. The page cache shows neither.
pub fn next(control: &Control, node: &Node, count: u32) {
    control.disk(node).turn(|knobs| knobs.misdirections_due += count);
    control.ground().record(node, "misdirections-due", [u64::from(count), 0], format_args!(""));
}
