//! The fields of a send, by slot, interpreted as they come.

use crate::fast::json_scan::{Raw, integer};

/// How many fields a send has: `a` to `n`.
const SLOTS: usize = 14;

pub(crate) const GROUP: usize = 0;
pub(crate) const TOPIC: usize = 1;
pub(crate) const DEFAULT_TOPIC: usize = 2;
pub(crate) const DEFAULT_TOPIC_QUEUE_NUMS: usize = 3;
pub(crate) const QUEUE_ID: usize = 4;
pub(crate) const SYS_FLAG: usize = 5;
pub(crate) const BORN_TIMESTAMP: usize = 6;
pub(crate) const FLAG: usize = 7;
pub(crate) const PROPERTIES: usize = 8;
pub(crate) const RECONSUME_TIMES: usize = 9;
pub(crate) const UNIT_MODE: usize = 10;
pub(crate) const MAX_RECONSUME_TIMES: usize = 11;
pub(crate) const BATCH: usize = 12;
pub(crate) const BROKER_NAME: usize = 13;

/// Behind the bits of the slots: a name of one letter has come, a long one has.
const SHORT_NAMES: u32 = 1 << SLOTS;
const LONG_NAMES: u32 = 2 << SLOTS;

/// The fields that every send has.
const NEEDED: u32 = 1 << GROUP
    | 1 << TOPIC
    | 1 << DEFAULT_TOPIC
    | 1 << DEFAULT_TOPIC_QUEUE_NUMS
    | 1 << QUEUE_ID
    | 1 << SYS_FLAG
    | 1 << BORN_TIMESTAMP
    | 1 << FLAG;

/// The values seen so far.
pub(crate) struct Fields<'a> {
    /// A bit for each slot, and two for the kinds of names. One word: it is read and written for
    /// every field.
    seen: u32,
    /// By slot: group, topic, default topic.
    texts: [&'a [u8]; 3],
    /// By slot; a truth value is 0 or 1, and what was not seen is 0.
    numbers: [i64; SLOTS],
    properties: Raw<'a>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new() -> Self {
        Self { seen: 0, texts: [&[]; 3], numbers: [0; SLOTS], properties: Raw::text(&[]) }
    }

    /// Takes a value; refuses strangers, repetitions, and what does not fit its field.
    #[inline]
    pub(crate) fn put(&mut self, name: &[u8], value: Raw<'a>) -> Option<()> {
        let (slot, names) = match name {
            [letter @ b'a'..=b'n'] => (usize::from(letter - b'a'), SHORT_NAMES),
            _ => (long_slot(name)?, LONG_NAMES),
        };
        let bit = 1 << slot;
        if self.seen & bit != 0 {
            return None;
        }
        self.seen |= bit | names;
        match slot {
            GROUP | TOPIC | DEFAULT_TOPIC => {
                value.plain()?;
                self.texts[slot] = value.utf8()?;
            }
            PROPERTIES => self.properties = value,
            UNIT_MODE | BATCH => self.numbers[slot] = i64::from(truth(value)?),
            // Nobody looks at it.
            BROKER_NAME => {}
            _ => self.numbers[slot] = integer(value.plain()?)?,
        }
        Some(())
    }

    /// Whether the names are those that the code asks for, and only those, and none is missing.
    pub(crate) fn are_complete(&self, short: bool) -> bool {
        let names = if short { SHORT_NAMES } else { LONG_NAMES };
        self.seen & (SHORT_NAMES | LONG_NAMES) == names && self.seen & NEEDED == NEEDED
    }

    /// Group, topic and default topic.
    pub(crate) fn texts(&self) -> [&'a [u8]; 3] {
        self.texts
    }

    /// The properties, not looked into.
    pub(crate) fn properties(&self) -> Raw<'a> {
        self.properties
    }

    /// A number as it came, 0 when it did not.
    pub(crate) fn number(&self, slot: usize) -> i64 {
        self.numbers[slot]
    }

    /// A number of 32 bits.
    pub(crate) fn small(&self, slot: usize) -> Option<i32> {
        i32::try_from(self.numbers[slot]).ok()
    }

    /// A number of 32 bits, if it came.
    pub(crate) fn optional(&self, slot: usize) -> Option<Option<i32>> {
        if self.seen & 1 << slot == 0 { Some(None) } else { self.small(slot).map(Some) }
    }

    /// A truth value.
    pub(crate) fn is_true(&self, slot: usize) -> bool {
        self.numbers[slot] != 0
    }
}

fn truth(raw: Raw<'_>) -> Option<bool> {
    match raw.plain()? {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

fn long_slot(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"producerGroup" => GROUP,
        b"topic" => TOPIC,
        b"defaultTopic" => DEFAULT_TOPIC,
        b"defaultTopicQueueNums" => DEFAULT_TOPIC_QUEUE_NUMS,
        b"queueId" => QUEUE_ID,
        b"sysFlag" => SYS_FLAG,
        b"bornTimestamp" => BORN_TIMESTAMP,
        b"flag" => FLAG,
        b"properties" => PROPERTIES,
        b"reconsumeTimes" => RECONSUME_TIMES,
        b"unitMode" => UNIT_MODE,
        b"maxReconsumeTimes" => MAX_RECONSUME_TIMES,
        b"batch" => BATCH,
        b"bname" => BROKER_NAME,
        _ => return None,
    })
}
