//! Connections that are reset although nobody died, as a middlebox does.

use crate::control::Control;
use crate::node::Node;

/// Resets every connection between the two nodes; what was under way is lost. How many there were.
pub fn between(control: &Control, one: &Node, other: &Node) -> u64 {
    control.hub().reset_between(one, other)
}
