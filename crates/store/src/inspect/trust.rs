//! The checkpoint page, and what may be expected of the bytes that it vouches for.

use super::finding::Severity;

/// Where hotfire's mark stands.
const MARK_AT: usize = 64;
/// How far behind the checkpoint RocketMQ recovers, in ms.
const ROCKETMQ_SLACK_MS: u64 = 3_000;

/// What a checkpoint page says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// RocketMQ's times in ms: of the last message flushed, queued and indexed.
    pub(super) times: [u64; 3],
    /// Hotfire's mark, if it holds.
    pub(super) mark: Option<Mark>,
    /// Whether there is a mark that does not hold.
    pub(super) is_void: bool,
}

/// Hotfire's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Everything in the log below this offset is durable, and its queue entries are.
    pub(super) durable_to: u64,
    /// Whether the same is said of the index.
    pub(super) is_indexed: bool,
}

impl Page {
    /// Reads the page, however long it is.
    pub(super) fn read(page: &[u8]) -> Self {
        let word = |at: usize| page.get(at..at + 8).and_then(|bytes| bytes.first_chunk::<8>());
        let word = |at: usize| word(at).map_or(0, |bytes| u64::from_be_bytes(*bytes));
        // Where the checksum stands: behind what it covers.
        let crc_at = match page.get(MARK_AT..MARK_AT + 8) {
            Some(b"hotfire1") => Some(MARK_AT + 24),
            Some(b"hotfire2") => Some(MARK_AT + 40),
            _ => None,
        };
        let holds = |at: usize| {
            let crc = page.get(at..at + 4);
            crc.is_some_and(|crc| crc == crc32fast::hash(&page[..at]).to_be_bytes())
        };
        let mark = crc_at.filter(|at| holds(*at)).map(|crc_at| Mark {
            durable_to: word(MARK_AT + 8),
            is_indexed: crc_at > MARK_AT + 24 && word(MARK_AT + 24) != 0,
        });
        let times = [word(0), word(8), word(16)];
        Self { times, mark, is_void: crc_at.is_some() && mark.is_none() }
    }
}

/// Which bytes must be right, and which the next start puts right anyway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// The page.
    pub(super) page: Page,
    /// Whether the last process ended without saying so.
    pub(super) unclean: bool,
}

impl Trust {
    /// Whether what was stored at `at` of the log, at that time, must be there, and its queue
    /// entry too.
    pub(super) fn covers(&self, at: u64, store_time_ms: u64) -> bool {
        match self.page.mark {
            Some(mark) => at < mark.durable_to,
            None => !self.unclean || store_time_ms <= self.rocketmq_ms(),
        }
    }

    /// How bad it is when something about the record at `at` is wrong.
    pub(super) fn severity(&self, at: u64, store_time_ms: u64) -> Severity {
        if self.covers(at, store_time_ms) { Severity::Error } else { Severity::Note }
    }

    /// How bad it is when the index lacks the record at `at`.
    pub(super) fn index_severity(&self, at: u64, store_time_ms: u64) -> Severity {
        let vouched = self.page.mark.is_some_and(|mark| mark.is_indexed && at < mark.durable_to);
        match (vouched, self.unclean) {
            (true, _) => Severity::Error,
            (false, true) if store_time_ms > self.page.times[2] => Severity::Note,
            _ => Severity::Warning,
        }
    }

    /// The time up to which a RocketMQ broker counts everything as durable.
    fn rocketmq_ms(&self) -> u64 {
        self.page.times[0].min(self.page.times[1]).saturating_sub(ROCKETMQ_SLACK_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with a mark of so many bytes behind its magic.
    fn page(magic: &[u8; 8], words: &[u64]) -> Vec<u8> {
        let mut page = vec![0; 4096];
        page[64..72].copy_from_slice(magic);
        for (index, word) in words.iter().enumerate() {
            page[72 + 8 * index..][..8].copy_from_slice(&word.to_be_bytes());
        }
        let crc_at = 72 + 8 * words.len();
        let crc = crc32fast::hash(&page[..crc_at]);
        page[crc_at..crc_at + 4].copy_from_slice(&crc.to_be_bytes());
        page
    }

    #[test]
    fn both_marks_are_read_and_a_changed_page_is_void() {
        let old = Page::read(&page(b"hotfire1", &[700, 3]));
        assert_eq!(old.mark, Some(Mark { durable_to: 700, is_indexed: false }));
        let mut bytes = page(b"hotfire2", &[900, 3, 20_260_101_000_000_000, 7]);
        let new = Page::read(&bytes);
        assert_eq!(new.mark, Some(Mark { durable_to: 900, is_indexed: true }));
        bytes[3] ^= 1;
        assert!(Page::read(&bytes).is_void);
        assert_eq!(Page::read(&[]), Page::default());
        assert!(!Page::read(&[0; 4096]).is_void);
    }

    #[test]
    fn without_a_mark_a_clean_end_is_trusted_and_an_unclean_one_by_its_times() {
        let page = Page { times: [10_000, 9_000, 0], ..Page::default() };
        let clean = Trust { page, unclean: false };
        assert!(clean.covers(u64::MAX, u64::MAX));
        let unclean = Trust { page, unclean: true };
        assert!(unclean.covers(5, 6_000) && !unclean.covers(5, 6_001));
    }
}
