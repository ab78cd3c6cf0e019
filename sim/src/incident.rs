//! Injected errors that really happened. A fault that is only due excuses nothing; one that struck
//! goes into somebody's ledger, with its time and its place.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::node::Node;

/// What was answered with an error, or should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IncidentKind {
    /// A sync, of a file or of a directory.
    Sync,
    /// A read.
    Read,
    /// A write.
    Write,
    /// The kernel's own writeback of a file; the next sync of it will say so.
    Writeback,
    /// Nothing was answered with an error: a synced page went to a wrong place. Told twice, for the
    /// place that kept its old bytes and for the one that was written over.
    Misdirected,
    /// A creation or a growth, for want of space.
    NoSpace,
}

/// One error that a program of a node was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When, in true time since the world began.
    pub at: Duration,
    /// On which node.
    pub node: Node,
    /// What failed.
    pub kind: IncidentKind,
    /// On which file or directory.
    pub path: String,
    /// Which bytes of it, where only some are meant.
    pub range: Option<Range<u64>>,
}

/// The incidents of a world that nobody has taken yet. Clones are the same list.
#[derive(Clone, Default)]
pub(crate) struct Incidents(Arc<Mutex<Vec<Incident>>>);

impl Incidents {
    pub(crate) fn note(&self, incident: Incident) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(incident);
    }

    pub(crate) fn take(&self) -> Vec<Incident> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
