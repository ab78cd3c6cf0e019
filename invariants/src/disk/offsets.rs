//! `consumerOffset.json`: how far each group is. Its inner keys are numbers without quotes, which
//! no strict JSON parser reads.

use std::collections::BTreeMap;

use super::image::DiskImage;

/// (topic, group) → queue → offset.
pub type GroupOffsets = BTreeMap<(String, String), BTreeMap<u32, u64>>;

/// Why the file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consumerOffset.json is not what it should be at byte {at}: {why}")]
pub struct OffsetsError {
    /// Where.
    pub at: usize,
    /// What was expected.
    pub why: &'static str,
}

/// The groups' offsets on a disk; `None` without the file.
///
/// # Errors
/// Where the file cannot be read.
pub fn consumer_offsets(image: &DiskImage) -> Result<Option<GroupOffsets>, OffsetsError> {
    let is_it =
        |path: &str| path == FILE || path.strip_suffix(FILE).is_some_and(|p| p.ends_with('/'));
    let Some((_, bytes)) = image.iter().find(|(path, _)| is_it(path)) else { return Ok(None) };
    let mut json = Json { text: bytes, at: 0 };
    let mut offsets = GroupOffsets::new();
    json.object(|json, key| match key {
        "offsetTable" => json.object(|json, key| {
            let (topic, group) = key.split_once('@').ok_or(json.wrong("topic@group"))?;
            let queues = offsets.entry((topic.to_owned(), group.to_owned())).or_default();
            json.object(|json, key| {
                let queue = key.parse().map_err(|_| json.wrong("a queue's number"))?;
                queues.insert(queue, json.number()?);
                Ok(())
            })
        }),
        _ => json.skip(),
    })?;
    Ok(Some(offsets))
}

/// Whether a text is one object whose brackets match, with nothing behind it.
pub fn is_whole_json(text: &[u8]) -> bool {
    let mut json = Json { text, at: 0 };
    json.peek() == Some(b'{') && json.skip().is_ok() && json.peek().is_none()
}

const FILE: &str = "config/consumerOffset.json";

/// How deep values that are skipped may be nested.
const DEPTH_MAX: usize = 32;

struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl Json<'_> {
    fn wrong(&self, why: &'static str) -> OffsetsError {
        OffsetsError { at: self.at, why }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8, why: &'static str) -> Result<(), OffsetsError> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(why));
        }
        self.at += 1;
        Ok(())
    }

    fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), OffsetsError>,
    ) -> Result<(), OffsetsError> {
        self.take(b'{', "an object")?;
        while self.peek() != Some(b'}') {
            let key = self.word()?;
            self.take(b':', "a colon")?;
            member(self, &key)?;
            if self.peek() != Some(b'}') {
                self.take(b',', "a comma or the object's end")?;
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A key: text in quotes, or a bare number.
    fn word(&mut self) -> Result<String, OffsetsError> {
        if self.peek() != Some(b'"') {
            return Ok(self.number()?.to_string());
        }
        let from = self.at + 1;
        let quote = self.text[from..].iter().position(|byte| *byte == b'"');
        let end = from + quote.ok_or(self.wrong("the end of a text"))?;
        let text = std::str::from_utf8(&self.text[from..end]).ok().filter(|t| !t.contains('\\'));
        self.at = end + 1;
        text.map(str::to_owned).ok_or(self.wrong("a text without escapes"))
    }

    fn number(&mut self) -> Result<u64, OffsetsError> {
        self.peek();
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + digits]);
        let number = text.ok().and_then(|digits| digits.parse().ok());
        self.at += digits;
        number.ok_or(self.wrong("a number that is not negative"))
    }

    /// Any value; its brackets must match.
    fn skip(&mut self) -> Result<(), OffsetsError> {
        let mut open = 0usize;
        loop {
            match self.peek().ok_or(self.wrong("a value"))? {
                b'"' => drop(self.word()?),
                b'{' | b'[' if open < DEPTH_MAX => {
                    (open, self.at) = (open + 1, self.at + 1);
                    continue;
                }
                b'}' | b']' if open > 0 => (open, self.at) = (open - 1, self.at + 1),
                b',' | b':' if open > 0 => self.at += 1,
                b'0'..=b'9' | b'a'..=b'z' | b'-' | b'.' | b'+' | b'E' => {
                    while self.text.get(self.at).is_some_and(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+')
                    }) {
                        self.at += 1;
                    }
                }
                _ => return Err(self.wrong("a value")),
            }
            if open == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<GroupOffsets>, OffsetsError> {
        let path = format!("store/{FILE}");
        consumer_offsets(&DiskImage::from([(path, text.as_bytes().to_vec().into())]))
    }

    #[test]
    fn keys_without_quotes_are_read_as_a_4_9_broker_writes_them() {
        let text = "{\n\t\"offsetTable\":{\n\t\t\"TopicA@cg\":{0:7,1:4,2:3,3:1\n\t\t},\
            \"%RETRY%g@g\":{\"0\":12}\n\t},\"dataVersion\":{\"counter\":1,\"a\":[1,{\"b\":null}]}}";
        let offsets = read(text).unwrap().unwrap();
        let of = |topic: &str, group: &str| &offsets[&(topic.to_owned(), group.to_owned())];
        assert_eq!(of("TopicA", "cg"), &BTreeMap::from([(0, 7), (1, 4), (2, 3), (3, 1)]));
        assert_eq!(of("%RETRY%g", "g"), &BTreeMap::from([(0, 12)]));
        assert_eq!(read("{}").unwrap().unwrap(), GroupOffsets::new());
        assert_eq!(consumer_offsets(&DiskImage::new()), Ok(None));
    }

    #[test]
    fn what_is_torn_is_refused_wherever_it_is_torn() {
        let whole = "{\"offsetTable\":{\"t@g\":{0:7,1:4}}}";
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        assert!(read("{\"offsetTable\":{\"t@g\":{0:-1}}}").is_err());
    }

    proptest::proptest! {
        #[test]
        fn reading_is_total(text in "[{}\\[\\]:,\"@a-c0-9 -]{0,60}") {
            let _ = read(&text);
            let _ = read(&format!("{{\"x\":{text}"));
        }
    }
}
