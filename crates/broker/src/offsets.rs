//! How far each group has consumed each queue.
//!
//! Pure: a table, and the text of `consumerOffset.json`. A commit is taken as it comes, also
//! backwards, because a reset is a commit too. Nothing here invents an offset: what was never
//! committed is absent, not 0.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

/// Committed offsets: `topic@group` → queue id → offset.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    table: BTreeMap<String, BTreeMap<i32, i64>>,
    /// Rises with every change, so that an unchanged table is not written again.
    changes: u64,
}

/// `consumerOffset.json`. RocketMQ does not quote the integer keys; the reader takes both.
#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "offsetTable", default)]
    offset_table: BTreeMap<String, BTreeMap<i32, i64>>,
}

impl Offsets {
    /// The offset `group` committed for the queue, if it ever did.
    pub(crate) fn get(&self, topic: &str, group: &str, queue_id: i32) -> Option<i64> {
        self.table.get(&key(topic, group))?.get(&queue_id).copied()
    }

    /// Takes a commit. A negative one is how some clients say "none yet" and is no commit.
    pub(crate) fn commit(&mut self, topic: &str, group: &str, queue_id: i32, offset: i64) {
        if offset < 0 || queue_id < 0 {
            return;
        }
        let queues = self.table.entry(key(topic, group)).or_default();
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
        for (key, queues) in &mut self.table {
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

    /// The text of `consumerOffset.json`, its integer keys bare as fastjson writes them; it is
    /// also the body of GET_ALL_CONSUMER_OFFSET.
    pub(crate) fn to_json(&self) -> String {
        let mut json = String::from("{\"offsetTable\":{");
        for (number, (key, queues)) in self.table.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let name = serde_json::Value::from(key.as_str());
            let _ = write!(json, "{comma}{name}:{{");
            for (number, (queue_id, offset)) in queues.iter().enumerate() {
                let comma = if number > 0 { "," } else { "" };
                let _ = write!(json, "{comma}{queue_id}:{offset}");
            }
            json.push('}');
        }
        json.push_str("}}");
        json
    }

    /// Reads `consumerOffset.json`.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, String> {
        let quoted = quote_integer_keys(text);
        let stored: Stored = serde_json::from_slice(&quoted).map_err(|error| error.to_string())?;
        Ok(Self { table: stored.offset_table, changes: 0 })
    }
}

fn key(topic: &str, group: &str) -> String {
    format!("{topic}@{group}")
}

/// Puts quotes around bare integers that stand before a colon, as fastjson writes them.
fn quote_integer_keys(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + text.len() / 8);
    let (mut at, mut in_string) = (0, false);
    while at < text.len() {
        let byte = text[at];
        if in_string {
            quoted.push(byte);
            if byte == b'\\' && at + 1 < text.len() {
                at += 1;
                quoted.push(text[at]);
            }
            in_string = byte != b'"';
            at += 1;
            continue;
        }
        if byte == b'-' || byte.is_ascii_digit() {
            let end = text[at + 1..]
                .iter()
                .position(|byte| !byte.is_ascii_digit())
                .map_or(text.len(), |length| at + 1 + length);
            let is_key = text[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
            let quote: &[u8] = if is_key { b"\"" } else { b"" };
            quoted.extend_from_slice(quote);
            quoted.extend_from_slice(&text[at..end]);
            quoted.extend_from_slice(quote);
            at = end;
            continue;
        }
        in_string = byte == b'"';
        quoted.push(byte);
        at += 1;
    }
    quoted
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
        offsets.commit("%RETRY%g", "g", 0, 1 << 40);
        offsets.commit("T", "g", 10, 3);
        offsets.commit("T", "g", 2, 5);
        let json = offsets.to_json();
        assert_eq!(json, r#"{"offsetTable":{"%RETRY%g@g":{0:1099511627776},"T@g":{2:5,10:3}}}"#);
        let read = Offsets::from_json(json.as_bytes()).expect("it is its own text");
        assert_eq!(read.table, offsets.table);
    }

    #[test]
    fn a_file_of_rocketmq_with_bare_integer_keys_reads_back() {
        let text =
            b"{\n\t\"offsetTable\":{\n\t\t\"TopicA@c\\\"g:1\":{0:7,1:4,2 :3,3:-1\n\t\t}\n\t}\n}";
        let read = Offsets::from_json(text).expect("fastjson's form is accepted");
        assert_eq!(read.get("TopicA", "c\"g:1", 2), Some(3));
        assert_eq!(read.get("TopicA", "c\"g:1", 3), Some(-1));
        assert!(Offsets::from_json(b"{\"offsetTable\":").is_err());
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
