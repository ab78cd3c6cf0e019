//! A machine that comes back with another, empty disk.

use crate::control::{Control, Life};
use crate::node::Node;

/// Everything on the node's disk is gone. The node must be dead or dark.
///
/// # Panics
/// When the node's process is alive: no disk is swapped under a running process.
pub fn wipe(control: &Control, node: &Node) {
    let life = control.life(node);
    assert!(matches!(life, Life::Dead | Life::Dark), "{node} is {life:?}: kill it before the wipe");
    control.disk(node).wipe();
}
