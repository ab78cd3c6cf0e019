//! Disks without space.

use crate::control::Control;
use crate::node::Node;

/// The node's disk holds so many bytes from now on. What it holds already stays, also when that is
/// more.
pub fn capacity(control: &Control, node: &Node, bytes: u64) {
    control.disk(node).turn(|knobs| knobs.capacity = bytes);
    control.ground().record(node, "disk-capacity", [bytes, 0], format_args!("bytes"));
}
