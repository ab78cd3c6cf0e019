//! The raw bytes of a node's disk, read by a decoder that shares no code with the product.
//!
//! A store that reads its own files back with its own code agrees with its own mistakes. What
//! stands here was written from the format's description (internals.md §1) alone: it uses neither
//! `message::record` nor the store, only the nouns' names. It reads files of any length, finds them
//! by the last parts of their paths, and never fails: what it cannot read it reports as damage.

mod checkpoint;
mod crc;
mod durable;
mod image;
mod index;
mod log;
mod marks;
mod node;
mod offsets;
mod properties;
mod queue;

pub use checkpoint::Checkpoint;
pub use durable::missing;
pub use image::{DiskImage, QueueKey};
pub use index::{IndexEntry, IndexFile, IndexScan, IndexVouched, key_hash};
pub use log::{Blank, LogScan, Record, Stop};
pub use marks::identities;
pub use node::{NodeDisk, Room};
pub use offsets::{GroupOffsets, OffsetsError, consumer_offsets, is_whole_json};
pub use queue::{QueueEntry, QueueScan};
