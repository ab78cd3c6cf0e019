//! What dispatch has gathered for a queue and what of it is written: the queue's end.

use super::entry::Entry;
use crate::layout::ENTRY_LEN;

/// The most places that may be missing between two records of one queue. More is damage.
pub(super) const GAP_MAX: u64 = 1 << 20;

/// What became of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// Gathered; so many places the end will move.
    Done(u64),
    /// It was there before.
    Already,
    /// It is so far behind the end that the record must be damaged.
    Gap,
}

/// What dispatch and the flush of the queue share. Entries are gathered in memory first and
/// written many at a time; between the two they are nobody's but dispatch's.
#[derive(Default)]
pub(super) struct Writer {
    /// The position behind the last entry written.
    pub(super) end: u64,
    /// Entries that are not written yet, and the place of the first. It is `end`, except of a
    /// queue that starts late: the places before it will be filled.
    gathered: Vec<u8>,
    gathered_from: u64,
    /// Entries from here on may not be durable.
    synced: u64,
    /// How often the name of a file appeared, or zeros behind the end; and how many of those
    /// changes are durable.
    changes: u64,
    changes_synced: u64,
}

/// What a sync that begins now makes durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToSync {
    /// The entries before this place …
    pub(super) end: u64,
    /// … of which these are durable already.
    pub(super) from: u64,
    /// Whether more has changed than entries.
    pub(super) changed: bool,
    changes: u64,
}

impl Writer {
    /// A queue whose entries end at `end`, all of them durable; `changed` says that more is not.
    pub(super) fn ending(end: u64, changed: bool) -> Self {
        let changes = u64::from(changed);
        Self { end, gathered_from: end, synced: end, changes, ..Self::default() }
    }

    /// Notes a new name, or zeros.
    pub(super) fn changed(&mut self) {
        self.changes += 1;
    }

    /// What a sync that begins now makes durable.
    pub(super) fn to_sync(&self) -> ToSync {
        ToSync {
            end: self.end,
            from: self.synced,
            changed: self.changes > self.changes_synced,
            changes: self.changes,
        }
    }

    /// That sync has succeeded.
    pub(super) fn synced(&mut self, confirmed: &ToSync) {
        self.synced = self.synced.max(confirmed.end);
        self.changes_synced = self.changes_synced.max(confirmed.changes);
    }

    /// The place behind everything gathered.
    fn gathered_end(&self) -> u64 {
        self.gathered_from + self.gathered.len() as u64 / ENTRY_LEN
    }

    /// The place of the first entry that is gathered and not written.
    pub(super) fn unwritten(&self) -> Option<u64> {
        (!self.gathered.is_empty()).then_some(self.gathered_from)
    }

    /// Gathers the entry at `at`. In a queue without any file it may be the first at any place.
    pub(super) fn put(&mut self, at: u64, entry: &Entry, has_files: bool) -> Put {
        let end = self.gathered_end();
        if at < end {
            return Put::Already;
        }
        if self.gathered.is_empty() && !has_files {
            self.gathered_from = at;
        } else if at - end > GAP_MAX {
            return Put::Gap;
        } else if at > end {
            // Records between are gone, so nobody will ever put these entries.
            tracing::error!(end, at, "a hole in a queue; filled");
            let missing = (at - end) as usize;
            self.gathered.extend_from_slice(&Entry::FILLER.encode().repeat(missing));
        }
        self.gathered.extend_from_slice(&entry.encode());
        Put::Done(at + 1 - end)
    }

    /// The gathered entries that lie before `to`, a place.
    pub(super) fn gathered_to(&self, to: u64) -> &[u8] {
        let len = (to.saturating_sub(self.gathered_from) * ENTRY_LEN) as usize;
        &self.gathered[..len.min(self.gathered.len())]
    }

    /// The first `len` bytes gathered are written.
    pub(super) fn wrote(&mut self, len: usize) {
        self.gathered_from += len as u64 / ENTRY_LEN;
        self.end = self.gathered_from;
        if len == self.gathered.len() {
            // An idle queue keeps no buffer.
            self.gathered = Vec::new();
        } else {
            self.gathered.drain(..len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry = Entry { physical: 77, len: 100, tags_code: 1 };

    #[test]
    fn an_entry_is_gathered_once_and_holes_are_filled() {
        let mut writer = Writer::ending(5, false);
        assert_eq!(writer.put(4, &ENTRY, true), Put::Already);
        assert_eq!(writer.put(5, &ENTRY, true), Put::Done(1));
        assert_eq!(writer.put(5, &ENTRY, true), Put::Already);
        assert_eq!(writer.put(8, &ENTRY, true), Put::Done(3));
        assert_eq!((writer.end, writer.unwritten()), (5, Some(5)));
        assert_eq!(writer.gathered_to(7).len(), 40);
        writer.wrote(40);
        assert_eq!((writer.end, writer.unwritten()), (7, Some(7)));
        assert_eq!(writer.gathered_to(99)[..20], Entry::FILLER.encode());
        assert_eq!(writer.put(9 + GAP_MAX + 1, &ENTRY, true), Put::Gap);
        writer.wrote(40);
        assert_eq!((writer.end, writer.unwritten(), writer.gathered.capacity()), (9, None, 0));
    }

    #[test]
    fn a_queue_without_files_starts_anywhere() {
        let mut writer = Writer::default();
        assert_eq!(writer.put(1 << 30, &ENTRY, false), Put::Done((1 << 30) + 1));
        assert_eq!(writer.put(1 << 30, &ENTRY, false), Put::Already);
        assert_eq!(writer.put((1 << 30) + 1, &ENTRY, false), Put::Done(1));
        assert_eq!((writer.end, writer.unwritten()), (0, Some(1 << 30)));
    }
}
