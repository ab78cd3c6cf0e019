//! Java's properties format, as `java.util.Properties.load` reads it.
//!
//! Comments begin with `#` or `!`; the key ends at the first `=`, `:` or white space that no `\`
//! precedes; a line that ends with an odd number of `\` goes on in the next; `\t \n \r \f \uXXXX`
//! are escapes and any other `\x` is `x`.

use std::iter::Peekable;
use std::str::Chars;

use super::raw::{ConfigError, Origin, Pair};

/// The pairs of a file, in its order.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Pair>, ConfigError> {
    let mut pairs = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        while goes_on(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, line)) => logical.push_str(line.trim_start()),
                None => break,
            }
        }
        let origin = Origin::File { name: name.to_owned(), line: index + 1 };
        let (key, value) = split(&logical)
            .map_err(|problem| ConfigError::Syntax(format!("{origin}: {problem}")))?;
        pairs.push(Pair { key, value, origin });
    }
    Ok(pairs)
}

/// Whether the line ends with a backslash that is not itself escaped.
fn goes_on(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn split(line: &str) -> Result<(String, String), String> {
    let mut chars = line.chars().peekable();
    let key = unescape(&mut chars, |char| is_blank(char) || char == '=' || char == ':')?;
    skip_blanks(&mut chars);
    if chars.next_if(|char| matches!(char, '=' | ':')).is_some() {
        skip_blanks(&mut chars);
    }
    // Java keeps blanks at a value's end; a number with one behind it is never what was meant.
    let value = unescape(&mut chars, |_| false)?.trim_end().to_owned();
    Ok((key, value))
}

/// Reads up to an unescaped character for which `ends` holds.
fn unescape(chars: &mut Peekable<Chars<'_>>, ends: fn(char) -> bool) -> Result<String, String> {
    let mut text = String::new();
    while let Some(char) = chars.next_if(|char| !ends(*char)) {
        text.push(match char {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16)
                        .ok()
                        .and_then(char::from_u32)
                        .ok_or_else(|| format!("\\u{digits} is not a character"))?
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        });
    }
    Ok(text)
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\u{c}')
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|char| is_blank(*char)).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let parsed = parse("broker.conf", text).unwrap();
        parsed.into_iter().map(|pair| (pair.key, pair.value)).collect()
    }

    #[test]
    fn keys_end_at_equals_colon_or_blank() {
        let text = "a=1\nb : 2\n  c 3\nd=\ne\nf = x = y\n";
        let expected = [("a", "1"), ("b", "2"), ("c", "3"), ("d", ""), ("e", ""), ("f", "x = y")];
        assert_eq!(pairs(text), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn comments_and_empty_lines_are_nothing() {
        assert_eq!(pairs("# a=1\n\n   ! b=2\n"), []);
    }

    #[test]
    fn a_backslash_joins_lines_and_escapes() {
        let text = "peers=n0-a:1;\\\n   n1-b:2\npath=C\\:\\\\store\nname=\\u0061b\\tc";
        let expected = [("peers", "n0-a:1;n1-b:2"), ("path", "C:\\store"), ("name", "ab\tc")];
        assert_eq!(pairs(text), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_value_loses_the_blanks_and_the_carriage_return_at_its_end() {
        assert_eq!(
            pairs("a=1 \t\r\nb=2"),
            [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]
        );
    }

    #[test]
    fn lines_are_counted_across_joined_ones() {
        let parsed = parse("broker.conf", "a=1\\\n2\nb=3").unwrap();
        assert_eq!(parsed[1].origin, Origin::File { name: "broker.conf".to_owned(), line: 3 });
    }

    #[test]
    fn a_broken_escape_is_refused_with_its_line() {
        let error = parse("broker.conf", "a=1\nb=\\u12xy").unwrap_err();
        assert_eq!(error.to_string(), "broker.conf:2: \\u12xy is not a character");
    }
}
