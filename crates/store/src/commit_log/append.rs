//! Appending: offsets, store time and the one copy, under one lock.

use std::net::SocketAddr;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use message::record::{Fields, MAGIC_BLANK, body_crc};
use message::{PhysicalOffset, QueueOffset, SysFlag, TransactionType, property};

use super::log::{CommitLog, Tail};
use crate::config::TOPIC_LEN_MAX;
use crate::consume_queue::QueueHandle;
use crate::error::AppendError;
use crate::flow::Busy;
use crate::layout::BLANK_HEAD_LEN;

/// One message to append, borrowed from wherever it was received.
#[derive(Clone, Copy)]
pub struct Append<'a> {
    /// The topic and queue it goes to.
    pub queue: &'a QueueHandle,
    /// The user's flag.
    pub flag: i32,
    /// The system's flags; the host bits are set from the hosts.
    pub sys_flag: SysFlag,
    /// When the producer made it, in ms.
    pub born_timestamp: u64,
    /// Who made it.
    pub born_host: SocketAddr,
    /// This broker's advertised address.
    pub store_host: SocketAddr,
    /// How often it was handed back.
    pub reconsume_times: u32,
    /// Of a committed transaction: where its half message stands.
    pub prepared_transaction_offset: PhysicalOffset,
    /// The payload.
    pub body: &'a [u8],
    /// The properties string, in parts that follow each other.
    pub properties: &'a [&'a [u8]],
}

/// Where a message stands now. It is owed to nobody before
/// [`Store::promised`](crate::Store::promised) has reached `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its record.
    pub physical: PhysicalOffset,
    /// The offset behind its record: what to wait for.
    pub end: u64,
    /// Its place in the queue.
    pub queue_offset: QueueOffset,
    /// When it was stored, in ms.
    pub store_timestamp: u64,
    /// The length of its record in bytes.
    pub len: u32,
}

/// The append lock. Hold it for a batch, never across an await: it is not `Send`. `appended` rises
/// once, when this is dropped.
pub struct Appender<'a> {
    log: &'a CommitLog,
    tail: MutexGuard<'a, Tail>,
    /// Where the tail was when the lock was taken.
    start: u64,
    /// The store time of all messages of this batch, read under the lock, in ms.
    store_timestamp: u64,
    /// Whether anything may be appended under this hold of the lock; [`Self::refused`] says why
    /// not.
    open: bool,
}

impl CommitLog {
    /// Takes the append lock, unless somebody has held it for so long that waiting for it would
    /// only make the queue longer.
    ///
    /// # Errors
    /// [`AppendError::Busy`], cause [`Busy::PageCache`].
    pub(crate) fn admit(&self) -> Result<Appender<'_>, AppendError> {
        let max = Duration::from_millis(self.config.lock_held_ms_max);
        match self.lock_held.lasts(|| self.clock.monotonic()) {
            Some(held) if held > max => Err(AppendError::Busy {
                cause: Busy::PageCache,
                why: format!("an append has been under way for {} ms", held.as_millis()),
            }),
            _ => Ok(self.appender()),
        }
    }

    /// Takes the append lock.
    pub(crate) fn appender(&self) -> Appender<'_> {
        let tail = self.locked();
        self.lock_held.begin(self.clock.monotonic());
        let start = tail.end;
        let open = tail.refusal.is_none() && self.busy(&tail).is_none();
        Appender { log: self, tail, start, store_timestamp: self.clock.now_ms(), open }
    }

    /// What keeps the store from taking more at the moment.
    fn busy(&self, tail: &Tail) -> Option<AppendError> {
        if let Some(partition) = self.guard().full() {
            return Some(AppendError::Busy { cause: Busy::Disk, why: partition.cause().into() });
        }
        // What recovery found is on its way to the device; nobody is kept waiting for it.
        let found_to = self.unsettled.as_ref().map_or(0, |unsettled| unsettled.to);
        let unflushed = tail.end - self.flushed.reached().max(found_to);
        let stuck_max = Duration::from_millis(self.config.flush_stuck_ms_max);
        let why = match self.syncing.lasts(|| self.clock.monotonic()) {
            Some(lasts) if lasts > stuck_max => {
                format!("a sync has been under way for {} ms", lasts.as_millis())
            }
            _ if unflushed > self.config.unflushed_bytes_max => {
                format!("{unflushed} bytes wait for their flush")
            }
            _ => return None,
        };
        Some(AppendError::Busy { cause: Busy::Flush, why })
    }
}

impl Appender<'_> {
    /// Whether messages whose records take `len` bytes in all can be appended one behind the other
    /// under this lock: what a batch asks before its first message, so that it goes in whole.
    ///
    /// # Errors
    /// What the first append that finds no room would say; nothing is changed.
    pub fn has_room(&self, len: u64) -> Result<(), AppendError> {
        if !self.open {
            return Err(self.refused());
        }
        let Tail { segment, end, pool, .. } = &*self.tail;
        let rolls = end + len + BLANK_HEAD_LEN > segment.end();
        let too_large = |max| AppendError::TooLarge { part: "batch", len, max };
        if rolls {
            let max = self.log.config.record_len_max();
            if len > max {
                return Err(too_large(max));
            }
            if self.log.segments.find(segment.end()).is_none() {
                return Err(self.no_next_segment());
            }
        }
        let Some(pool) = pool else { return Ok(()) };
        match pool.has_room_for_batch(segment, *end, len, rolls) {
            Ok(true) => Ok(()),
            Ok(false) => Err(pool_exhausted()),
            Err(max) => Err(too_large(max)),
        }
    }

    /// Appends one message: one copy, from where it was received into the segment.
    ///
    /// # Errors
    /// [`AppendError`]; the log and the queue are as before then.
    pub fn append(&mut self, message: &Append<'_>) -> Result<Appended, AppendError> {
        if !self.open {
            return Err(self.refused());
        }
        let queue = message.queue.queue();
        // A half or rolled back record takes no place in its queue.
        let takes_place = takes_place(message.sys_flag);
        let mut fields = Fields {
            queue_id: queue.queue_id(),
            flag: message.flag,
            queue_offset: QueueOffset(if takes_place { queue.next_offset() } else { 0 }),
            physical_offset: PhysicalOffset(0),
            sys_flag: message.sys_flag,
            born_timestamp: message.born_timestamp,
            born_host: message.born_host,
            store_timestamp: self.store_timestamp,
            store_host: message.store_host,
            reconsume_times: message.reconsume_times,
            prepared_transaction_offset: message.prepared_transaction_offset,
            body_crc: 0,
            body: message.body,
            topic: queue.topic(),
            properties: message.properties,
        };
        let len = self.checked_len(&fields)?;
        if !queue.is_storable() {
            return Err(AppendError::Topic { topic: queue.topic().into() });
        }
        if self.tail.end + len + BLANK_HEAD_LEN > self.tail.segment.end() {
            self.roll(len)?;
        } else if let Some(pool) = &self.tail.pool
            && !pool.has_room(&self.tail.segment, self.tail.end, len)
        {
            return Err(pool_exhausted());
        }
        fields.body_crc = body_crc(message.body);
        fields.physical_offset = PhysicalOffset(self.tail.end);
        fields.with_parts(|parts| self.write(parts))?;
        self.tail.end += len;
        // Only now: a message that was refused uses no queue offset.
        if takes_place {
            queue.assign_from(fields.queue_offset.0 + 1);
        }
        Ok(Appended {
            physical: fields.physical_offset,
            end: self.tail.end,
            queue_offset: fields.queue_offset,
            store_timestamp: self.store_timestamp,
            len: len as u32,
        })
    }

    /// Why nothing can be appended under this hold of the lock.
    #[cold]
    fn refused(&self) -> AppendError {
        match &self.tail.refusal {
            Some(closed) => AppendError::Poisoned(closed.clone()),
            // It may have ended meanwhile; the next hold of the lock will do.
            None => self.log.busy(&self.tail).unwrap_or(AppendError::Busy {
                cause: Busy::Flush,
                why: "the flush has just caught up".into(),
            }),
        }
    }

    /// The length of the record, if every part of it can be stored.
    fn checked_len(&self, fields: &Fields<'_>) -> Result<u64, AppendError> {
        let config = &self.log.config;
        let check = |part, len: usize, max: u64| {
            let len = len as u64;
            if len > max { Err(AppendError::TooLarge { part, len, max }) } else { Ok(len) }
        };
        check("body", fields.body.len(), config.message_size_max)?;
        check("properties", fields.properties_len(), property::LEN_MAX as u64)?;
        if fields.properties.iter().any(|part| part.contains(&0)) {
            return Err(AppendError::ZeroByte);
        }
        check("topic", fields.topic.len(), TOPIC_LEN_MAX)?;
        check("record", fields.encoded_len(), config.record_len_max())
    }

    /// Goes on in the next segment, leaving a blank behind. Nothing is written before the next
    /// segment is there.
    fn roll(&mut self, len: u64) -> Result<(), AppendError> {
        let (end, segment_end) = (self.tail.end, self.tail.segment.end());
        let Some(next) = self.log.segments.find(segment_end) else {
            return Err(self.no_next_segment());
        };
        if len + BLANK_HEAD_LEN > next.file.len() {
            // Only in a segment of another size than the configured one.
            let max = next.file.len().saturating_sub(BLANK_HEAD_LEN);
            return Err(AppendError::TooLarge { part: "record", len, max });
        }
        if let Some(pool) = &self.tail.pool
            && !pool.has_room_to_roll(&self.tail.segment, end)
        {
            return Err(pool_exhausted());
        }
        let blank = segment_end - end;
        if blank >= BLANK_HEAD_LEN {
            self.write(&[&(blank as u32).to_be_bytes(), &MAGIC_BLANK.to_be_bytes()])?;
        }
        self.tail.end = next.base;
        self.tail.segment = next;
        Ok(())
    }

    fn no_next_segment(&self) -> AppendError {
        let failure = &self.log.preparation_failure;
        match failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(cause) => AppendError::Busy {
                cause: Busy::Disk,
                why: format!("no room for the next segment: {cause}; free space on the disk"),
            },
            None => AppendError::SegmentNotReady,
        }
    }

    /// Writes at the tail. A write that fails leaves an unknown range behind, like a sync.
    fn write(&mut self, parts: &[&[u8]]) -> Result<(), AppendError> {
        let Tail { segment, end, pool, .. } = &mut *self.tail;
        if let Some(pool) = pool {
            pool.put(segment, *end, parts);
            return Ok(());
        }
        segment.write(*end, parts).map_err(|error| {
            let reason = format!(
                "the CommitLog could not be written at {end}: {error}",
                end = self.tail.end
            );
            tracing::error!(reason, "the store has failed and takes nothing more");
            self.log.close(&reason);
            self.open = false;
            AppendError::Poisoned(self.tail.refuse(&reason))
        })
    }
}

/// All buffers are filled, or being committed.
#[cold]
fn pool_exhausted() -> AppendError {
    runtime::sometimes!("store: no buffer of the pool was free");
    let why = "the transient store pool is exhausted; its commits do not keep up".into();
    AppendError::Busy { cause: Busy::Memory, why }
}

impl Drop for Appender<'_> {
    fn drop(&mut self) {
        self.log.lock_held.end();
        if self.tail.end > self.start {
            self.log.appended.raise_to(self.tail.end);
        }
    }
}

/// Whether a record takes a place in its queue: half and rolled back ones do not.
pub(crate) fn takes_place(flag: SysFlag) -> bool {
    matches!(flag.transaction(), TransactionType::None | TransactionType::Commit)
}
