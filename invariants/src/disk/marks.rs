//! Identities in raw bytes: a message that must not be anywhere must not be there in pieces.

use std::collections::BTreeSet;

use super::image::{DiskImage, segments};
use crate::identity::{Identity, PROPERTY};

/// The longest text of an identity: three numbers, two dots, the end mark.
const IDENTITY_LEN_MAX: usize = 33;

/// Every identity whose property stands somewhere in a CommitLog file, whether within a record that
/// can be read, behind the log's end or in a blank.
pub fn identities(image: &DiskImage) -> BTreeSet<Identity> {
    let mut found = BTreeSet::new();
    let name: Vec<u8> = [PROPERTY.as_bytes(), b"\x01"].concat();
    for (_, _, bytes) in segments(image, |parts| parts.last() == Some(&"commitlog")) {
        let mut from = 0;
        while let Some(at) = position(&bytes[from..], name[0]) {
            let rest = &bytes[from + at..];
            if let Some(text) = rest.strip_prefix(&name[..]) {
                let text = &text[..text.len().min(IDENTITY_LEN_MAX)];
                let end = text.iter().position(|byte| *byte == b';').map_or(0, |end| end + 1);
                found.extend(Identity::parse(&text[..end]));
            }
            from += at + 1;
        }
    }
    found
}

/// Where the byte stands first. Most of a log is something else, so many bytes are asked at once.
fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    const AT_ONCE: usize = 64;
    let (chunks, _) = bytes.as_chunks::<AT_ONCE>();
    let any = |chunk: &[u8; AT_ONCE]| chunk.iter().fold(false, |any, byte| any | (*byte == wanted));
    let skip = chunks.iter().take_while(|chunk| !any(chunk)).count() * AT_ONCE;
    Some(skip + bytes[skip..].iter().position(|byte| *byte == wanted)?)
}
