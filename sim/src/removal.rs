//! Files that programs removed, with what was around: for those who judge a deletion.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::node::Node;

/// One file that a program of a node removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// When, in true time since the world began.
    pub at: Duration,
    /// On which node.
    pub node: Node,
    /// The name it had.
    pub path: String,
    /// What it held, as programs saw it.
    pub bytes: Bytes,
    /// The files left in its directory, by name, and whether each holds anything but zeros.
    pub left: Vec<(String, bool)>,
    /// What all files took before, in bytes.
    pub used: u64,
    /// All of the disk, in bytes.
    pub capacity: u64,
}

/// The removals of a world that nobody has taken yet. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Removals(Arc<Mutex<Vec<Removal>>>);

impl Removals {
    pub(crate) fn note(&self, removal: Removal) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(removal);
    }

    pub(crate) fn take(&self) -> Vec<Removal> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
