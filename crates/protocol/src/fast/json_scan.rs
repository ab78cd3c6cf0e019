//! A scan over the compact JSON that clients print. Not a parser: it refuses what it has no need
//! to know (white space inside, nested values, `null`).

use crate::swar::{eight_digits, string_stop};

/// Where the scan stands.
pub(crate) struct Scan<'a> {
    pub(crate) rest: &'a [u8],
}

/// A scalar, not interpreted.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    /// The inside of a string; or a number without a fraction, or a truth value.
    pub(crate) bytes: &'a [u8],
    /// What is known about it. A whole word: flags of one byte each would be written one by one
    /// and read together, for which the processor waits longer than the scan takes.
    traits: usize,
}

/// It is a string.
const TEXT: usize = 1;
/// There is a backslash in it.
const ESCAPED: usize = 2;
/// It may be something else than ASCII, and so broken UTF-8.
const WIDE: usize = 4;

impl<'a> Raw<'a> {
    /// A text without escapes about which nothing else is known.
    #[inline]
    pub(crate) fn text(bytes: &'a [u8]) -> Self {
        Self { bytes, traits: TEXT | WIDE }
    }

    #[inline]
    pub(crate) fn is_text(self) -> bool {
        self.traits & TEXT != 0
    }

    /// Whether there is a backslash in it.
    #[inline]
    pub(crate) fn has_escapes(self) -> bool {
        self.traits & ESCAPED != 0
    }

    /// Its bytes, if they stand for themselves.
    #[inline]
    pub(crate) fn plain(self) -> Option<&'a [u8]> {
        (!self.has_escapes()).then_some(self.bytes)
    }

    /// Its bytes, if they are sound UTF-8: the ordinary path mends what is not.
    #[inline]
    pub(crate) fn utf8(self) -> Option<&'a [u8]> {
        let is_sound = self.traits & WIDE == 0 || std::str::from_utf8(self.bytes).is_ok();
        is_sound.then_some(self.bytes)
    }
}

impl<'a> Scan<'a> {
    /// Takes `byte`, if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == byte).then(|| self.rest = rest)
    }

    /// Behind a member of an object: true for a comma, false for the closing brace.
    #[inline]
    pub(crate) fn more(&mut self) -> Option<bool> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        match first {
            b',' => Some(true),
            b'}' => Some(false),
            _ => None,
        }
    }

    /// Takes a key without escapes, and its colon.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Option<&'a [u8]> {
        // Keys of a send are one letter: look for those first.
        if let [b'"', letter, b'"', b':', rest @ ..] = self.rest
            && letter.is_ascii_alphabetic()
        {
            let key = &self.rest[1..2];
            self.rest = rest;
            return Some(key);
        }
        self.take(b'"')?;
        let (key, rest) = self.rest.split_at_checked(string_stop(self.rest)?.at)?;
        self.rest = rest;
        self.take(b'"')?;
        self.take(b':')?;
        Some(key)
    }

    /// Takes a string, a whole number or a truth value.
    #[inline(always)]
    pub(crate) fn scalar(&mut self) -> Option<Raw<'a>> {
        match self.rest {
            // Most values of a send are one digit.
            [b'"', b'0'..=b'9', b'"', rest @ ..] => {
                let digit = &self.rest[1..2];
                self.rest = rest;
                Some(Raw { bytes: digit, traits: TEXT })
            }
            [b'"', rest @ ..] => {
                self.rest = rest;
                self.text()
            }
            _ => self.bare(),
        }
    }

    fn bare(&mut self) -> Option<Raw<'a>> {
        let end = self.rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
        let (bare, rest) = self.rest.split_at(end);
        self.rest = rest;
        (bare == b"true" || bare == b"false" || is_integer(bare))
            .then_some(Raw { bytes: bare, traits: 0 })
    }

    #[inline(always)]
    fn text(&mut self) -> Option<Raw<'a>> {
        let start = self.rest;
        let (mut length, mut traits) = (0, TEXT);
        loop {
            let stop = string_stop(&start[length..])?;
            length += stop.at;
            traits |= if stop.is_ascii { 0 } else { WIDE };
            match start[length] {
                b'"' => break,
                b'\\' => {
                    traits |= ESCAPED;
                    length += escape_length(&start[length + 1..])?;
                }
                _ => return None,
            }
        }
        self.rest = &start[length + 1..];
        Some(Raw { bytes: &start[..length], traits })
    }

    /// Whether nothing but line ends is left (C++ clients send one).
    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.iter().all(|byte| *byte == b'\n' || *byte == b'\r')
    }
}

/// The bytes of an escape, given what follows its backslash. Half of a surrogate pair is sound
/// here: the ordinary path mends it.
fn escape_length(after: &[u8]) -> Option<usize> {
    match after {
        [b'u', b'0', b'0', b'0', b'1' | b'2', ..] => Some(6),
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [b'u', digits @ ..] => digits.get(..4)?.iter().all(u8::is_ascii_hexdigit).then_some(6),
        _ => None,
    }
}

/// As JSON has it: no leading zero, no plus, no fraction.
fn is_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let zero_led = digits.len() > 1 && digits[0] == b'0';
    // "-0" is a decimal number to JSON parsers; nobody sends it.
    let negative_zero = text == b"-0";
    !digits.is_empty()
        && digits.len() < 19
        && !zero_led
        && !negative_zero
        && digits.iter().all(u8::is_ascii_digit)
}

/// The integer that a text is: an optional minus and up to 18 digits.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (digits, negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let (eights, rest) = digits.as_chunks::<8>();
    let mut value = 0u64;
    for eight in eights {
        value = value * 100_000_000 + eight_digits(*eight)?;
    }
    for digit in rest {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    // 18 digits are less than 2^63.
    Some(if negative { -(value as i64) } else { value as i64 })
}
