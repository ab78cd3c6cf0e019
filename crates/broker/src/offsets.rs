//! How far each group has consumed each queue.
//!
//! Pure: a table, and the text of `consumerOffset.json`. A commit is taken as it comes, also
//! backwards, because a reset is a commit too. Nothing here invents an offset: what was never
//! committed is absent, not 0.

use bytes::Bytes;
use protocol::body::{BodyError, ConsumerOffsetSerializeWrapper};

/// Committed offsets.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    stored: ConsumerOffsetSerializeWrapper,
    /// Rises with every change, so that an unchanged table is not written again.
    changes: u64,
}

impl Offsets {
    /// The offset `group` committed for the queue, if it ever did.
    pub(crate) fn get(&self, topic: &str, group: &str, queue_id: i32) -> Option<i64> {
        self.stored.offset_table.get(&key(topic, group))?.get(&queue_id).copied()
    }

    /// Takes a commit. A negative one is how some clients say "none yet" and is no commit.
    pub(crate) fn commit(&mut self, topic: &str, group: &str, queue_id: i32, offset: i64) {
        if offset < 0 || queue_id < 0 {
            return;
        }
        let queues = self.stored.offset_table.entry(key(topic, group)).or_default();
        if queues.insert(queue_id, offset) != Some(offset) {
            self.changes += 1;
        }
    }

    /// How often the table has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Lowers every offset above the end of its queue to that end, and says how many there were.
    ///
    /// Scenario: 1. under ASYNC_FLUSH a consumer commits offset 9 of a queue; 2. a power failure
    /// takes the last four messages, so the queue ends at 5; 3. four new ones are appended as 5 to
    /// 8. Had the commit stayed at 9, the group would never see them.
    pub(crate) fn lower_to(&mut self, end_of: impl Fn(&str, i32) -> i64) -> usize {
        let mut lowered = 0;
        for (key, queues) in &mut self.stored.offset_table {
            let topic = key.rsplit_once('@').map_or(key.as_str(), |(topic, _)| topic);
            for (queue_id, offset) in queues {
                let end = end_of(topic, *queue_id);
                if *offset > end {
                    *offset = end;
                    lowered += 1;
                }
            }
        }
        self.changes += u64::from(lowered > 0);
        lowered
    }

    /// The text of `consumerOffset.json`; it is also the body of GET_ALL_CONSUMER_OFFSET.
    pub(crate) fn to_json(&self) -> Bytes {
        self.stored.encode()
    }

    /// Reads `consumerOffset.json`.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, BodyError> {
        Ok(Self { stored: ConsumerOffsetSerializeWrapper::decode(text)?, changes: 0 })
    }
}

fn key(topic: &str, group: &str) -> String {
    format!("{topic}@{group}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_committed_is_absent_and_not_zero() {
        let mut offsets = Offsets::default();
        offsets.commit("T", "g", 0, 7);
        assert_eq!(offsets.get("T", "g", 0), Some(7));
        assert_eq!(offsets.get("T", "g", 1), None);
        assert_eq!(offsets.get("T", "h", 0), None);
    }

    #[test]
    fn an_unchanged_commit_is_no_change_and_a_reset_is_one() {
        let mut offsets = Offsets::default();
        offsets.commit("T", "g", 0, 7);
        offsets.commit("T", "g", 0, 7);
        assert_eq!(offsets.changes(), 1);
        offsets.commit("T", "g", 0, 3);
        assert_eq!((offsets.changes(), offsets.get("T", "g", 0)), (2, Some(3)));
    }

    #[test]
    fn the_file_reads_back() {
        let mut offsets = Offsets::default();
        offsets.commit("T", "g", 10, 3);
        offsets.commit("T", "g", 2, 5);
        assert_eq!(offsets.to_json(), r#"{"offsetTable":{"T@g":{2:5,10:3}}}"#);
        let read = Offsets::from_json(&offsets.to_json()).expect("it is its own text");
        assert_eq!((read.get("T", "g", 2), read.get("T", "g", 10)), (Some(5), Some(3)));
    }

    #[test]
    fn an_offset_beyond_the_end_of_its_queue_is_lowered_to_it() {
        let mut offsets = Offsets::default();
        offsets.commit("T", "g", 0, 9);
        offsets.commit("T", "g", 1, 2);
        assert_eq!(offsets.lower_to(|topic, _| if topic == "T" { 5 } else { 0 }), 1);
        assert_eq!((offsets.get("T", "g", 0), offsets.get("T", "g", 1)), (Some(5), Some(2)));
    }
}
