//! What a reader does who meets no sound record where one should stand: the log is read from the
//! start of the segment on, and what is damaged is put on record.
//!
//! From the segment's start, because nothing else is known to be the start of a record: the size
//! of a damaged one, or the place that somebody asks for, may be anything.

use std::io;

use runtime::sync::give_way;

use super::log::CommitLog;
use super::read::{Bad, Found, next_at};
use super::sound::next_sound;

/// How many bytes are loaded, and looked through before others get their turn.
const LOOK_LEN: u64 = 1 << 20;

impl CommitLog {
    /// Whether the record at `offset` is damaged: it was durable once, and is none any more. What
    /// is damaged before it in its segment is put on record, too. One examination at a time, under
    /// the budget of cold reads.
    ///
    /// False also where nobody can tell: what is not durable may be anything, and after a failed
    /// sync the cache may show what the device holds.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn examine(&self, offset: u64) -> io::Result<bool> {
        let _one_at_a_time = self.examining.lock().await;
        let durable_to = self.flushed.reached();
        if self.quarantine().end_of(offset).is_some() {
            return Ok(true);
        }
        if offset >= durable_to || self.refusal().is_some() {
            return Ok(false);
        }
        let Some(segment) = self.segments.find(offset) else { return Ok(false) };
        let (mut at, mut loaded_to) = (segment.base, segment.base);
        while at <= offset {
            if let Some(to) = self.quarantine().end_of(at) {
                at = to;
                continue;
            }
            if at >= loaded_to {
                loaded_to = (at + LOOK_LEN).min(segment.end());
                if !segment.is_loaded(at..loaded_to) {
                    self.load(&segment, at..loaded_to).await;
                }
                give_way().await;
            }
            match next_at(&segment, at) {
                Ok(Found::Record(record)) => at += record.len() as u64,
                Ok(Found::SegmentEnd) => break,
                Err(Bad::Disk(error)) => return Err(error),
                Err(bad) => {
                    let to = next_sound(&self.segments, at + 1, durable_to.min(segment.end()))?;
                    self.quarantine().add(at, to, &bad.to_string());
                    at = to;
                }
            }
        }
        if let Err(error) = self.quarantine().write(&self.disk).await {
            tracing::warn!(%error, "the damaged range is not on record yet; the checkpoint comes \
                                    behind it");
        }
        Ok(self.quarantine().end_of(offset).is_some())
    }
}
