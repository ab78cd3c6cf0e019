//! Ways that are cut: what is sent there does not arrive until the way is open again.

use crate::control::Control;
use crate::node::Node;

/// Cuts the way from one node to another; the other direction stays open.
pub fn one_way(control: &Control, from: &Node, to: &Node) {
    control.hub().cut(from, to);
}

/// Cuts both ways between two nodes.
pub fn both_ways(control: &Control, one: &Node, other: &Node) {
    one_way(control, one, other);
    one_way(control, other, one);
}

/// Cuts every way between the nodes of `side` and all the others.
pub fn split(control: &Control, side: &[Node]) {
    for other in control.nodes() {
        if !side.contains(&other) {
            side.iter().for_each(|node| both_ways(control, node, &other));
        }
    }
}

/// Opens both ways between two nodes. What was held up arrives after a retransmission.
pub fn heal(control: &Control, one: &Node, other: &Node) {
    control.hub().heal(one, other);
    control.hub().heal(other, one);
}

/// Opens every way.
pub fn heal_all(control: &Control) {
    for (from, to) in control.hub().cuts() {
        control.hub().heal(&from, &to);
    }
}
