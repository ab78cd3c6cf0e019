//! Records that follow each other, as in the body of a pull reply.

use bytes::Bytes;

use super::error::RecordError;
use super::view::View;
use crate::ext::MessageExt;

/// The records of `bytes`, each with the bytes it took; ends after the first error.
pub fn views(bytes: &[u8]) -> impl Iterator<Item = Result<(View<'_>, &[u8]), RecordError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let parsed = View::parse(rest).map(|view| {
            let (record, behind) = rest.split_at(view.store_size as usize);
            rest = behind;
            (view, record)
        });
        if parsed.is_err() {
            rest = &[];
        }
        Some(parsed)
    })
}

/// The messages of a pull reply's body, which must be records to its last byte. The bodies are
/// slices of `bytes`, not copies.
///
/// # Errors
/// What stands where a record should.
pub fn decode_all(bytes: Bytes) -> Result<Vec<MessageExt>, RecordError> {
    let mut messages = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let view = View::parse(&bytes[at..])?;
        messages.push(view.to_ext(&bytes.slice(at..at + view.store_size as usize)));
        at += view.store_size as usize;
    }
    Ok(messages)
}
