//! C: consumers get what they are owed.

mod at_least_once;
mod commit_keeps_behind;
mod commit_never_falls;
mod duplicates_are_explained;
mod reused_place;

pub use at_least_once::AtLeastOnce;
pub use commit_keeps_behind::CommitKeepsBehind;
pub use commit_never_falls::CommitNeverFalls;
pub use duplicates_are_explained::DuplicatesAreExplained;
