//! Q: a queue is a log of its own.

mod ack_names_the_place;
mod max_never_falls;
mod min_never_falls;
mod offsets_are_dense;
mod place_is_immutable;
mod pull_tells_the_truth;
mod search_brackets;
mod visible_in_time;

pub use ack_names_the_place::AckNamesThePlace;
pub use max_never_falls::MaxNeverFalls;
pub use min_never_falls::MinNeverFalls;
pub use offsets_are_dense::OffsetsAreDense;
pub use place_is_immutable::PlaceIsImmutable;
pub use pull_tells_the_truth::PullTellsTheTruth;
pub use search_brackets::SearchBrackets;
pub(crate) use visible_in_time::VISIBLE_MS_MAX;
pub use visible_in_time::VisibleInTime;
