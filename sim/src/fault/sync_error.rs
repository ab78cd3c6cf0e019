//! Syncs that fail, with the semantics of Linux: the pages are clean afterwards although nothing,
//! or only a part, was written. The next sync succeeds, and a power failure shows what is missing.

use crate::control::Control;
use crate::node::Node;

/// From now on a sync on the node's disk fails with that chance (0 to 1).
pub fn chance(control: &Control, node: &Node, chance: f64) {
    control.disk(node).turn(|knobs| knobs.sync_error = chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(node, "sync-error-chance", [percent, 0], format_args!("%"));
}

/// The next `count` syncs on the node's disk fail.
pub fn next(control: &Control, node: &Node, count: u32) {
    control.disk(node).turn(|knobs| knobs.sync_errors_due += count);
    control.ground().record(node, "sync-errors-due", [u64::from(count), 0], format_args!(""));
}

/// From now on the kernel's own writeback of a file on the node's disk fails with that chance
/// (0 to 1): what it took is lost, and the next sync of the file fails, once, whatever it writes.
pub fn in_background(control: &Control, node: &Node, chance: f64) {
    control.disk(node).turn(|knobs| knobs.writeback_error = chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(node, "writeback-error-chance", [percent, 0], format_args!("%"));
}

/// Memory grows tight: the kernel drops every page from the node's cache that it takes for clean,
/// so that what a failed sync left unwritten can no longer be read either.
pub fn evict_clean_pages(control: &Control, node: &Node) {
    control.disk(node).evict();
    control.ground().record(node, "evict", [0, 0], format_args!(""));
}
