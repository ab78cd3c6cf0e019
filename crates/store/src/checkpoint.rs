//! The checkpoint page: up to which offset the log and everything derived from it is durable.
//!
//! The first 24 bytes are RocketMQ's three timestamps. Ours stands from byte 64 on, where RocketMQ
//! never looks; its CRC also covers those timestamps, so that a RocketMQ broker that ran on the
//! store in between makes our mark void instead of wrong.

/// The length of the file.
const LEN: usize = 4096;
/// Where our section starts.
const MARK_AT: usize = 64;
/// "hotfire1", the first bytes of our section.
const MAGIC: [u8; 8] = *b"hotfire1";
/// Magic, offset, entries.
const MARK_LEN: usize = 24;

/// What the page vouches for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Every record below this offset of the CommitLog is durable, and so is its ConsumeQueue
    /// entry. It is the end of a record.
    pub(crate) durable_to: u64,
    /// The sum of the ends of all queues when `durable_to` was dispatched: another number at start
    /// means that a queue has been lost.
    pub(crate) queue_entries: u64,
    /// The store timestamp of the last record below it, in milliseconds; RocketMQ's
    /// `physicMsgTimestamp` and `logicsMsgTimestamp`.
    pub(crate) store_timestamp: u64,
}

impl Checkpoint {
    /// The page.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut page = vec![0; LEN];
        page[0..8].copy_from_slice(&self.store_timestamp.to_be_bytes());
        page[8..16].copy_from_slice(&self.store_timestamp.to_be_bytes());
        let mark = &mut page[MARK_AT..MARK_AT + MARK_LEN];
        mark[0..8].copy_from_slice(&MAGIC);
        mark[8..16].copy_from_slice(&self.durable_to.to_be_bytes());
        mark[16..24].copy_from_slice(&self.queue_entries.to_be_bytes());
        let crc = crc_of(&page);
        page[MARK_AT + MARK_LEN..][..4].copy_from_slice(&crc.to_be_bytes());
        page
    }

    /// What a page says; `None` when it says nothing we can trust (RocketMQ's, empty, torn).
    pub(crate) fn decode(page: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u64::from_be_bytes(page.get(at..at + 8)?.try_into().ok()?));
        let crc = page.get(MARK_AT + MARK_LEN..)?.get(..4)?;
        if page[MARK_AT..MARK_AT + 8] != MAGIC || crc != crc_of(page).to_be_bytes() {
            return None;
        }
        Some(Self {
            durable_to: word(MARK_AT + 8)?,
            queue_entries: word(MARK_AT + 16)?,
            store_timestamp: word(0)?,
        })
    }
}

/// The CRC of the timestamps and the mark, of a page that is long enough for both.
fn crc_of(page: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&page[..MARK_AT + MARK_LEN]);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_back() {
        let checkpoint =
            Checkpoint { durable_to: 7 << 40, queue_entries: 12, store_timestamp: 1_700_000 };
        let page = checkpoint.encode();
        assert_eq!(page.len(), 4096);
        assert_eq!(page[..8], page[8..16]);
        assert_eq!(Checkpoint::decode(&page), Some(checkpoint));
    }

    #[test]
    fn a_page_of_another_or_a_torn_one_vouches_for_nothing() {
        assert_eq!(Checkpoint::decode(&[]), None);
        assert_eq!(Checkpoint::decode(&[0; 4096]), None);
        let mut page = Checkpoint { durable_to: 9, ..Checkpoint::default() }.encode();
        for at in [0, 15, 16, 64, 79, 87, 91] {
            page[at] ^= 1;
            assert_eq!(Checkpoint::decode(&page), None, "byte {at}");
            page[at] ^= 1;
        }
        assert_eq!(Checkpoint::decode(&page[..80]), None);
    }
}
