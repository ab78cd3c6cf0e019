//! Finding the end of a JSON string eight bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Where a run of plain characters ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    /// The index of the first quote, backslash or control character.
    pub(crate) at: usize,
    /// Whether everything before it is ASCII, and so needs no look at its UTF-8.
    pub(crate) is_ascii: bool,
}

/// Finds the first quote, backslash or control character.
#[inline(always)]
pub(crate) fn string_stop(bytes: &[u8]) -> Option<Stop> {
    let (chunks, tail) = bytes.as_chunks::<8>();
    let mut highs = 0;
    for (at, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let hits = stops(word);
        if hits != 0 {
            // The lowest hit's own bit is that of its byte; those below it are the bytes before.
            let before = word & ((hits & hits.wrapping_neg()) - 1);
            let is_ascii = (highs | before) & HIGHS == 0;
            return Some(Stop { at: at * 8 + hits.trailing_zeros() as usize / 8, is_ascii });
        }
        highs |= word;
    }
    let at = tail.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')?;
    let is_ascii = highs & HIGHS == 0 && tail[..at].is_ascii();
    Some(Stop { at: bytes.len() - tail.len() + at, is_ascii })
}

/// The number that eight decimal digits are; `None` when they are not all digits.
#[inline]
pub(crate) fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(text);
    // A digit is 0x30 to 0x39: its high half is 3, and still is after adding 6.
    let halves = |word: u64| word & (ONES * 0xf0);
    if halves(word) != ONES * 0x30 || halves(word.wrapping_add(ONES * 6)) != ONES * 0x30 {
        return None;
    }
    // Neighbours add up to pairs, pairs to fours, fours to the whole; the first digit is lowest.
    let pairs = (word & (ONES * 0x0f)).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    let whole = (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32;
    Some(whole)
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
    use super::{Stop, eight_digits, string_stop};

    #[test]
    fn the_first_stop_is_found_wherever_it_is_and_whatever_is_around_it() {
        let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
        for around in (0..=255u8).filter(plain) {
            for stop in [0u8, 1, 0x1f, b'"', b'\\'] {
                for at in 0..20 {
                    let mut bytes = [around; 20];
                    bytes[at] = stop;
                    let is_ascii = at == 0 || around.is_ascii();
                    let expected = Some(Stop { at, is_ascii });
                    assert_eq!(string_stop(&bytes), expected, "{around} {stop}");
                }
            }
            assert_eq!(string_stop(&[around; 20]), None);
        }
    }

    #[test]
    fn what_stands_behind_the_stop_says_nothing_about_what_is_before() {
        for at in 0..12 {
            let mut bytes = [b'x'; 12];
            bytes[at] = b'"';
            bytes[at + 1..].fill(0xff);
            assert_eq!(string_stop(&bytes), Some(Stop { at, is_ascii: true }));
        }
    }

    #[test]
    fn eight_digits_are_a_number_and_nothing_else_is() {
        for (text, value) in
            [(b"00000000", 0), (b"12345678", 12_345_678), (b"99999999", 99_999_999)]
        {
            assert_eq!(eight_digits(*text), Some(value));
        }
        for other in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
            for at in 0..8 {
                let mut text = *b"90909090";
                text[at] = other;
                assert_eq!(eight_digits(text), None, "{other} at {at}");
            }
        }
    }
}
