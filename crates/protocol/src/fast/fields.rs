//! The fields of a send, by slot, before they are interpreted.

use crate::fast::json_scan::Raw;

/// How many fields a send has: `a` to `n`.
const SLOTS: usize = 14;

/// Raw values by slot, in the order of the one-letter names.
pub(crate) struct Fields<'a> {
    values: [Option<Raw<'a>>; SLOTS],
    short_names: bool,
    long_names: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn new() -> Self {
        Self { values: [None; SLOTS], short_names: false, long_names: false }
    }

    /// Keeps a value; refuses strangers and repetitions.
    #[inline]
    pub(crate) fn put(&mut self, name: &[u8], value: Raw<'a>) -> Option<()> {
        let slot = match name {
            [letter @ b'a'..=b'n'] => {
                self.short_names = true;
                usize::from(letter - b'a')
            }
            _ => {
                self.long_names = true;
                long_slot(name)?
            }
        };
        self.values[slot].replace(value).is_none().then_some(())
    }

    /// Whether the names are those that the code asks for, and only those.
    pub(crate) fn are_named(&self, short: bool) -> bool {
        self.short_names == short && self.long_names != short
    }

    pub(crate) fn get(&self, slot: usize) -> Option<Raw<'a>> {
        self.values[slot]
    }
}

fn long_slot(name: &[u8]) -> Option<usize> {
    Some(match name {
        b"producerGroup" => 0,
        b"topic" => 1,
        b"defaultTopic" => 2,
        b"defaultTopicQueueNums" => 3,
        b"queueId" => 4,
        b"sysFlag" => 5,
        b"bornTimestamp" => 6,
        b"flag" => 7,
        b"properties" => 8,
        b"reconsumeTimes" => 9,
        b"unitMode" => 10,
        b"maxReconsumeTimes" => 11,
        b"batch" => 12,
        b"bname" => 13,
        _ => return None,
    })
}
