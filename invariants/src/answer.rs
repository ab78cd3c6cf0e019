//! How a send ended, and where its answer said that the message is.

use message::{MessageQueue, PhysicalOffset, QueueOffset, message_id};

use crate::outcome::Class;

/// Where an answer said that a message is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The queue.
    pub queue: MessageQueue,
    /// Its place in the queue.
    pub offset: QueueOffset,
    /// The id that holds the broker's address and its place in the log.
    pub offset_message_id: String,
}

impl Placed {
    /// Its place in the log, if the id holds one.
    pub fn address(&self) -> Option<PhysicalOffset> {
        message_id::decode(&self.offset_message_id).ok().map(|(_, address)| address)
    }
}

/// How a send ended; which one it is, [`crate::outcome::classify`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The promise is met.
    Ok(Placed),
    /// Stored, but the promise is not met.
    Weak(Placed),
    /// Nothing was appended.
    Rejected {
        /// The response code; 0 when the request never left.
        code: i32,
    },
    /// Anything may have happened, or may still.
    Unknown,
}

impl Outcome {
    /// What it proves.
    pub fn class(&self) -> Class {
        match self {
            Outcome::Ok(_) => Class::Ok,
            Outcome::Weak(_) => Class::Weak,
            Outcome::Rejected { .. } => Class::Rejected,
            Outcome::Unknown => Class::Unknown,
        }
    }

    /// Where the message is stored, if it is known to be.
    pub fn placed(&self) -> Option<&Placed> {
        match self {
            Outcome::Ok(placed) | Outcome::Weak(placed) => Some(placed),
            Outcome::Rejected { .. } | Outcome::Unknown => None,
        }
    }
}
