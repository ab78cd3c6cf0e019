//! The two offsets, so that one is never taken for the other.

use std::fmt;

/// A position in the CommitLog, in bytes since its first byte ever. "Unknown" is not a number:
/// use an `Option`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysicalOffset(pub u64);

/// A position in one queue, in messages since its first message ever. "Unknown" is not a number:
/// use an `Option`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueOffset(pub u64);

impl fmt::Display for PhysicalOffset {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

impl fmt::Display for QueueOffset {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}
