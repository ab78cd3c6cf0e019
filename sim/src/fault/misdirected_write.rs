//! Writes that the device puts in another place than it was told.

use crate::control::Control;
use crate::node::Node;

/// In each of the next `count` syncs that write pages on the node's disk, one page goes over
/// another of the same file and not to its own place. The page cache shows neither, unless
/// [`evicted`].
pub fn next(control: &Control, node: &Node, count: u32) {
    control.disk(node).turn(|knobs| knobs.misdirections_due += count);
    control.ground().record(node, "misdirections-due", [u64::from(count), 0], format_args!(""));
}

/// From now on, pages that are misdirected drop out of the node's page cache at once (or stay), so
/// that reads see what the device holds.
pub fn evicted(control: &Control, node: &Node, at_once: bool) {
    control.disk(node).turn(|knobs| knobs.misdirections_evict = at_once);
    let at_once = u64::from(at_once);
    control.ground().record(node, "misdirections-evict", [at_once, 0], format_args!(""));
}

/// From now on, only pages of files whose path contains `part` are misdirected; all with "".
pub fn within(control: &Control, node: &Node, part: &str) {
    control.disk(node).turn(|knobs| knobs.misdirections_within = part.to_owned());
    control.ground().record(node, "misdirections-within", [0; 2], format_args!("{part}"));
}
