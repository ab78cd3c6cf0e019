//! The checkpoint page: RocketMQ's three times, and hotfire's mark behind them.

use super::crc;
use super::image::{DiskImage, number};

/// Where the mark begins.
const MARK_AT: usize = 64;
/// The mark's first bytes, without its version.
const MAGIC: &[u8] = b"hotfire";

/// What a checkpoint file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The store time of the last record of the log that is vouched for, in ms.
    pub physic_ms: u64,
    /// The same for the queues.
    pub logics_ms: u64,
    /// The same for the index.
    pub index_ms: u64,
    /// Below this offset the log and its queues are vouched for; `None` without a mark.
    pub durable_to: Option<u64>,
    /// What is wrong with the mark, if something is.
    pub damage: Option<String>,
}

/// The checkpoint of a disk; `None` without the file, or with an empty one.
pub(super) fn read(image: &DiskImage) -> Option<Checkpoint> {
    let is_it = |path: &&String| path.rsplit('/').next() == Some("checkpoint");
    let page = &image[image.keys().find(is_it)?];
    let mut checkpoint = Checkpoint {
        physic_ms: number::<8>(page, 0)?,
        logics_ms: number::<8>(page, 8)?,
        index_ms: number::<8>(page, 16)?,
        ..Checkpoint::default()
    };
    if page.get(MARK_AT..MARK_AT + MAGIC.len()) == Some(MAGIC) {
        // The version says how long the mark is: the checksum covers everything before it.
        let crc_at = match page[MARK_AT + MAGIC.len()] {
            b'1' => MARK_AT + 24,
            _ => MARK_AT + 40,
        };
        let sum = page.get(..crc_at).map(|covered| u64::from(crc::of(covered)));
        if sum.is_some() && sum == number::<4>(page, crc_at) {
            checkpoint.durable_to = number::<8>(page, MARK_AT + 8);
        } else {
            checkpoint.damage = Some("the mark's checksum does not hold".to_owned());
        }
    }
    Some(checkpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with this mark and a checksum over everything before `crc_at`.
    fn page(magic: &[u8], crc_at: usize) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[..8].copy_from_slice(&7u64.to_be_bytes());
        page[MARK_AT..MARK_AT + 8].copy_from_slice(magic);
        page[MARK_AT + 8..MARK_AT + 16].copy_from_slice(&99u64.to_be_bytes());
        let sum = crc::of(&page[..crc_at]);
        page[crc_at..crc_at + 4].copy_from_slice(&sum.to_be_bytes());
        page
    }

    fn read_page(page: Vec<u8>) -> Option<Checkpoint> {
        read(&DiskImage::from([("store/checkpoint".to_owned(), page.into())]))
    }

    #[test]
    fn both_versions_are_read_and_a_page_of_rocketmq_vouches_for_nothing() {
        for (magic, crc_at) in [(b"hotfire1", 88), (b"hotfire2", 104)] {
            let whole = read_page(page(magic, crc_at)).unwrap();
            assert_eq!((whole.physic_ms, whole.durable_to), (7, Some(99)));
            let mut torn = page(magic, crc_at);
            torn[79] ^= 1;
            let torn = read_page(torn).unwrap();
            assert!(torn.durable_to.is_none() && torn.damage.is_some());
        }
        assert_eq!(read_page(vec![0; 4096]), Some(Checkpoint::default()));
        assert_eq!(read_page(Vec::new()), None);
    }
}
