//! Finding the end of a JSON string eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The index of the first quote, backslash or control character.
#[inline]
pub(crate) fn string_stop(bytes: &[u8]) -> Option<usize> {
    let (chunks, tail) = bytes.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let hits = stops(u64::from_le_bytes(*chunk));
        if hits != 0 {
            return Some(at * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')?;
    Some(bytes.len() - tail.len() + at)
}

/// High bits where a byte is a stop. A borrow may raise one too many, but only above a true one,
/// and the lowest is the one that counts.
fn stops(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let quote = zero(word ^ (ONES * u64::from(b'"')));
    let backslash = zero(word ^ (ONES * u64::from(b'\\')));
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    quote | backslash | control
}

#[cfg(test)]
mod tests {
    use super::string_stop;

    #[test]
    fn the_first_stop_is_found_wherever_it_is_and_whatever_is_around_it() {
        let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
        for around in (0..=255u8).filter(plain) {
            for stop in [0u8, 1, 0x1f, b'"', b'\\'] {
                for at in 0..20 {
                    let mut bytes = [around; 20];
                    bytes[at] = stop;
                    assert_eq!(string_stop(&bytes), Some(at), "{around} {stop}");
                }
            }
            assert_eq!(string_stop(&[around; 20]), None);
        }
    }
}
