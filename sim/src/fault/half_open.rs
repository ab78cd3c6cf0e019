//! Connections whose other end is gone and nobody says so, as when a middlebox forgets them.

use crate::control::Control;
use crate::node::Node;

/// Every connection between the two is dead from now on, and neither end is told: what it sends
/// vanishes. New connections are not touched. How many there were.
pub fn between(control: &Control, one: &Node, other: &Node) -> u64 {
    control.hub().lose_between(one, other)
}
