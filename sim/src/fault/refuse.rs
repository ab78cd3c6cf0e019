//! Connections that are refused although somebody listens.

use crate::control::Control;
use crate::node::Node;

/// From now on an attempt of `from` to connect to `to` is refused with that chance (0 to 1).
pub fn connections(control: &Control, from: &Node, to: &Node, chance: f64) {
    control.hub().turn_link(from, to, |link| link.refuse = chance);
    let percent = (chance * 100.0) as u64;
    control.ground().record(from, "refuse", [percent, u64::from(to.index())], format_args!("{to}"));
}
