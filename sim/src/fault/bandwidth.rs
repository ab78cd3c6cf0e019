//! Ways that carry little.

use crate::control::Control;
use crate::node::Node;

/// From now on a connection from one node to another carries so many bytes a second, at least 1;
/// `None` is as usual.
pub fn one_way(control: &Control, from: &Node, to: &Node, bytes: Option<u64>) {
    control.hub().turn_link(from, to, |link| link.bandwidth = bytes);
    let numbers = [bytes.unwrap_or(0), u64::from(to.index())];
    control.ground().record(from, "bandwidth", numbers, format_args!("{to}"));
}
