//! A scan over the compact JSON that clients print. Not a parser: it refuses what it has no need
//! to know (white space inside, nested values, `null`).

use crate::fast::swar::string_stop;

/// Where the scan stands.
pub(crate) struct Scan<'a> {
    pub(crate) rest: &'a [u8],
}

/// A scalar, not interpreted.
#[derive(Clone, Copy)]
pub(crate) enum Raw<'a> {
    /// The inside of a string; whether there is a backslash in it.
    Text(&'a [u8], bool),
    /// A number without a fraction, or a truth value.
    Bare(&'a [u8]),
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
    #[inline]
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
        let (key, rest) = self.rest.split_at_checked(string_stop(self.rest)?)?;
        self.rest = rest;
        self.take(b'"')?;
        self.take(b':')?;
        Some(key)
    }

    /// Takes a string, a whole number or a truth value.
    #[inline]
    pub(crate) fn scalar(&mut self) -> Option<Raw<'a>> {
        match self.rest {
            // Most values of a send are one digit.
            [b'"', b'0'..=b'9', b'"', rest @ ..] => {
                let digit = &self.rest[1..2];
                self.rest = rest;
                Some(Raw::Text(digit, false))
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
        (bare == b"true" || bare == b"false" || is_integer(bare)).then_some(Raw::Bare(bare))
    }

    #[inline]
    fn text(&mut self) -> Option<Raw<'a>> {
        let start = self.rest;
        let mut length = 0;
        let mut escaped = false;
        loop {
            length += string_stop(&start[length..])?;
            match start[length] {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    length += escape_length(&start[length + 1..])?;
                }
                _ => return None,
            }
        }
        self.rest = &start[length + 1..];
        Some(Raw::Text(&start[..length], escaped))
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
pub(crate) fn integer(text: &[u8]) -> Option<i64> {
    let (digits, negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}
