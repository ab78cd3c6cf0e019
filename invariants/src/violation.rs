//! What a broken property looks like: a value, never a panic.

use serde::Serialize;

/// One thing that must never happen and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The property, such as `D1`.
    pub id: &'static str,
    /// What it claims.
    pub sentence: &'static str,
    /// The fewest events of the history that show it, in order.
    pub events: Vec<usize>,
    /// The node, for what was found on a disk.
    pub node: Option<String>,
    /// What happened, with the values.
    pub details: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}: {} But {}", self.id, self.sentence, self.details)?;
        if let Some(node) = &self.node {
            write!(to, " (on node {node})")?;
        }
        write!(to, " (events {:?})", self.events)
    }
}
