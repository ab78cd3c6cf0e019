//! Q: a queue is a log of its own.

mod ack_names_the_place;
mod max_never_falls;
mod offsets_are_dense;

pub use ack_names_the_place::AckNamesThePlace;
pub use max_never_falls::MaxNeverFalls;
pub use offsets_are_dense::OffsetsAreDense;
