//! What cleaning leaves of a queue: its files follow the log, its first place follows them.

use std::io;

use super::entry::Entry;
use super::queue::Queue;
use crate::layout::ENTRY_LEN;
use crate::segment_set::RemoveError;

/// The longest run of fillers amid a queue that is told from those before a late start.
const HOLE_LEN_MAX: u64 = 4_096;

/// So many entries before the first one that stays are looked at, each of which should go.
const LOOK_BACK_LEN: u64 = 64;

impl Queue {
    /// Lets go of what points to records below `min_physical`, which are gone or about to go: the
    /// first place rises first, then the files go whose last entry lies below, oldest first and
    /// each durably, never the last one. Gives how many files went.
    ///
    /// # Errors
    /// [`RemoveError`]; after one that is not final, again is harmless.
    pub(crate) async fn clean(&self, min_physical: u64) -> Result<u64, RemoveError> {
        let end = self.end();
        if end == 0 {
            return Ok(0);
        }
        let min = self.first_at(min_physical, end).await;
        self.raise_min(min.map_err(RemoveError::Remove)?);
        let mut removed = 0;
        loop {
            let spans = self.spans();
            let Some(first) = spans.first().filter(|_| spans.len() > 1) else { break };
            if self.min_offset() < first.behind() {
                break;
            }
            self.remove_first(*first).await?;
            removed += 1;
        }
        Ok(removed)
    }

    /// The first place before `end` whose record lies at `min_physical` or behind; `end` when none
    /// does. Records of a queue are in the order of the log, so it can be halved for; fillers say
    /// what the entry behind them says, so that a hole hides nothing before it.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn first_at(&self, min_physical: u64, end: u64) -> io::Result<u64> {
        let first = self.spans().first().map_or(end, |span| span.first());
        let from = first.max(self.min_offset()).min(end);
        let mut found = end;
        // Bits of an entry that was met may have turned. It stands out of order then, and what was
        // found lies behind entries that lead into the log; the first of those is halved for.
        loop {
            found = self.halve(min_physical, from, found).await?;
            match self.in_log_before(min_physical, from, found).await? {
                Some(place) => found = place,
                None => return Ok(found),
            }
        }
    }

    /// The lowest of the entries shortly before `found` whose record lies at `min_physical` or
    /// behind; none does in a queue that is in order.
    async fn in_log_before(
        &self,
        min_physical: u64,
        from: u64,
        found: u64,
    ) -> io::Result<Option<u64>> {
        let mut at = from.max(found.saturating_sub(LOOK_BACK_LEN));
        while at < found {
            let entries = self.entries(at, found - at).await?;
            if entries.is_empty() {
                return Ok(None);
            }
            for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
                let entry = bytes.first_chunk().and_then(Entry::decode);
                let entry = entry.filter(|entry| !entry.is_filler());
                if entry.is_some_and(|entry| entry.physical >= min_physical) {
                    return Ok(Some(at));
                }
                at += 1;
            }
        }
        Ok(None)
    }

    /// [`Queue::first_at`] between two places, in a queue that is in order; `end` when none does.
    async fn halve(&self, min_physical: u64, first: u64, end: u64) -> io::Result<u64> {
        let (mut low, mut high) = (first, end);
        let mut found = end;
        while low < high {
            // Mostly nothing was cleaned, so the first is tried first.
            let middle = if low == first { low } else { low.midpoint(high) };
            match self.message_from(middle, high).await? {
                Some((place, entry)) if entry.physical >= min_physical => {
                    (high, found) = (middle, place);
                }
                // Fillers up to what was found before.
                None if high - middle <= HOLE_LEN_MAX => high = middle,
                _ => low = middle + 1,
            }
        }
        Ok(found)
    }

    /// The first entry from `at` on, before `to`, that is no filler. Looks at so many places only
    /// as a hole may have: more fillers are those before a late start.
    async fn message_from(&self, at: u64, to: u64) -> io::Result<Option<(u64, Entry)>> {
        let to = to.min(at + HOLE_LEN_MAX);
        let (mut at, mut count) = (at, 1);
        while at < to {
            let entries = self.entries(at, count.min(to - at)).await?;
            if entries.is_empty() {
                return Ok(None);
            }
            for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
                let entry = bytes.first_chunk().and_then(Entry::decode);
                match entry.filter(|entry| !entry.is_filler()) {
                    Some(entry) => return Ok(Some((at, entry))),
                    None => at += 1,
                }
            }
            count = HOLE_LEN_MAX;
        }
        Ok(None)
    }
}
