//! Reading a properties string in place, without allocation.

use super::format::{NAME_END, VALUE_END};

/// The value of `name` in the bytes of a properties string; the last one wins.
pub fn find<'a>(raw: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let name = name.as_bytes();
    let mut end = raw.len();
    // From the back, because the last one wins.
    loop {
        let start = raw[..end].iter().rposition(|byte| *byte == VALUE_END).map_or(0, |at| at + 1);
        let pair = &raw[start..end];
        if pair.len() > name.len() + 1 && pair[name.len()] == NAME_END && pair.starts_with(name) {
            return (!name.is_empty()).then(|| &pair[name.len() + 1..]);
        }
        end = start.checked_sub(1)?;
    }
}

/// The pairs of a properties string in the order they stand there, repetitions included.
pub fn iter(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(|byte| *byte == VALUE_END).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == NAME_END)?;
        let (name, value) = (&pair[..at], &pair[at + 1..]);
        (!name.is_empty() && !value.is_empty()).then_some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_is_found_wherever_it_stands() {
        let raw = b"color\x01red\x02KEYS\x01k0\x02TAGS\x01TagA";
        assert_eq!(find(raw, "color"), Some(&b"red"[..]));
        assert_eq!(find(raw, "KEYS"), Some(&b"k0"[..]));
        assert_eq!(find(raw, "TAGS"), Some(&b"TagA"[..]));
        assert_eq!(find(raw, "TAG"), None);
        assert_eq!(find(raw, "AGS"), None);
        assert_eq!(find(b"", "KEYS"), None);
    }

    #[test]
    fn the_last_of_two_wins_and_a_trailing_separator_is_nothing() {
        let raw = b"WAIT\x01false\x02a\x01b\x02\x02WAIT\x01true\x02";
        assert_eq!(find(raw, "WAIT"), Some(&b"true"[..]));
        assert_eq!(find(raw, "a"), Some(&b"b"[..]));
        assert_eq!(iter(raw).count(), 3);
    }

    #[test]
    fn a_pair_without_name_or_value_is_absent_and_a_value_may_hold_a_one() {
        assert_eq!(find(b"a\x01\x02\x01b\x02c", "a"), None);
        assert_eq!(find(b"\x01b", ""), None);
        assert_eq!(find(b"a\x01x\x02a\x01", "a"), Some(&b"x"[..]));
        assert_eq!(find(b"a\x01x\x01y", "a"), Some(&b"x\x01y"[..]));
    }

    proptest! {
        #[test]
        fn finding_equals_the_last_of_the_pairs(
            raw in proptest::collection::vec(prop_oneof![Just(1), Just(2), 96u8..100], 0..40),
            name in "[a-c]{1,2}",
        ) {
            let last = iter(&raw).filter(|(found, _)| *found == name.as_bytes()).last();
            prop_assert_eq!(find(&raw, &name), last.map(|(_, value)| value));
        }
    }
}
