//! I: what is read is what was written.

mod content_is_as_sent;
mod place_reads_the_same;

pub use content_is_as_sent::ContentIsAsSent;
pub use place_reads_the_same::PlaceReadsTheSame;
