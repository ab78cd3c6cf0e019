//! The body of a batch send: several messages to one queue.
//!
//! Each is `total 4 │ magic 4 (0) │ CRC 4 (0) │ flag 4 │ body length 4 │ body │ properties length 2
//! │ properties`, big-endian, one behind the other.

use bytes::{BufMut, Bytes, BytesMut};

use crate::message::Message;
use crate::property;

/// The length of an item without body and properties.
const FIXED_LEN: usize = 22;

/// One message of a batch, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchItem<'a> {
    /// The user's flag.
    pub flag: i32,
    /// The payload.
    pub body: &'a [u8],
    /// Its properties string; the request's own is appended to it when it is stored.
    pub properties: &'a [u8],
}

/// Why bytes are no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end within an item.
    #[error("the batch ends within an item that starts at byte {at}")]
    Short {
        /// Where the item starts.
        at: usize,
    },
    /// A length that contradicts the item's size.
    #[error("the {field} length {len} does not fit the item at byte {at} of the batch")]
    Length {
        /// What it is the length of.
        field: &'static str,
        /// What it says.
        len: i64,
        /// Where the item starts.
        at: usize,
    },
}

/// The body of a batch send. Topics are not in it: all messages go where the request says.
///
/// # Panics
/// When a message's properties pass [`property::LEN_MAX`] bytes; see
/// [`crate::Properties::check`].
pub fn encode(messages: &[Message]) -> Bytes {
    let len = |m: &Message| FIXED_LEN + m.body.len() + m.properties.encoded_len();
    let mut to = BytesMut::with_capacity(messages.iter().map(len).sum());
    for message in messages {
        let properties = message.properties.encode();
        assert!(properties.len() <= property::LEN_MAX, "properties' length was checked");
        to.put_u32(len(message) as u32);
        to.put_u64(0);
        to.put_i32(message.flag);
        to.put_u32(message.body.len() as u32);
        to.put_slice(&message.body);
        to.put_u16(properties.len() as u16);
        to.put_slice(properties.as_bytes());
    }
    to.freeze()
}

/// The messages of a batch, in order; ends after the first error. Does not allocate.
pub fn iter(body: &[u8]) -> impl Iterator<Item = Result<BatchItem<'_>, BatchError>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let parsed = item(body, at);
        at = parsed.as_ref().map_or(body.len(), |(_, end)| *end);
        Some(parsed.map(|(item, _)| item))
    })
}

/// The item that starts at `at`, and where it ends.
fn item(batch: &[u8], at: usize) -> Result<(BatchItem<'_>, usize), BatchError> {
    let short = BatchError::Short { at };
    let rest = &batch[at..];
    let number = |from: usize| -> Option<i32> {
        Some(i32::from_be_bytes(*rest.get(from..)?.first_chunk()?))
    };
    let total = number(0).ok_or(short.clone())?;
    let wrong = |field, len: i64| BatchError::Length { field, len, at };
    let size = usize::try_from(total).ok().filter(|size| *size >= FIXED_LEN);
    let size = size.ok_or(wrong("item", i64::from(total)))?;
    let item = rest.get(..size).ok_or(short.clone())?;
    let flag = number(12).ok_or(short.clone())?;
    let body_len = number(16).ok_or(short)?;
    let body_end = usize::try_from(body_len).ok().and_then(|len| len.checked_add(20));
    let body = body_end.and_then(|end| item.get(20..end));
    let body = body.ok_or(wrong("body", i64::from(body_len)))?;
    let tail = &item[20 + body.len()..];
    let (properties_len, properties) =
        tail.split_first_chunk::<2>().ok_or(wrong("body", i64::from(body_len)))?;
    let properties_len = i64::from(i16::from_be_bytes(*properties_len));
    if usize::try_from(properties_len) != Ok(properties.len()) {
        return Err(wrong("properties", properties_len));
    }
    Ok((BatchItem { flag, body, properties }, at + size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_item_equals_the_one_a_4_9_client_sent() {
        let message = Message::new("TopicA", "batch0").with_keys("b0");
        let encoded = encode(std::slice::from_ref(&message));
        // The capture's behind its total: magic, CRC, flag, body length, body.
        let golden = "00000000000000000000000000000006626174636830";
        let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(&hex[..8], format!("{:08x}", FIXED_LEN + 6 + 7));
        assert_eq!(&hex[8..8 + golden.len()], golden);
        assert!(hex.ends_with("00074b455953016230"));
    }

    #[test]
    fn an_item_that_ends_early_or_says_a_wrong_length_is_named() {
        let encoded = encode(&[Message::new("t", "a"), Message::new("t", "b").with_tags("x")]);
        let cut = &encoded[..encoded.len() - 1];
        let items: Vec<_> = iter(cut).collect();
        assert_eq!(items[1], Err(BatchError::Short { at: FIXED_LEN + 1 }));
        assert_eq!(items.len(), 2);
        let mut wrong = encoded.to_vec();
        wrong[19] = 200;
        let first = iter(&wrong).next();
        assert_eq!(first, Some(Err(BatchError::Length { field: "body", len: 200, at: 0 })));
        wrong[3] = 21;
        let first = iter(&wrong).next();
        assert_eq!(first, Some(Err(BatchError::Length { field: "item", len: 21, at: 0 })));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(
            sent in proptest::collection::vec(
                (any::<i32>(), any::<Vec<u8>>(), "[a-z]{0,9}"), 0..6,
            ),
        ) {
            let messages: Vec<Message> = sent
                .iter()
                .map(|(flag, body, tag)| {
                    let mut message = Message::new("t", body.clone());
                    message.flag = *flag;
                    if tag.is_empty() { message } else { message.with_tags(tag) }
                })
                .collect();
            let encoded = encode(&messages);
            let items: Result<Vec<_>, _> = iter(&encoded).collect();
            let items = items.expect("what was encoded");
            prop_assert_eq!(items.len(), messages.len());
            for (item, message) in items.iter().zip(&messages) {
                prop_assert_eq!(item.flag, message.flag);
                prop_assert_eq!(item.body, &message.body[..]);
                let properties = message.properties.encode();
                prop_assert_eq!(item.properties, properties.as_bytes());
            }
        }

        #[test]
        fn reading_is_total(bytes: Vec<u8>) {
            prop_assert!(iter(&bytes).count() <= bytes.len());
        }

        #[test]
        fn reading_a_damaged_batch_is_total(at in 0usize..60, byte: u8, cut in 0usize..60) {
            let messages = [Message::new("t", "abc").with_tags("x"), Message::new("t", "d")];
            let mut bytes = encode(&messages).to_vec();
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(cut.min(len));
            prop_assert!(iter(&bytes).count() <= 3);
        }
    }
}
