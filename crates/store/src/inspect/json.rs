//! Whether a text is JSON as RocketMQ writes it: keys may be bare numbers.

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 64;

/// Says where and why a text is no JSON.
pub(super) fn check(text: &[u8]) -> Result<(), String> {
    let mut scan = Scan { text, at: 0 };
    scan.value(0)?;
    scan.blank();
    if scan.at < text.len() { Err(scan.wrong("more behind the value")) } else { Ok(()) }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn value(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(self.wrong("values too deep in each other"));
        }
        self.blank();
        match self.text.get(self.at) {
            Some(b'{') => self.items(b'}', |scan| {
                match scan.text.get(scan.at) {
                    Some(b'"') => scan.string()?,
                    Some(b'-' | b'0'..=b'9') => scan.word(),
                    _ => return Err(scan.wrong("no key")),
                }
                scan.expect(b':')?;
                scan.value(depth + 1)
            }),
            Some(b'[') => self.items(b']', |scan| scan.value(depth + 1)),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let start = self.at;
                self.word();
                let word = &self.text[start..self.at];
                let is_number =
                    || std::str::from_utf8(word).is_ok_and(|w| w.parse::<f64>().is_ok());
                let known = [&b"true"[..], b"false", b"null"].contains(&word) || is_number();
                if known { Ok(()) } else { Err(self.wrong("no value")) }
            }
            _ => Err(self.wrong("no value")),
        }
    }

    /// Items with commas between, up to `close`.
    fn items(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.at += 1;
        self.blank();
        if self.text.get(self.at) == Some(&close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blank();
            item(self)?;
            self.blank();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(byte) if *byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.wrong("no comma and no end")),
            }
        }
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += 2,
                Some(0) | None => return Err(self.wrong("a text that does not end")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn word(&mut self) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        while self.text.get(self.at).is_some_and(is_part) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        self.blank();
        if self.text.get(self.at) != Some(&byte) {
            return Err(self.wrong("no colon"));
        }
        self.at += 1;
        Ok(())
    }

    fn blank(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn wrong(&self, what: &str) -> String {
        if self.at >= self.text.len() {
            return format!("it ends at byte {}, in the middle", self.text.len());
        }
        format!("{what} at byte {}", self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rocketmq_writes_is_taken() {
        for text in [
            "{}",
            "{\"offsetTable\":{\"TopicA@cg\":{0:7,1:4,2:3,3:1\n\t\t},\n\t}}"
                .replace(",\n\t}", "\n\t}")
                .as_str(),
            "{\"a\":[1,-2.5e3,true,false,null,\"x\\\"y\"],\"b\":{\"-1\":{}}}",
            " [ ] ",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_or_overwritten_is_not() {
        for text in ["", "{", "{\"a\":1", "{\"a\" 1}", "{a:1}", "[1 2]", "nul", "{}x", "\0\0\0"] {
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
        let deep = "[".repeat(1000);
        assert!(check(deep.as_bytes()).is_err());
    }
}
