//! Places of the device that cannot be read any more until they are written again.

use crate::control::Control;
use crate::node::Node;

/// Every page of the node's disk can be read again, as after a cable was put right.
pub fn mend(control: &Control, node: &Node) {
    control.disk(node).mend();
    control.ground().record(node, "bad-sectors-mended", [0, 0], format_args!(""));
}

/// The page of 4096 bytes around `offset` of a file cannot be read from now on; writing it anew
/// and syncing heals it, as a device remaps a sector. Whether there is such a file.
pub fn page(control: &Control, node: &Node, path: &str, offset: u64) -> bool {
    let found = control.disk(node).spoil(path, offset);
    control.ground().record(node, "bad-sector", [offset, u64::from(found)], format_args!("{path}"));
    found
}
