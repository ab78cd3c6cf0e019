//! The properties of a message on their way in: one pass over the bytes, nothing decoded.
//!
//! The received byte string is kept as it came, in its order, because a client's order is what
//! RocketMQ stores. Two changes: `WAIT` is an instruction to the broker and is taken out of a
//! single message, and `CLUSTER` is added.

/// Separates a name from its value.
const NAME_END: u8 = 1;
/// Separates a pair from the next.
const PAIR_END: u8 = 2;

/// What the properties ask of the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `WAIT=false`: answer without waiting for the flush.
    pub(crate) no_wait: bool,
    /// The message is to be delivered later: a delay level above 0, or a time.
    pub(crate) delayed: bool,
    /// `TRAN_MSG=true`: half of a transaction.
    pub(crate) transactional: bool,
}

impl Asked {
    /// Reads one pair.
    fn note(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"WAIT" => self.no_wait = value.eq_ignore_ascii_case(b"false"),
            b"DELAY"
            | b"TIMER_DELAY_SEC"
            | b"TIMER_DELAY_MS"
            | b"TIMER_DELIVER_MS"
            | b"__STARTDELIVERTIME" => self.delayed |= is_positive(value),
            b"TRAN_MSG" => self.transactional = value.eq_ignore_ascii_case(b"true"),
            _ => {}
        }
    }
}

/// Appends to `to` what is stored of a single message's properties `raw`, and says what they ask.
pub(crate) fn store_single(raw: &[u8], cluster: &str, to: &mut Vec<u8>) -> Asked {
    let start = to.len();
    let mut asked = Asked::default();
    let mut clustered = false;
    for pair in raw.split(|byte| *byte == PAIR_END) {
        let (name, value) = split(pair);
        asked.note(name, value);
        clustered |= name == b"CLUSTER" && value == cluster.as_bytes();
        if name != b"WAIT" && !pair.is_empty() {
            separate(start, to);
            to.extend_from_slice(pair);
        }
    }
    if !clustered {
        append_cluster(start, cluster, to);
    }
    asked
}

/// Appends to `to` what is stored of one message of a batch: its own properties, `CLUSTER`, and
/// those of the whole request, `WAIT` included.
pub(crate) fn store_batched(own: &[u8], request: &[u8], cluster: &str, to: &mut Vec<u8>) {
    let start = to.len();
    to.extend_from_slice(own);
    append_cluster(start, cluster, to);
    if !request.is_empty() {
        separate(start, to);
        to.extend_from_slice(request);
    }
}

/// What the properties ask, without storing anything.
pub(crate) fn asked(raw: &[u8]) -> Asked {
    let mut asked = Asked::default();
    for pair in raw.split(|byte| *byte == PAIR_END) {
        let (name, value) = split(pair);
        asked.note(name, value);
    }
    asked
}

fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == NAME_END) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, b""),
    }
}

fn append_cluster(start: usize, cluster: &str, to: &mut Vec<u8>) {
    separate(start, to);
    to.extend_from_slice(b"CLUSTER\x01");
    to.extend_from_slice(cluster.as_bytes());
}

/// Puts the separator of pairs between what was written since `start` and what follows. 5.x
/// clients end with one, 4.9 clients do not.
fn separate(start: usize, to: &mut Vec<u8>) {
    if to.len() > start && to.last() != Some(&PAIR_END) {
        to.push(PAIR_END);
    }
}

/// Whether the value is a number above 0. What is no number counts as one: better refused than
/// delivered at a time that nobody meant.
fn is_positive(value: &[u8]) -> bool {
    match std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<i64>().ok()) {
        Some(number) => number > 0,
        None => !value.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(raw: &str) -> (String, Asked) {
        let mut to = b"before".to_vec();
        let asked = store_single(raw.as_bytes(), "C", &mut to);
        (String::from_utf8(to[6..].to_vec()).expect("text stays text"), asked)
    }

    #[test]
    fn order_stays_wait_leaves_and_cluster_comes() {
        let (stored, asked) = single("KEYS\x01k\x02WAIT\x01true\x02TAGS\x01TagA");
        assert_eq!(stored, "KEYS\x01k\x02TAGS\x01TagA\x02CLUSTER\x01C");
        assert_eq!(asked, Asked::default());
    }

    #[test]
    fn a_trailing_separator_is_not_doubled() {
        assert_eq!(single("KEYS\x01k\x02").0, "KEYS\x01k\x02CLUSTER\x01C");
        assert_eq!(single("").0, "CLUSTER\x01C");
        assert_eq!(single("WAIT\x01false\x02").0, "CLUSTER\x01C");
    }

    #[test]
    fn the_cluster_is_not_written_twice() {
        assert_eq!(single("CLUSTER\x01C\x02A\x01b").0, "CLUSTER\x01C\x02A\x01b");
        assert_eq!(single("CLUSTER\x01D").0, "CLUSTER\x01D\x02CLUSTER\x01C");
    }

    #[test]
    fn what_is_asked_of_the_broker_is_seen() {
        assert!(single("WAIT\x01false").1.no_wait);
        assert!(!single("WAIT\x01true").1.no_wait);
        assert!(single("DELAY\x013").1.delayed);
        assert!(!single("DELAY\x010").1.delayed);
        assert!(single("TIMER_DELIVER_MS\x011795167264267").1.delayed);
        assert!(single("DELAY\x01soon").1.delayed);
        assert!(single("TRAN_MSG\x01true").1.transactional);
        assert!(!single("XTRAN_MSG\x01true").1.transactional);
        assert_eq!(asked(b"DELAY\x013\x02TRAN_MSG\x01true"), {
            Asked { no_wait: false, delayed: true, transactional: true }
        });
    }

    #[test]
    fn a_batched_message_keeps_wait_and_takes_the_requests_properties() {
        let mut to = Vec::new();
        store_batched(b"K\x01v\x02WAIT\x01true", b"WAIT\x01true", "C", &mut to);
        assert_eq!(to, b"K\x01v\x02WAIT\x01true\x02CLUSTER\x01C\x02WAIT\x01true");
    }
}
