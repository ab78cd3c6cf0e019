//! C: consumers get what they are owed.

mod at_least_once;
mod reused_place;

pub use at_least_once::AtLeastOnce;
