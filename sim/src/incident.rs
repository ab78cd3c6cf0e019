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
    /// No error: a synced page went to a wrong place, and this one kept its old bytes.
    Misdirected,
    /// No error: a synced page went to this place, which is not its own.
    Overwritten,
    /// A removal.
    Remove,
    /// No error: a power failure took pages that were not synced.
    PagesLost,
    /// No error: a power failure left a part of the sectors of a page.
    PagesTorn,
    /// No error: a power failure took a page of one file and left one of another.
    FilesReordered,
    /// No error: a power failure undid names that were not synced.
    NamesLost,
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
