//! Notes every attempt of a producer: gives it its identity, and says how it ended.

use hotfire_client::{Attempt, AttemptHook, AttemptOutcome, Stored};
use invariants::history::{Kind, Outcome, Placed, What};
use invariants::identity::{Identity, PROPERTY};
use invariants::outcome::{Class, End, classify};
use message::{Message, MessageQueue, QueueOffset};
use runtime::sometimes;

use crate::recorder::Recorder;

/// SEND_MESSAGE_V2; for the table of outcomes all codes that send are one.
const SEND: i32 = 310;

/// The hook of a producer whose messages carry identities.
pub(crate) struct Attempts {
    recorder: Recorder,
}

impl Attempts {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self { recorder }
    }
}

impl AttemptHook for Attempts {
    fn starting(&self, number: u32, _: &MessageQueue, messages: &mut [Message]) {
        sometimes!("a send was tried again", number > 0);
        for message in messages {
            let id = Identity::of(message).expect("workloads stamp what they send");
            let id = Identity { attempt: number, ..id };
            message.properties.set(PROPERTY, id.to_string());
            self.recorder.record(What::send_started(message, Kind::Plain));
        }
    }

    fn ended(&self, attempt: &Attempt, stored: Option<&Stored>, messages: &[Message]) {
        let (end, code) = match &attempt.outcome {
            AttemptOutcome::Answered { code, .. } => (End::Answered(code.0), code.0),
            AttemptOutcome::NotSent { .. } => (End::NotSent, 0),
            AttemptOutcome::Unknown { .. } => (End::Lost, 0),
        };
        let class = classify(SEND, end);
        sometimes!("a send was refused", class == Class::Rejected);
        sometimes!("a send ended unknown", class == Class::Unknown);
        sometimes!("a send was stored with less than the promise", class == Class::Weak);
        for (at, message) in messages.iter().enumerate() {
            let id = Identity::of(message).expect("workloads stamp what they send");
            let outcome = match (class, stored) {
                (Class::Ok, Some(stored)) => Outcome::Ok(placed(stored, at)),
                (Class::Weak, Some(stored)) => Outcome::Weak(placed(stored, at)),
                (Class::Rejected, _) => Outcome::Rejected { code },
                _ => Outcome::Unknown,
            };
            self.recorder.record(What::SendEnded { id, outcome });
        }
    }
}

/// Where the message number `at` of a batch is: offsets follow each other, ids stand in a list.
fn placed(stored: &Stored, at: usize) -> Placed {
    Placed {
        queue: stored.queue.clone(),
        offset: QueueOffset(stored.queue_offset.0 + at as u64),
        offset_message_id: stored
            .offset_message_id
            .split(',')
            .nth(at)
            .unwrap_or_default()
            .to_owned(),
    }
}
