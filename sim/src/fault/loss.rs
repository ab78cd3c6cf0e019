//! Ways that lose pieces. A connection hides that: the piece comes late, after a retransmission,
//! and everything behind it waits.

use crate::control::Control;
use crate::node::Node;

/// From now on one in so many pieces from one node to another is lost; `None` is as usual.
pub fn one_way(control: &Control, from: &Node, to: &Node, one_in: Option<u64>) {
    control.hub().turn_link(from, to, |link| link.loss_one_in = one_in);
    let numbers = [one_in.unwrap_or(0), u64::from(to.index())];
    control.ground().record(from, "loss", numbers, format_args!("{to}"));
}
