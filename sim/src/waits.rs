//! Who waits for what: a line for each node, for the report of a run that does not come on.

use std::fmt::Write as _;

use crate::control::Control;

/// A line for each node: its life, its living tasks, what is under way on its disk and what stands
/// unread in its connections. Draws nothing and changes nothing.
pub fn waits(control: &Control) -> Vec<String> {
    let tasks = control.tasks();
    let mut lines = Vec::new();
    for node in control.nodes() {
        let mut line = format!("{node} {:?}:", control.life(&node));
        for (_, name, count) in tasks.iter().filter(|(of, ..)| *of == node) {
            // Writing into a String cannot fail.
            let _ = match count {
                1 => write!(line, " {name}"),
                _ => write!(line, " {name}×{count}"),
            };
        }
        let disk = control.disk(&node);
        let (under_way, stalled) = (disk.under_way(), disk.is_stalled());
        if under_way > 0 {
            let state = if stalled { ", and it is stalled" } else { "" };
            let _ = write!(line, "; {under_way} operations of its disk are under way{state}");
        }
        for unread in control.hub().unread(&node) {
            let _ = write!(line, "; {unread}");
        }
        lines.push(line);
    }
    lines
}
