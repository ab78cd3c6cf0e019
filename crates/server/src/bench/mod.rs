//! `hotfire bench`: how fast a cluster takes and gives messages.
//!
//! Each connection is one pipeline in a task of its own, so that the generator costs little beside
//! what it measures. What a task saw stays in its [`tally::Tally`] until the end; only the count
//! for the progress bar is shared.

mod consume;
mod produce;
mod progress;
mod report;
mod tally;

pub(crate) use consume::run as consume;
pub(crate) use produce::run as produce;
