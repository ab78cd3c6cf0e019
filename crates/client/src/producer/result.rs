//! What a broker said about a message that it stored.

use message::{MessageQueue, QueueOffset};
use protocol::ResponseCode;

use crate::attempt::Attempt;

/// How well a stored message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendStatus {
    /// As the broker is configured to promise.
    Ok,
    /// Stored, but it was not flushed to disk in time.
    FlushDiskTimeout,
    /// Stored, but no slave confirmed it in time.
    FlushSlaveTimeout,
    /// Stored, but there is no slave to confirm it.
    SlaveNotAvailable,
}

impl SendStatus {
    /// What an answer's code says; `None` when it does not say that the message is stored.
    pub fn of(code: ResponseCode) -> Option<Self> {
        match code {
            ResponseCode::SUCCESS => Some(Self::Ok),
            ResponseCode::FLUSH_DISK_TIMEOUT => Some(Self::FlushDiskTimeout),
            ResponseCode::FLUSH_SLAVE_TIMEOUT => Some(Self::FlushSlaveTimeout),
            ResponseCode::SLAVE_NOT_AVAILABLE => Some(Self::SlaveNotAvailable),
            _ => None,
        }
    }
}

/// A message that a broker stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendResult {
    /// How well.
    pub status: SendStatus,
    /// Where.
    pub queue: MessageQueue,
    /// Its offset there; of a batch, the first message's.
    pub queue_offset: QueueOffset,
    /// The unique id that the producer gave it (UNIQ_KEY); of a batch, all of them with commas
    /// between.
    pub message_id: String,
    /// The id that the broker gave it, made of its address and the physical offset; of a batch,
    /// all of them with commas between.
    pub offset_message_id: String,
    /// Every attempt, oldest first; the last one is this result. An earlier one may have stored
    /// the message as well.
    pub attempts: Vec<Attempt>,
}
