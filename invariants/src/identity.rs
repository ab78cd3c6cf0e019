//! Who a message is, whatever happens to it: producer, operation, attempt.

use message::Message;
use serde::Serialize;

/// The property that carries the identity. To the broker it is one user property among others, so
/// it cannot invent one.
pub const PROPERTY: &str = "hotfire-id";

/// One attempt to send one message. A retry is another attempt of the same operation, so two
/// copies of one *attempt* are never the producer's doing.
///
/// Workloads stamp each of the client's own retries with a number of its own, or one attempt could
/// rightly be stored twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Identity {
    /// Which producer of the run.
    pub producer: u32,
    /// Its operation, from 0.
    pub op: u32,
    /// The operation's attempt, from 0.
    pub attempt: u32,
}

impl Identity {
    /// Names an attempt.
    pub fn new(producer: u32, op: u32, attempt: u32) -> Self {
        Self { producer, op, attempt }
    }

    /// The message with this identity as a property.
    #[must_use]
    pub fn stamp(self, message: Message) -> Message {
        message.with_property(PROPERTY, self.to_string())
    }

    /// The identity that a message carries.
    pub fn of(message: &Message) -> Option<Self> {
        Self::parse(message.properties.get(PROPERTY)?.as_bytes())
    }

    /// Reads what [`Identity`]'s `Display` writes: `producer.op.attempt;`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.strip_suffix(';')?;
        let mut parts = text.split('.');
        let mut next = || parts.next()?.parse().ok();
        let identity = Self { producer: next()?, op: next()?, attempt: next()? };
        parts.next().is_none().then_some(identity)
    }
}

impl std::fmt::Display for Identity {
    /// The end mark keeps `1.2.3;` from being found within `1.2.30;` in raw bytes.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}.{}.{};", self.producer, self.op, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_property_and_nothing_else_is_one() {
        let identity = Identity::new(1, 2, 30);
        let stamped = identity.stamp(Message::new("t", "b"));
        assert_eq!(Identity::of(&stamped), Some(identity));
        assert_eq!(Identity::of(&Message::new("t", "b")), None);
        for text in ["1.2.3", "1.2;", "1.2.3.4;", "a.2.3;", ";", "-1.2.3;", "1.2.3;;"] {
            assert_eq!(Identity::parse(text.as_bytes()), None, "{text}");
        }
    }
}
