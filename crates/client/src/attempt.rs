//! One attempt to send: what was tried and what is known about it.

use message::{Message, MessageQueue, QueueOffset};
use protocol::ResponseCode;

/// What is known about one attempt after it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The broker answered with this code. Whether that means stored is the code's business.
    Answered {
        /// The answer's code.
        code: ResponseCode,
        /// The answer's text.
        remark: Option<String>,
    },
    /// The request never left: the message is not stored by this attempt.
    NotSent {
        /// Why not.
        reason: String,
    },
    /// The request may have left and no answer came. The message may be stored, once, now or
    /// later.
    Unknown {
        /// What happened instead of an answer.
        reason: String,
    },
}

impl AttemptOutcome {
    /// Whether the broker said that the message is stored (codes 0, 10, 11 and 12).
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Answered { code, .. } if code.is_stored())
    }
}

/// Whether another broker may answer a send better than with this code (protocol.md §5.5, with the
/// additions of 5.x).
pub(crate) fn is_worth_a_retry(code: ResponseCode) -> bool {
    [
        ResponseCode::SYSTEM_ERROR,
        ResponseCode::SYSTEM_BUSY,
        ResponseCode::SERVICE_NOT_AVAILABLE,
        ResponseCode::NO_PERMISSION,
        ResponseCode::TOPIC_NOT_EXIST,
    ]
    .contains(&code)
}

/// One attempt of one send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// 0 for the first.
    pub number: u32,
    /// Where it went.
    pub queue: MessageQueue,
    /// What is known about it.
    pub outcome: AttemptOutcome,
}

/// Where a broker said that an attempt's message is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The queue.
    pub queue: MessageQueue,
    /// The offset there; of a batch, the first message's.
    pub queue_offset: QueueOffset,
    /// The id made of the broker's address and the physical offset; of a batch, all of them with
    /// commas between.
    pub offset_message_id: String,
}

/// Watches the attempts of a producer. It runs within `send`, so it must be quick.
pub trait AttemptHook: Send + Sync + 'static {
    /// Attempt `number` (from 0) is about to go to `queue`. The messages may be marked with it; an
    /// earlier attempt's mark is still on them.
    fn starting(&self, number: u32, queue: &MessageQueue, messages: &mut [Message]);
    /// The attempt is over; `stored` says where, when the broker said so. Not called when the
    /// caller of `send` goes away before: then nothing is known about the attempt.
    fn ended(&self, attempt: &Attempt, stored: Option<&Stored>, messages: &[Message]);
}
