//! Reads the recorded conversations.

use std::io::Read;

use flate2::read::GzDecoder;

/// What was unpacked of one file.
pub(crate) fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut plain).expect("a fixture unpacks");
    plain
}

/// The same, as text.
pub(crate) fn unpack_text(packed: &[u8]) -> String {
    String::from_utf8(unpack(packed)).expect("a fixture is UTF-8")
}

/// A text that was folded to fit the page: line ends and indentation are no part of it.
pub(crate) fn unfold(text: &str) -> String {
    text.lines().map(str::trim_start).collect()
}

/// All conversations.
pub(crate) fn conversations() -> Vec<Exchange> {
    let files: [&[u8]; 4] = [
        include_bytes!("../data/conversation-4.9.8-clients-and-mqadmin.txt.gz"),
        include_bytes!("../data/conversation-5.3.3-clients.txt.gz"),
        include_bytes!("../data/conversation-5.3.3-mqadmin.txt.gz"),
        include_bytes!("../data/conversation-acl-binary-header-ali-ons.txt.gz"),
    ];
    files.into_iter().flat_map(|file| parse(&unpack_text(file))).collect()
}

/// One frame of a conversation.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// `REQ NAME(code)`, or `RSP CODE to NAME`.
    pub(crate) label: String,
    /// The header's JSON.
    pub(crate) header: String,
    /// The body as text, when it was recorded as such and in full.
    pub(crate) text: Option<String>,
}

impl Exchange {
    /// Whether this is a request.
    pub(crate) fn is_request(&self) -> bool {
        self.label.starts_with("REQ ")
    }

    /// Whether this is the answer to a request of that name.
    pub(crate) fn answers(&self, name: &str) -> bool {
        self.label.strip_prefix("RSP ").is_some_and(|rest| rest.ends_with(&format!(" to {name}")))
    }
}

fn parse(text: &str) -> Vec<Exchange> {
    let mut all: Vec<Exchange> = Vec::new();
    for line in text.lines() {
        if let Some(label) = label(line) {
            all.push(Exchange { label, header: String::new(), text: None });
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        if let Some(header) = line.strip_prefix("   H ") {
            header.clone_into(&mut last.header);
        } else if let Some(rest) = line.strip_prefix("   body[") {
            let (length, rest) = rest.split_once("] ").expect("body[n] FORM");
            last.text = rest
                .strip_prefix("TEXT ")
                .filter(|t| t.len().to_string() == length)
                .map(str::to_owned);
        }
    }
    all
}

/// `1795166223.890 33674->NS REQ GET_ROUTEINFO_BY_TOPIC(105)`
fn label(line: &str) -> Option<String> {
    let (time, rest) = line.split_once(' ')?;
    let (direction, label) = rest.split_once(' ')?;
    let is_time = time.len() == 14 && time.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let known = label.starts_with("REQ ") || label.starts_with("RSP ");
    (is_time && direction.contains("->") && known).then(|| label.to_owned())
}
