//! The bytes of an IndexFile: header, slots, entries (RocketMQ 4.9, big-endian).
//!
//! ```text
//! header 40: begin time 8 │ end time 8 │ begin offset 8 │ end offset 8 │ slots used 4 │ count 4
//! slot    4: number of the newest entry of its chain, 0 for none
//! entry  20: key hash 4 │ log offset 8 │ seconds since begin time 4 │ previous entry 4
//! ```
//!
//! Entry 0 is never used, so `count` is 1 in an empty file: it is the number of the next entry.

/// The length of the header in bytes.
pub(super) const HEADER_LEN: u64 = 40;
/// The length of a slot in bytes.
pub(super) const SLOT_LEN: u64 = 4;
/// The length of an entry in bytes.
pub(super) const ENTRY_LEN: u64 = 20;

/// How many slots and entries a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Slots of the hash table.
    pub(super) slots: u32,
    /// Entries, the unused one with number 0 included.
    pub(super) entries: u32,
}

impl Shape {
    /// The length of a file in bytes.
    pub(super) fn file_len(self) -> u64 {
        self.entry_at(self.entries)
    }

    /// Where a slot stands.
    pub(super) fn slot_at(self, slot: u32) -> u64 {
        HEADER_LEN + u64::from(slot) * SLOT_LEN
    }

    /// Where an entry stands.
    pub(super) fn entry_at(self, number: u32) -> u64 {
        self.slot_at(self.slots) + u64::from(number) * ENTRY_LEN
    }

    /// The slot of a key.
    pub(super) fn slot_of(self, hash: u32) -> u32 {
        hash % self.slots
    }
}

/// What a file says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// When the message of the first entry was stored, in ms.
    pub(super) begin_timestamp: u64,
    /// When the message of the last entry was stored, in ms.
    pub(super) end_timestamp: u64,
    /// Where the record of the first entry stands in the CommitLog.
    pub(super) begin_physical: u64,
    /// Where the record of the last entry stands.
    pub(super) end_physical: u64,
    /// How many slots have a chain.
    pub(super) slots_used: u32,
    /// The number of the next entry.
    pub(super) count: u32,
}

impl Header {
    /// That of a file without entries.
    pub(super) const EMPTY: Header = Header {
        begin_timestamp: 0,
        end_timestamp: 0,
        begin_physical: 0,
        end_physical: 0,
        slots_used: 0,
        count: 1,
    };

    /// Its bytes.
    pub(super) fn encode(&self) -> [u8; HEADER_LEN as usize] {
        let mut bytes = [0; HEADER_LEN as usize];
        bytes[0..8].copy_from_slice(&self.begin_timestamp.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.end_timestamp.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.begin_physical.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.end_physical.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.slots_used.to_be_bytes());
        bytes[36..40].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    /// The header of these bytes. A count of 0, which RocketMQ writes for nothing, is one of 1.
    pub(super) fn decode(bytes: &[u8; HEADER_LEN as usize]) -> Self {
        let long = |at: usize| bytes[at..at + 8].iter().fold(0, |n, b| n << 8 | u64::from(*b));
        let int = |at: usize| bytes[at..at + 4].iter().fold(0, |n, b| n << 8 | u32::from(*b));
        Self {
            begin_timestamp: long(0),
            end_timestamp: long(8),
            begin_physical: long(16),
            end_physical: long(24),
            slots_used: int(32),
            count: int(36).max(1),
        }
    }

    /// Whether no entry fits any more.
    pub(super) fn is_full(&self, shape: Shape) -> bool {
        self.count >= shape.entries
    }

    /// Takes the next entry's message in; gives the seconds that its entry says.
    pub(super) fn take(&mut self, physical: u64, store_timestamp: u64) -> u32 {
        if self.count <= 1 {
            self.begin_physical = physical;
            self.begin_timestamp = store_timestamp;
        }
        self.end_physical = physical;
        self.end_timestamp = store_timestamp;
        self.count += 1;
        // A clock that stepped back gives 0, as in RocketMQ.
        let seconds = store_timestamp.saturating_sub(self.begin_timestamp) / 1000;
        seconds.min(i32::MAX as u64) as u32
    }
}

/// One entry: a key of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// See [`key_hash`](super::key::key_hash).
    pub(super) hash: u32,
    /// Where the record stands in the CommitLog.
    pub(super) physical: u64,
    /// When it was stored: seconds since the file's begin time.
    pub(super) seconds: u32,
    /// The next older entry of the same slot, 0 for none.
    pub(super) previous: u32,
}

impl Entry {
    /// Its bytes.
    pub(super) fn encode(&self) -> [u8; ENTRY_LEN as usize] {
        let mut bytes = [0; ENTRY_LEN as usize];
        bytes[0..4].copy_from_slice(&self.hash.to_be_bytes());
        bytes[4..12].copy_from_slice(&self.physical.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.seconds.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.previous.to_be_bytes());
        bytes
    }

    /// The entry of these bytes, whatever they are.
    pub(super) fn decode(bytes: &[u8; ENTRY_LEN as usize]) -> Self {
        let int = |at: usize| bytes[at..at + 4].iter().fold(0, |n, b| n << 8 | u32::from(*b));
        Self {
            hash: int(0),
            physical: u64::from(int(4)) << 32 | u64::from(int(8)),
            seconds: int(12),
            previous: int(16),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_rocketmq_has_420_000_040_bytes() {
        let shape = Shape { slots: 5_000_000, entries: 20_000_000 };
        assert_eq!(shape.file_len(), 420_000_040);
        assert_eq!((shape.slot_at(0), shape.entry_at(0)), (40, 20_000_040));
    }

    #[test]
    fn header_and_entry_read_back() {
        let mut header = Header::EMPTY;
        assert_eq!(header.take(7, 1_000), 0);
        assert_eq!(header.take(1 << 40, 3_999), 2);
        assert_eq!(header.take(1 << 41, 500), 0, "the clock stepped back");
        header.slots_used = 2;
        assert_eq!((header.begin_physical, header.end_physical, header.count), (7, 1 << 41, 4));
        assert_eq!(Header::decode(&header.encode()), header);
        assert_eq!(Header::decode(&[0; 40]), Header::EMPTY);
        let entry = Entry { hash: 1_903_240_650, physical: 9 << 33, seconds: 5, previous: 19 };
        assert_eq!(entry.encode()[..4], [0x71, 0x71, 0x25, 0xca]);
        assert_eq!(Entry::decode(&entry.encode()), entry);
    }
}
