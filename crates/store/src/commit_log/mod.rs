//! The CommitLog: every message of every topic, one behind the other, in segments.

mod append;
mod commit;
mod examine;
mod flush;
mod log;
mod pool;
mod populate;
mod prepare;
mod read;
mod settle;
mod sound;

pub(crate) use append::takes_place;
pub use append::{Append, Appended, Appender};
pub(crate) use commit::keep_committing;
pub(crate) use flush::keep_flushing;
pub(crate) use log::{CommitLog, Opened};
pub(crate) use populate::{keep_populated, keep_warm};
pub(crate) use prepare::keep_prepared;
pub(crate) use read::{Bad, Found, check, next_at, record_at, sound_at};
pub(crate) use settle::Unsettled;
pub(crate) use sound::next_sound;
