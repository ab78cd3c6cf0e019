//! The nouns: topics, queues, properties, offsets, message ids and the stored record's bytes.
//!
//! *Invariant:* this package is pure. It knows no clock, no file, no socket and no command of the
//! protocol; everything it needs (a host, a time, a random number) is an argument. Its parsers are
//! total: any bytes give a value or an error, never a panic.
//!
//! The formats are RocketMQ 4.9's, byte for byte, with the two-byte topic length ("V2") of 5.x for
//! topics longer than 127 bytes.

pub mod batch;
pub mod delay;
pub mod group;
pub mod message_id;
pub mod permission;
pub mod property;
pub mod record;
pub mod topic;

mod ext;
mod message;
mod offset;
mod queue;
mod sys_flag;
mod tags;
mod unique_ids;

pub use ext::MessageExt;
pub use message::Message;
pub use offset::{PhysicalOffset, QueueOffset};
pub use property::Properties;
pub use queue::MessageQueue;
pub use sys_flag::{Compression, SysFlag, TransactionType};
pub use tags::{java_hash, java_hash_onto, tags_code, tags_code_of};
