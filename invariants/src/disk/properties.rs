//! The properties string, read from the back for lookups.

/// The pairs of a properties string; what has no name or no value is none.
pub(super) fn pairs(raw: &[u8]) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
    raw.split(|byte| *byte == 2).filter_map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == 1);
        let (name, value) = (halves.next()?, halves.next()?);
        (!name.is_empty() && !value.is_empty()).then_some((name, value))
    })
}

/// The value of a property; the last one wins.
pub(super) fn value<'a>(raw: &'a [u8], name: &str) -> Option<&'a [u8]> {
    pairs(raw).rev().find(|(found, _)| *found == name.as_bytes()).map(|(_, value)| value)
}

/// Java's hash of a tag, sign-extended; 0 for none.
pub(super) fn tags_code(raw: &[u8]) -> i64 {
    let tags = value(raw, "TAGS").map(String::from_utf8_lossy).unwrap_or_default();
    let hash = tags.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_shl(5).wrapping_sub(hash).wrapping_add(i32::from(unit))
    });
    i64::from(hash)
}

/// What a message is found by: its unique key and each word of its keys.
pub(super) fn keys(raw: &[u8]) -> Vec<Vec<u8>> {
    let words = value(raw, "KEYS").unwrap_or_default().split(|byte| *byte == b' ');
    let all = value(raw, "UNIQ_KEY").into_iter().chain(words);
    all.filter(|key| !key.is_empty()).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_read_as_the_format_says() {
        let raw = b"TAGS\x01x\x02\x02a\x01\x02TAGS\x01TagA\x02";
        assert_eq!(value(raw, "TAGS"), Some(&b"TagA"[..]));
        assert_eq!(value(raw, "a"), None);
        assert_eq!(tags_code(raw), 2_598_919);
        assert_eq!(tags_code(b""), 0);
    }
}
