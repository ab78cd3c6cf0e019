//! A fingerprint of what a producer put into a message, equal wherever the message is met.

use message::{Message, property};
use serde::Serialize;

/// A hash over flag, body and the user's properties. Two messages of one run that differ have the
/// same digest with probability 2⁻⁶⁴; nobody in a simulation tries to make them collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Digest(pub u64);

/// Properties that the system adds, changes or takes away on a message's way; they do not count.
const SYSTEM: [&str; 33] = [
    property::WAIT,
    property::DELAY,
    property::RETRY_TOPIC,
    property::REAL_TOPIC,
    property::REAL_QID,
    property::TRAN_MSG,
    property::PGROUP,
    property::MIN_OFFSET,
    property::MAX_OFFSET,
    property::ORIGIN_MESSAGE_ID,
    property::RECONSUME_TIME,
    property::MSG_REGION,
    property::TRACE_ON,
    property::UNIQ_KEY,
    property::MAX_RECONSUME_TIMES,
    property::CONSUME_START_TIME,
    property::TRAN_PREPARED_QUEUE_OFFSET,
    property::TRANSACTION_CHECK_TIMES,
    property::CHECK_IMMUNITY_TIME_IN_SECONDS,
    property::CLUSTER,
    property::INNER_MULTI_DISPATCH,
    property::INNER_MULTI_QUEUE_OFFSET,
    property::TRANSACTION_ID,
    property::TIMER_DELAY_SEC,
    property::TIMER_DELAY_MS,
    property::TIMER_DELIVER_MS,
    property::TIMER_OUT_MS,
    property::TIMER_ENQUEUE_MS,
    property::TIMER_DEQUEUE_MS,
    property::TIMER_ROLL_TIMES,
    property::DLQ_ORIGIN_TOPIC,
    property::DLQ_ORIGIN_MESSAGE_ID,
    property::INSTANCE_ID,
];

impl Digest {
    /// The digest of a message as a client holds it, its body not compressed.
    pub fn of(message: &Message) -> Self {
        let pairs = message.properties.iter();
        let pairs = pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        Self::of_parts(message.flag, &message.body, pairs)
    }

    /// The digest of a message in parts; the order of the properties does not count.
    pub fn of_parts<'a>(
        flag: i32,
        body: &[u8],
        properties: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let of_user = |(name, _): &(&[u8], &[u8])| !SYSTEM.iter().any(|s| s.as_bytes() == *name);
        // The last of two wins, as everywhere.
        let pairs: std::collections::BTreeMap<_, _> = properties.filter(of_user).collect();
        let mut hash = word(0xcbf2_9ce4_8422_2325, u64::from(flag as u32));
        hash = part(hash, body);
        for (name, value) in pairs {
            hash = part(part(hash, name), value);
        }
        Self(hash)
    }
}

/// One part with its length, so that bytes cannot wander from one part to the next unseen.
fn part(hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words
        .iter()
        .fold(word(hash, bytes.len() as u64), |hash, bytes| word(hash, u64::from_le_bytes(*bytes)));
    // The length tells how much of the last word is there.
    let last = rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
    word(hash, last)
}

/// Folds a word in: another word gives another hash, and every bit reaches every bit in two steps.
fn word(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0x9fb2_1c65_1e98_df25);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_adds_does_not_count_and_what_the_user_set_does() {
        let sent = Message::new("t", "body").with_tags("a").with_property("x", "1");
        let digest = Digest::of(&sent);
        let added = sent.clone().with_property("CLUSTER", "c").with_property("UNIQ_KEY", "u");
        assert_eq!(Digest::of(&added), digest);
        let swapped = Message::new("t", "body").with_property("x", "1").with_tags("a");
        assert_eq!(Digest::of(&swapped), digest);
        assert_ne!(Digest::of(&sent.clone().with_tags("b")), digest);
        assert_ne!(Digest::of(&sent.clone().with_keys("k")), digest);
        assert_ne!(Digest::of(&Message { flag: 1, ..sent.clone() }), digest);
        assert_ne!(Digest::of(&Message { body: "bodz".into(), ..sent }), digest);
    }
}
