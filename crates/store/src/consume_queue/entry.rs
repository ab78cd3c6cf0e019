//! One entry of a ConsumeQueue, 20 bytes: where a record stands, its length, its tags code.
//!
//! ```text
//! physical offset 8 │ record length 4 │ tags code 8          (big-endian)
//! ```

use crate::layout::ENTRY_LEN;

/// The length that a filler says it has.
const FILLER_LEN: u32 = 0x7fff_ffff;

/// Where one message of the queue stands in the CommitLog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The offset of its record.
    pub(crate) physical: u64,
    /// The length of its record in bytes.
    pub(crate) len: u32,
    /// The hash of its tags; of a delayed message the time when it is due.
    pub(crate) tags_code: i64,
}

impl Entry {
    /// Stands where the queue has no message: before its first one, when older ones are gone.
    pub(crate) const FILLER: Entry = Entry { physical: 0, len: FILLER_LEN, tags_code: 0 };

    /// Its bytes.
    pub(crate) fn encode(&self) -> [u8; ENTRY_LEN as usize] {
        let mut bytes = [0; ENTRY_LEN as usize];
        bytes[0..8].copy_from_slice(&self.physical.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.len.to_be_bytes());
        bytes[12..20].copy_from_slice(&self.tags_code.to_be_bytes());
        bytes
    }

    /// The entry of these bytes; `None` where nothing was written: no record has length 0, or one
    /// beyond Java's int.
    pub(crate) fn decode(bytes: &[u8; ENTRY_LEN as usize]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk::<8>()?;
        let (len, tags) = rest.split_first_chunk::<4>()?;
        let (tags, _) = tags.split_first_chunk::<8>()?;
        let len = u32::from_be_bytes(*len);
        let entry = Self {
            physical: u64::from_be_bytes(*offset),
            len,
            tags_code: i64::from_be_bytes(*tags),
        };
        (len != 0 && len <= FILLER_LEN).then_some(entry)
    }

    /// Whether it stands for no message.
    pub(crate) fn is_filler(&self) -> bool {
        *self == Self::FILLER
    }

    /// The offset behind its record. Saturates, as bits of an entry may have turned.
    pub(crate) fn end(&self) -> u64 {
        self.physical.saturating_add(u64::from(self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_zeros_are_none() {
        let entry = Entry { physical: 0x0102_0304_0506, len: 219, tags_code: -5 };
        let bytes = entry.encode();
        assert_eq!(bytes[..8], [0, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(bytes[8..12], [0, 0, 0, 219]);
        assert_eq!(Entry::decode(&bytes), Some(entry));
        assert_eq!(Entry::decode(&[0; 20]), None);
        assert_eq!(Entry::decode(&[0xff; 20]), None);
    }

    #[test]
    fn a_filler_is_one() {
        let filler = Entry::decode(&Entry::FILLER.encode()).expect("a filler is written");
        assert!(filler.is_filler());
        assert!(!Entry { physical: 0, len: 100, tags_code: 0 }.is_filler());
    }
}
