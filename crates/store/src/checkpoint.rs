//! The checkpoint page: up to which offset the log and everything derived from it is durable.
//!
//! The first 24 bytes are RocketMQ's three timestamps. Ours stands from byte 64 on, where RocketMQ
//! never looks; its CRC also covers those timestamps, so that a RocketMQ broker that ran on the
//! store in between makes our mark void instead of wrong.

/// The length of the file.
const LEN: usize = 4096;
/// RocketMQ's words: physicMsgTimestamp, logicsMsgTimestamp, indexMsgTimestamp.
const TIMES_LEN: usize = 24;
/// Where our section starts.
const MARK_AT: usize = 64;
/// "hotfire2", the first bytes of our section.
const MAGIC: [u8; 8] = *b"hotfire2";
/// The section's length before its CRC: magic, offset, entries, index file, index count, reserved.
const MARK_LEN: usize = 40;
/// The section of stores that knew no index.
const MAGIC_1: [u8; 8] = *b"hotfire1";
/// Its length before its CRC: magic, offset, entries.
const MARK_LEN_1: usize = 24;

/// What the page vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Every record below this offset of the CommitLog is durable, and so is its ConsumeQueue
    /// entry. It is the end of a record.
    pub(crate) durable_to: u64,
    /// The sum of the ends of all queues when `durable_to` was dispatched: another number at start
    /// means that a queue has been lost.
    pub(crate) queue_entries: u64,
    /// How much of the index is durable.
    pub(crate) index: IndexMark,
    /// The store timestamp of the last record below it, in milliseconds; RocketMQ's
    /// `physicMsgTimestamp` and `logicsMsgTimestamp`.
    pub(crate) store_timestamp: u64,
}

/// How much of the IndexFiles is durable: all files before `file`, and of it the entries below
/// `count`. Zeros when there is no index, or when the page is too old to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct IndexMark {
    /// The base name of the newest file as a number, yyyyMMddHHmmssSSS; 0 for none.
    pub(crate) file: u64,
    /// The number of the first of its entries that is not durable. As entry 0 is never used, it
    /// is 1 in an index without entries, and 0 where nothing is known of an index.
    pub(crate) count: u32,
    /// The store timestamp in ms of the last entry of the last full file, 0 without one; RocketMQ's
    /// `indexMsgTimestamp`: a RocketMQ that finds an unclean end keeps the files up to that one.
    pub(crate) timestamp: u64,
}

/// RocketMQ's own words on the page: store times in ms, each at most that of what is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Of the last record.
    pub(crate) physic: u64,
    /// Of the last ConsumeQueue entry.
    pub(crate) logics: u64,
    /// Of the last IndexFile that was full.
    pub(crate) index: u64,
}

impl Checkpoint {
    /// The page.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut page = vec![0; LEN];
        page[0..8].copy_from_slice(&self.store_timestamp.to_be_bytes());
        page[8..16].copy_from_slice(&self.store_timestamp.to_be_bytes());
        page[16..24].copy_from_slice(&self.index.timestamp.to_be_bytes());
        let mark = &mut page[MARK_AT..MARK_AT + MARK_LEN];
        mark[0..8].copy_from_slice(&MAGIC);
        mark[8..16].copy_from_slice(&self.durable_to.to_be_bytes());
        mark[16..24].copy_from_slice(&self.queue_entries.to_be_bytes());
        mark[24..32].copy_from_slice(&self.index.file.to_be_bytes());
        mark[32..36].copy_from_slice(&self.index.count.to_be_bytes());
        let crc = crc32fast::hash(&page[..MARK_AT + MARK_LEN]);
        page[MARK_AT + MARK_LEN..][..4].copy_from_slice(&crc.to_be_bytes());
        page
    }

    /// What a page says; `None` when it says nothing we can trust (RocketMQ's, empty, torn).
    pub(crate) fn decode(page: &[u8]) -> Option<Self> {
        let mark_len = match *page.get(MARK_AT..)?.first_chunk()? {
            MAGIC => MARK_LEN,
            MAGIC_1 => MARK_LEN_1,
            _ => return None,
        };
        let covered = page.get(..MARK_AT + mark_len)?;
        let crc = page.get(MARK_AT + mark_len..)?.first_chunk()?;
        if u32::from_be_bytes(*crc) != crc32fast::hash(covered) {
            return None;
        }
        let mut index = IndexMark::default();
        if mark_len == MARK_LEN {
            index.file = word(page, MARK_AT + 24)?;
            index.count = u32::try_from(word(page, MARK_AT + 32)? >> 32).ok()?;
            index.timestamp = word(page, 16)?;
        }
        Some(Self {
            durable_to: word(page, MARK_AT + 8)?,
            queue_entries: word(page, MARK_AT + 16)?,
            index,
            store_timestamp: word(page, 0)?,
        })
    }
}

impl Times {
    /// RocketMQ's words of a page; zeros, which vouch for nothing, when it is too short.
    pub(crate) fn decode(page: &[u8]) -> Self {
        let Some(times) = page.get(..TIMES_LEN) else { return Self::default() };
        let time = |at| word(times, at).unwrap_or(0);
        Self { physic: time(0), logics: time(8), index: time(16) }
    }
}

/// The big-endian number at `at`.
fn word(page: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*page.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let index = IndexMark { file: 20_240_229_235_959_999, count: 19_999_999, timestamp: 1_699 };
        Checkpoint { durable_to: 7 << 40, queue_entries: 12, index, store_timestamp: 1_700_000 }
    }

    #[test]
    fn a_page_reads_back() {
        let page = checkpoint().encode();
        assert_eq!(page.len(), 4096);
        assert_eq!(Checkpoint::decode(&page), Some(checkpoint()));
        let times = Times { physic: 1_700_000, logics: 1_700_000, index: 1_699 };
        assert_eq!(Times::decode(&page), times);
    }

    #[test]
    fn the_mark_lies_where_the_format_says() {
        let page = checkpoint().encode();
        assert_eq!(&page[24..64], [0; 40], "what RocketMQ 5 writes here is its own");
        assert_eq!(&page[64..72], b"hotfire2");
        assert_eq!(&page[72..80], (7_u64 << 40).to_be_bytes());
        assert_eq!(&page[80..88], 12_u64.to_be_bytes());
        assert_eq!(&page[88..96], 20_240_229_235_959_999_u64.to_be_bytes());
        assert_eq!(&page[96..100], 19_999_999_u32.to_be_bytes());
        assert_eq!(&page[100..104], [0; 4]);
        assert_eq!(&page[104..108], crc32fast::hash(&page[..104]).to_be_bytes());
    }

    #[test]
    fn a_page_from_before_the_index_still_vouches_for_the_rest() {
        let mut page = vec![0; 4096];
        page[0..8].copy_from_slice(&5_u64.to_be_bytes());
        page[64..72].copy_from_slice(b"hotfire1");
        page[72..80].copy_from_slice(&1000_u64.to_be_bytes());
        page[80..88].copy_from_slice(&3_u64.to_be_bytes());
        let crc = crc32fast::hash(&page[..88]);
        page[88..92].copy_from_slice(&crc.to_be_bytes());
        let index = IndexMark::default();
        let old = Checkpoint { durable_to: 1000, queue_entries: 3, index, store_timestamp: 5 };
        assert_eq!(Checkpoint::decode(&page), Some(old));
        page[80] = 1;
        assert_eq!(Checkpoint::decode(&page), None);
    }

    #[test]
    fn a_page_of_another_or_a_torn_one_vouches_for_nothing() {
        assert_eq!(Checkpoint::decode(&[]), None);
        assert_eq!(Checkpoint::decode(&[0; 4096]), None);
        let mut page = checkpoint().encode();
        for at in [0, 15, 16, 64, 79, 87, 91, 99, 103, 107] {
            page[at] ^= 1;
            assert_eq!(Checkpoint::decode(&page), None, "byte {at}");
            page[at] ^= 1;
        }
        for len in [0, 23, 64, 72, 80, 103, 107] {
            assert_eq!(Checkpoint::decode(&page[..len]), None, "{len} bytes");
        }
        assert_eq!(Times::decode(&page[..23]), Times::default());
    }
}
