//! What can go wrong, one file for each class. Every function takes the [`crate::Control`] of the
//! world and acts at once; when and how often is for the fault plan to say.

pub mod accept_error;
pub mod bad_sector;
pub mod bandwidth;
pub mod bit_rot;
pub mod clock;
pub mod clog;
pub mod full_disk;
pub mod half_open;
pub mod io_error;
pub mod latency;
pub mod loss;
pub mod misdirected_write;
pub mod partition;
pub mod refuse;
pub mod reset;
pub mod slow_disk;
pub mod slow_reader;
pub mod split;
pub mod sync_error;
pub mod wiped_disk;
