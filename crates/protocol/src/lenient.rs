//! fastjson's liberties, undone: a text pass that turns what Java prints and accepts into JSON.
//!
//! | Liberty | Example | Becomes |
//! |---|---|---|
//! | bare keys (Q2) | `{0:"a"}` | `{"0":"a"}` |
//! | object keys (Q3) | `{{"queueId":3}:0}` | `{"{\"queueId\":3}":0}` |
//! | single quotes | `{'0':'a'}` | `{"0":"a"}` |
//! | lone surrogates | `"\ud800"` | `"\ufffd"` |
//! | control characters in strings | a raw newline | `\u000a` |
//!
//! Whatever else is wrong stays wrong; the JSON parser that reads the result says so.

use std::borrow::Cow;

/// The bytes as text, broken UTF-8 mended as Java does it. Nearly always there is nothing to mend,
/// and to look for that at once is several times as fast as to look for what is broken.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Deeper nesting is refused here; the JSON parser would refuse it anyway.
const DEPTH_MAX: usize = 128;

/// The text as JSON, or `None` when it cannot be understood as such. The result is at most some
/// six times as long as the text.
pub(crate) fn mend(text: &str) -> Option<String> {
    let mut pass = Pass { text, at: 0, out: String::with_capacity(text.len() + 64) };
    let mut open: Vec<u8> = Vec::new();
    // Whether the next token is a key: behind `{`, and behind `,` inside an object.
    let mut key = false;
    while let Some(byte) = pass.peek() {
        match byte {
            b'"' | b'\'' => pass.string(byte)?,
            b'{' if key => pass.object_key()?,
            b'{' | b'[' => {
                if open.len() == DEPTH_MAX {
                    return None;
                }
                open.push(byte);
                pass.keep();
            }
            b'}' | b']' => {
                open.pop()?;
                pass.keep();
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => pass.keep(),
            _ if key => pass.bare_key(),
            _ => pass.literal(),
        }
        key = match byte {
            b'{' => !key && open.last() == Some(&b'{'),
            b',' => open.last() == Some(&b'{'),
            b' ' | b'\t' | b'\r' | b'\n' => key,
            _ => false,
        };
    }
    open.is_empty().then_some(pass.out)
}

/// Where the pass stands, and what it has written.
struct Pass<'a> {
    text: &'a str,
    at: usize,
    out: String,
}

impl<'a> Pass<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Copies one ASCII byte.
    fn keep(&mut self) {
        self.out.push(char::from(self.text.as_bytes()[self.at]));
        self.at += 1;
    }

    /// Takes a run of text up to punctuation or space; at least one character.
    fn run(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let stop = |c: char| c.is_ascii_whitespace() || ",:{}[]\"'".contains(c);
        let length = rest[first..].find(stop).map_or(rest.len(), |more| first + more);
        self.at += length;
        &rest[..length]
    }

    fn bare_key(&mut self) {
        let run = self.run();
        self.quote(run);
    }

    fn literal(&mut self) {
        let run = self.run();
        self.out.push_str(run);
    }

    /// An object in the place of a key becomes the string of its text.
    fn object_key(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut depth = 0usize;
        let mut quote = None;
        loop {
            let byte = *bytes.get(self.at)?;
            self.at += 1;
            match (quote, byte) {
                (Some(_), b'\\') => self.at += 1,
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'{') => depth += 1,
                (None, b'}') => depth -= 1,
                (None, _) => {}
            }
            if depth == 0 {
                break;
            }
        }
        let object = self.text.get(start..self.at)?;
        self.quote(object);
        Some(())
    }

    fn quote(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            self.letter(letter);
        }
        self.out.push('"');
    }

    fn letter(&mut self, letter: char) {
        match letter {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            control if control < ' ' => {
                self.out.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => self.out.push(other),
        }
    }

    /// Copies a string, in double quotes whatever it came in.
    fn string(&mut self, quote: u8) -> Option<()> {
        self.at += 1;
        self.out.push('"');
        loop {
            let letter = self.text[self.at..].chars().next()?;
            self.at += letter.len_utf8();
            match letter {
                '\\' => self.escape()?,
                _ if letter == char::from(quote) => break,
                _ => self.letter(letter),
            }
        }
        self.out.push('"');
        Some(())
    }

    /// Copies the escape whose backslash has been taken; half a surrogate pair is replaced.
    fn escape(&mut self) -> Option<()> {
        let letter = self.text[self.at..].chars().next()?;
        self.at += letter.len_utf8();
        if letter != 'u' {
            let (prefix, kept) = if letter == '\'' { ("", letter) } else { ("\\", letter) };
            self.out.push_str(prefix);
            self.out.push(kept);
            return Some(());
        }
        let first = self.hex()?;
        let second = match first {
            0xD800..=0xDBFF if self.text[self.at..].starts_with("\\u") => {
                let before = self.at;
                self.at += 2;
                let low = self.hex()?;
                if !(0xDC00..=0xDFFF).contains(&low) {
                    self.at = before;
                }
                (self.at != before).then_some(low)
            }
            _ => None,
        };
        let lone = second.is_none() && (0xD800..=0xDFFF).contains(&first);
        let first = if lone { 0xFFFD } else { first };
        self.out.push_str(&format!("\\u{first:04x}"));
        if let Some(low) = second {
            self.out.push_str(&format!("\\u{low:04x}"));
        }
        Some(())
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::mend;

    #[test]
    fn every_liberty_of_the_table_becomes_json() {
        let cases = [
            (r#"{0:"a",-1:{2:3}}"#, r#"{"0":"a","-1":{"2":3}}"#),
            (
                r#"{{"q":3,"t":"a}"}:0,"b":[{1:2}]}"#,
                r#"{"{\"q\":3,\"t\":\"a}\"}":0,"b":[{"1":2}]}"#,
            ),
            (r#"{'0':'a"b'}"#, r#"{"0":"a\"b"}"#),
            (
                r#"["\ud800","\ud83d\ude00","\ud800\u0041","\udc00"]"#,
                r#"["\ufffd","\ud83d\ude00","\ufffd\u0041","\ufffd"]"#,
            ),
            ("[\"a\nb\"]", r#"["a\u000ab"]"#),
            ("{ a : null , b : [ true ] }\n", "{ \"a\" : null , \"b\" : [ true ] }\n"),
        ];
        for (given, wanted) in cases {
            assert_eq!(mend(given).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn json_stays_as_it_is() {
        for text in [r#"{"a":[1,-2.5e3,true,null,"x\"\\\n\u00e9"],"b":{}}"#, "[]", "中"] {
            assert_eq!(mend(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_never_ends_is_refused() {
        for text in ["{", "[\"a", "{{\"a\":1", "}", "[\"\\u12", &"[".repeat(200)] {
            assert_eq!(mend(text), None, "{text}");
        }
    }
}
