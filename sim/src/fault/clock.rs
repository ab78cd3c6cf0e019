//! Clocks that are wrong: skew and jumps of the wall clock, drift of the crystal.

use crate::control::Control;
use crate::node::Node;

/// Moves the node's wall clock by so many milliseconds, forward or backward. Its monotonic clock
/// does not notice.
pub fn jump(control: &Control, node: &Node, by_ms: i64) {
    control.clock(node).jump(by_ms);
    let by = by_ms.unsigned_abs();
    control.ground().record(node, "clock-jump", [by, u64::from(by_ms < 0)], format_args!("ms"));
}

/// Lets the node's clocks and timers run `ppm` parts per million faster (slower when negative)
/// than true time from now on; between -900,000 and 9,000,000.
pub fn drift(control: &Control, node: &Node, ppm: i64) {
    control.clock(node).set_drift(ppm);
    let by = ppm.unsigned_abs();
    control.ground().record(node, "clock-drift", [by, u64::from(ppm < 0)], format_args!("ppm"));
}

/// Sets the node's wall clock right, as NTP would, and stops its drift. A jump like any other.
pub fn repair(control: &Control, node: &Node) {
    drift(control, node, 0);
    jump(control, node, -error_ms(control, node));
}

/// The node's wall clock minus the true one, in milliseconds.
pub fn error_ms(control: &Control, node: &Node) -> i64 {
    control.clock(node).error_ms()
}
