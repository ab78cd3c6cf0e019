//! Places of the device that cannot be read any more until they are written again.

use crate::control::Control;
use crate::node::Node;

/// The page of 4096 bytes around `offset` of a file cannot be read from now on; writing it anew
/// and syncing heals it, as a device remaps a sector. Whether there is such a file.
pub fn page(control: &Control, node: &Node, path: &str, offset: u64) -> bool {
    let found = control.disk(node).spoil(path, offset);
    control.ground().record(node, "bad-sector", [offset, u64::from(found)], format_args!("{path}"));
    found
}
