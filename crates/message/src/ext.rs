//! A message as it stands in the log.

use std::net::SocketAddr;

use crate::message::Message;
use crate::message_id;
use crate::offset::{PhysicalOffset, QueueOffset};
use crate::sys_flag::SysFlag;

/// A stored message, every field of its record owned. The body is a slice of what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageExt {
    /// What was sent; the body as stored, perhaps compressed.
    pub message: Message,
    /// The queue of the topic, on the broker it was read from.
    pub queue_id: u32,
    /// Its place in the queue.
    pub queue_offset: QueueOffset,
    /// Its place in the log.
    pub physical_offset: PhysicalOffset,
    /// The length of its record, in bytes.
    pub store_size: u32,
    /// The checksum of the body as stored, in 31 bits.
    pub body_crc: u32,
    /// The system's flags.
    pub sys_flag: SysFlag,
    /// When it was made, in ms by the producer's clock.
    pub born_timestamp: u64,
    /// Who made it.
    pub born_host: SocketAddr,
    /// When it was stored, in ms by the broker's clock.
    pub store_timestamp: u64,
    /// The broker that stored it; its advertised address.
    pub store_host: SocketAddr,
    /// How often it was handed back.
    pub reconsume_times: u32,
    /// Of a committed transaction: where its half message stands.
    pub prepared_transaction_offset: PhysicalOffset,
}

impl MessageExt {
    /// The id that says where it is stored.
    pub fn offset_message_id(&self) -> String {
        message_id::encode(self.store_host, self.physical_offset)
    }

    /// The id that the producer gave it, else the one that says where it is stored.
    pub fn message_id(&self) -> String {
        self.message.unique_key().map_or_else(|| self.offset_message_id(), str::to_owned)
    }
}
