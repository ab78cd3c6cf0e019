//! Bits that turn over on the device.

use crate::control::Control;
use crate::disk::PAGE;
use crate::node::Node;

/// Turns one bit (0 to 7) of a file's byte over on the device. The page cache shows it too, unless
/// it holds a newer page. Whether there is such a file.
pub fn flip(control: &Control, node: &Node, path: &str, at: (u64, u8)) -> bool {
    let (offset, bit) = at;
    let found = control.disk(node).rot(path, offset, bit);
    control.ground().record(node, "bit-rot", [offset, u64::from(bit)], format_args!("{path}"));
    found
}

/// Where a bit of the node's disk can rot so that reads see it: the pages that the device holds and
/// the cache has nothing newer for, each a file and the offset where its page begins. In order.
pub fn places(control: &Control, node: &Node) -> Vec<(String, u64)> {
    let pages = control.disk(node).clean_pages();
    pages.into_iter().map(|(path, page)| (path, page * PAGE)).collect()
}
