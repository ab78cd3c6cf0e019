//! The tags code: what the queue entry keeps of a tag, so that brokers can filter without reading.

/// Java's `String.hashCode`: over UTF-16 units, wrapping.
pub fn java_hash(text: &str) -> i32 {
    if text.is_ascii() {
        return hash_units(text.bytes().map(u16::from));
    }
    hash_units(text.encode_utf16())
}

/// The code of a tag: its hash, sign-extended; 0 for no tag.
pub fn tags_code(tags: &str) -> i64 {
    i64::from(java_hash(tags))
}

/// [`tags_code`] of a tag still in the bytes of a properties string. Bytes that are no UTF-8 count
/// as U+FFFD, as Java decodes them. Does not allocate.
pub fn tags_code_of(tags: &[u8]) -> i64 {
    i64::from(java_hash_onto(0, tags))
}

/// [`java_hash`] of a text whose first part has the hash `hash` and whose second part is `text`,
/// still in bytes and decoded as [`tags_code_of`] does. Does not allocate.
pub fn java_hash_onto(hash: i32, text: &[u8]) -> i32 {
    if text.is_ascii() {
        return hash_units_onto(hash, text.iter().map(|byte| u16::from(*byte)));
    }
    let units = text.utf8_chunks().flat_map(|chunk| {
        let replaced = if chunk.invalid().is_empty() { "" } else { "\u{fffd}" };
        chunk.valid().encode_utf16().chain(replaced.encode_utf16())
    });
    hash_units_onto(hash, units)
}

fn hash_units(units: impl Iterator<Item = u16>) -> i32 {
    hash_units_onto(0, units)
}

fn hash_units_onto(hash: i32, units: impl Iterator<Item = u16>) -> i32 {
    units.fold(hash, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_equal_those_a_4_9_broker_stored() {
        for (tag, code) in
            [("TagA", 2598919), ("TagB", 2598920), ("TagD", 2598922), ("TagT", 2598938), ("d", 100)]
        {
            assert_eq!(tags_code(tag), code);
            assert_eq!(tags_code_of(tag.as_bytes()), code);
        }
        assert_eq!(tags_code(""), 0);
    }

    #[test]
    fn the_hash_is_over_utf_16_and_wraps_below_zero() {
        // U+1F600 is the pair d83d de00: 0xd83d * 31 + 0xde00.
        assert_eq!(java_hash("\u{1f600}"), 0xd83d * 31 + 0xde00);
        // The well-known string whose hash is the smallest number.
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(tags_code("polygenelubricants"), -2_147_483_648);
    }

    proptest! {
        #[test]
        fn the_bytes_give_the_code_of_the_text_they_decode_to(bytes: Vec<u8>) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(tags_code_of(&bytes), tags_code(&text));
        }

        #[test]
        fn a_hash_goes_on_where_another_ended(first in "\\PC{0,9}", second in "\\PC{0,9}") {
            let whole = java_hash(&format!("{first}{second}"));
            prop_assert_eq!(java_hash_onto(java_hash(&first), second.as_bytes()), whole);
        }

        #[test]
        fn the_ascii_path_equals_the_general_one(text in "[ -~]{0,40}") {
            prop_assert_eq!(java_hash(&text), hash_units(text.encode_utf16()));
        }
    }
}
