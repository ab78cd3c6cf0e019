//! Messages that end where a file of the broker's log ends.
//!
//! A producer knows a broker by its answers alone: two of them, one right behind the other, tell
//! how long a record is besides its body and where the log stands. Other producers may come in
//! between: then the message is one of an odd size, and no more.

use hotfire_client::{Producer, SendResult};
use message::{Message, MessageQueue, message_id};

/// The length of the brokers' log files: that of every simulated one.
const FILE_LEN: u64 = 64 << 10;
/// What stays free behind a record.
const BLANK_HEAD_LEN: u64 = 8;
/// What a record takes besides its body, at the least and at the most, in bytes.
const OVERHEAD: std::ops::Range<u64> = 91..600;

/// Sends two messages to `queue` and the third in the length that fits; where the answers say
/// nothing it stays as it is. `make` gives the n-th message with a body of that length, if any.
pub(super) async fn send(
    producer: &Producer,
    queue: &MessageQueue,
    delta: i64,
    make: impl Fn(usize, Option<u64>) -> Message,
) {
    let (first, second) = (make(0, None), make(1, None));
    let lens = [first.body.len() as u64, second.body.len() as u64];
    let Ok(one) = producer.send_to(queue, first).await else { return };
    let Ok(two) = producer.send_to(queue, second).await else { return };
    let len = address(&one).zip(address(&two)).and_then(|(one, two)| fit((one, two), lens, delta));
    // How it ended is noted by the producer's hook.
    let _ = producer.send_to(queue, make(2, len)).await;
}

fn address(result: &SendResult) -> Option<u64> {
    message_id::decode(&result.offset_message_id).ok().map(|(_, address)| address.0)
}

/// The length of the body with which a third record ends `delta` bytes behind the last place that
/// its file has for it.
fn fit((one, two): (u64, u64), lens: [u64; 2], delta: i64) -> Option<u64> {
    let overhead = two.checked_sub(one)?.checked_sub(lens[0])?;
    if !OVERHEAD.contains(&overhead) || one / FILE_LEN != two / FILE_LEN {
        return None;
    }
    let end = two + overhead + lens[1];
    let file_end = (two / FILE_LEN + 1) * FILE_LEN;
    let left = file_end.checked_sub(end + BLANK_HEAD_LEN + overhead)?;
    left.checked_add_signed(delta).filter(|len| *len > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_record_ends_where_its_file_does() {
        // Records of 200 and 300 bytes, of which 150 are overhead.
        let body = fit((0, 200), [50, 150], 0).unwrap();
        assert_eq!(500 + 150 + body + 8, FILE_LEN);
        assert_eq!(fit((0, 200), [50, 150], 1), Some(body + 1));
        assert_eq!(fit((0, 9_000), [50, 150], 0), None, "somebody came in between");
        assert_eq!(fit((200, 0), [50, 150], 0), None);
        assert_eq!(fit((FILE_LEN - 100, FILE_LEN + 100), [50, 150], 0), None);
        assert_eq!(fit((FILE_LEN - 500, FILE_LEN - 300), [50, 150], 0), None);
    }
}
