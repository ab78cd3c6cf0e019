//! Accepts that fail for want of file descriptors, while the connection goes on waiting.

use crate::control::Control;
use crate::node::Node;

/// From now on an accept on the node that has a connection to take fails with that chance (0 to 1).
pub fn chance(control: &Control, node: &Node, chance: f64) {
    control.hub().fail_accepts(node, chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(node, "accept-error-chance", [percent, 0], format_args!("%"));
}
