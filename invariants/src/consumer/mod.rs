//! C: consumers get what they are owed.

mod at_least_once;

pub use at_least_once::AtLeastOnce;
