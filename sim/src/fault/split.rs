//! Ways on which bytes are split and merged anywhere: a stream knows no messages.

use crate::control::Control;
use crate::node::Node;

/// From now on one in so many writes from one node to another is accepted in part only or arrives
/// in two pieces; `None` is as usual.
pub fn one_way(control: &Control, from: &Node, to: &Node, one_in: Option<u64>) {
    control.hub().turn_link(from, to, |link| link.split_one_in = one_in);
    let numbers = [one_in.unwrap_or(0), u64::from(to.index())];
    control.ground().record(from, "split", numbers, format_args!("{to}"));
}
