//! A disk that loses what was not synced.
//!
//! Faults played here:
//! - power failure ([`crate::Control::power_fail`]): a dirty page is lost, kept, or torn between
//!   sectors of 512 bytes; a length or a name that was not synced is lost; renames and removals
//!   that were not synced are undone; an old content may stand in place of a cut one;
//! - writeback by the kernel: dirty pages reach the device in any order, between files too;
//! - [`crate::fault::sync_error`]: a sync fails, and its pages are clean although nothing was
//!   written; the next sync succeeds;
//! - [`crate::fault::io_error`]: a read or a write fails;
//! - [`crate::fault::full_disk`]: no space is left;
//! - [`crate::fault::slow_disk`]: slow, or stalled until released;
//! - [`crate::fault::misdirected_write`]: a page goes over another one on the device;
//! - [`crate::fault::bad_sector`]: a page that cannot be read until it is written anew;
//! - [`crate::fault::bit_rot`]: a bit turns over on the device;
//! - [`crate::fault::wiped_disk`]: another, empty disk.
//!
//! Never played: a synced page that is lost or changed without bit rot or a misdirected write, a
//! rename that happens by half, a directory created by `create_dir` that vanishes.

mod crash;
mod door;
mod error;
mod file;
mod image;
mod knobs;
mod machine;
mod page;
mod recorder;
mod segment;
mod sync;
mod tree;
mod writeback;

pub use crash::{Crashes, Wreck};
pub use image::DiskImages;
pub use page::{PAGE, SECTOR};

pub(crate) use door::SimDisk;
pub(crate) use machine::NodeDisk;
