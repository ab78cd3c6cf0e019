//! The keys of a message, and what the index keeps of each.

use message::record::View;
use message::{TransactionType, java_hash, java_hash_onto, property};

/// Separates the words of the property KEYS, as in RocketMQ.
const SEPARATOR: u8 = b' ';

/// One key of one message, to be indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// See [`key_hash`].
    pub(super) hash: u32,
    /// Where the record stands in the CommitLog.
    pub(super) physical: u64,
    /// When it was stored, in ms.
    pub(super) store_timestamp: u64,
}

/// What the index keeps of a key: Java's `abs(hashCode)` of `topic#key`, where the one value
/// without an absolute one is 0.
pub(super) fn key_hash(topic: &str, key: &[u8]) -> u32 {
    hash_below(prefix_hash(topic), key)
}

/// The hash of `topic#`, onto which that of a key goes.
pub(super) fn prefix_hash(topic: &str) -> i32 {
    java_hash_onto(java_hash(topic), b"#")
}

/// [`key_hash`], of a topic whose [`prefix_hash`] is known.
pub(super) fn hash_below(prefix: i32, key: &[u8]) -> u32 {
    java_hash_onto(prefix, key).checked_abs().unwrap_or(0) as u32
}

/// The keys by which a record is found, in the order of their entries: the unique key, then each
/// word of KEYS. A rollback is found by none.
pub(super) fn keys_of<'a>(view: &View<'a>) -> impl Iterator<Item = &'a [u8]> {
    let (mut unique, mut words) = (None, None);
    if view.sys_flag.transaction() != TransactionType::Rollback {
        // One walk for both; the last one of a name wins.
        for (name, value) in property::iter(view.properties) {
            if name == property::UNIQ_KEY.as_bytes() {
                unique = Some(value);
            } else if name == property::KEYS.as_bytes() {
                words = Some(value);
            }
        }
    }
    let words = words.into_iter().flat_map(|words| words.split(|byte| *byte == SEPARATOR));
    unique.into_iter().chain(words.filter(|word| !word.is_empty()))
}

/// Whether a record is found by this key of this topic.
pub(super) fn has_key(view: &View<'_>, topic: &str, key: &[u8]) -> bool {
    view.topic == topic && keys_of(view).any(|own| own == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_a_4_9_broker_stored() {
        assert_eq!(key_hash("TopicA", b"k0"), 1_903_240_650);
        assert_eq!(key_hash("TopicA", b"k0") % 5_000, 650);
    }

    #[test]
    fn the_one_hash_without_an_absolute_value_is_0() {
        assert_eq!(hash_below(i32::MIN, b""), 0);
        assert_eq!(hash_below(-5, b""), 5);
        assert_eq!(key_hash("", b"").cast_signed(), i32::from(b'#'));
    }
}
