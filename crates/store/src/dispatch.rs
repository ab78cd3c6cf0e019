//! Dispatch: from the log to the queues, never past what may be visible.
//!
//! *Invariant:* nothing is visible before it is owed. The one limit stands in
//! [`Dispatcher::catch_up`].

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use message::delay::Levels;
use message::record::{RecordError, View};
use message::{delay, property, tags_code_of, topic};
use runtime::Clock;
use runtime::sync::{Either, Stop, Watermark, give_way, race};

use crate::checkpoint::IndexMark;
use crate::commit_log::{CommitLog, next_sound, takes_place};
use crate::consume_queue::{Entry, Put, Queue, Queues};
use crate::crowd::all_of;
use crate::disk_guard::Partition;
use crate::index::{Gather, Index};
use crate::layout::BLANK_HEAD_LEN;

/// How many bytes of the log are read at once.
const CHUNK_LEN_MAX: u64 = 1 << 20;
/// When so many entries are gathered they are written, whatever is left of the chunk.
const ENTRIES_GATHERED_MAX: u64 = 64 << 10;
/// With entries for more queues than this, dispatch gathers on while it is behind.
const QUEUES_AT_ONCE: usize = 1024;
/// The pause before the disk is tried again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How far dispatch is, for the checkpoint and for those who wait.
#[derive(Default)]
pub(crate) struct Progress {
    /// The end of the last record that was dispatched.
    pub(crate) position: Watermark,
    snapshot: Mutex<Snapshot>,
}

/// One moment of dispatch, consistent in itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Snapshot {
    /// The end of the last record that was dispatched.
    pub(crate) position: u64,
    /// The sum of the ends of all queues at that moment.
    pub(crate) queue_entries: u64,
    /// What the index held at that moment.
    pub(crate) index: IndexMark,
    /// The store timestamp of that record in ms.
    pub(crate) store_timestamp: u64,
}

impl Progress {
    /// Where dispatch is.
    pub(crate) fn snapshot(&self) -> Snapshot {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, snapshot: Snapshot) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        self.position.raise_to(snapshot.position);
    }
}

/// Why a record was not dispatched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DispatchError {
    /// The disk refused: worth another try.
    #[error("a ConsumeQueue or an IndexFile could not be written: {0}")]
    Disk(#[from] io::Error),
    /// What stands in the log is no record of this log.
    #[error("offset {offset} of the CommitLog cannot be dispatched: {cause}")]
    Damaged { offset: u64, cause: String },
}

/// The one writer of all queues and of the index.
pub(crate) struct Dispatcher {
    log: Arc<CommitLog>,
    queues: Arc<Queues>,
    index: Gather,
    levels: Levels,
    progress: Arc<Progress>,
    at: Snapshot,
    /// The end of what recovery found; `None` once it is dispatched.
    found_to: Option<u64>,
    /// Queues with entries that are not visible yet, and how many entries those are: gathered in
    /// the order of the log and written many at a time, because a write for each would cost more
    /// than everything else here.
    hidden: Vec<Arc<Queue>>,
    gathered: u64,
    /// The topic of the last record and those of its queues that were used, by number.
    topic: String,
    topic_queues: Vec<Option<Arc<Queue>>>,
}

/// Queues with a higher number are looked up each time.
const CACHED_QUEUES_MAX: usize = 1024;

impl Dispatcher {
    /// A dispatcher that goes on at `at`.
    pub(crate) fn new(
        log: Arc<CommitLog>,
        queues: Arc<Queues>,
        index: Arc<Index>,
        at: Snapshot,
    ) -> Self {
        let progress = Arc::new(Progress::default());
        progress.set(at);
        let found_to = Some(log.appended().reached());
        Self {
            log,
            queues,
            index: Gather::new(index),
            levels: Levels::default(),
            progress,
            at,
            found_to,
            hidden: Vec::new(),
            gathered: 0,
            topic: String::new(),
            topic_queues: Vec::new(),
        }
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Dispatches whatever becomes promised, until it is stopped or the promise ends.
    pub(crate) async fn keep_dispatching(mut self, clock: Clock, stop: Stop) {
        let visible = self.log.visible().clone();
        loop {
            self.note_caught_up();
            // From what is written, not from what is gathered: a full disk may lie between.
            let more = visible.wait(self.progress.position.reached() + 1);
            let Either::Right(Ok(())) = race(stop.stopped(), more).await else { return };
            match self.catch_up(&stop).await {
                Ok(()) => self.log.guard().set(Partition::Queues, false),
                Err(DispatchError::Disk(error)) => {
                    let is_full = error.kind() == io::ErrorKind::StorageFull;
                    self.log.guard().set(Partition::Queues, is_full);
                    tracing::error!(%error, "dispatch stalls; trying again");
                    let pause = clock.sleep(PAUSE_AFTER_FAILURE);
                    let Either::Right(()) = race(stop.stopped(), pause).await else { return };
                }
                Err(damage) => {
                    self.log.poison(&damage.to_string());
                    return;
                }
            }
        }
    }

    /// Tells the queues once everything that recovery found is dispatched.
    fn note_caught_up(&mut self) {
        let position = self.progress.position.reached();
        if self.found_to.take_if(|found_to| position >= *found_to).is_some() {
            tracing::info!(position, "dispatch has caught up with recovery");
            self.queues.all().iter().for_each(|queue| queue.caught_up());
        }
    }

    /// Dispatches everything that is promised by now, or less when it is stopped.
    async fn catch_up(&mut self, stop: &Stop) -> Result<(), DispatchError> {
        let limit = self.log.visible().reached();
        // What a full disk kept in memory goes first.
        self.write_gathered().await?;
        while self.at.position < limit && !stop.is_stopped() {
            let gathered = self.chunk(limit);
            let is_spread = self.hidden.len() > QUEUES_AT_ONCE
                && self.gathered < ENTRIES_GATHERED_MAX
                && self.at.position < limit;
            if is_spread && gathered.is_ok() {
                // Opening a file for each entry would cost most: more for each queue comes first.
                give_way().await;
                continue;
            }
            // Also after an error: what was gathered before it is complete.
            self.write_gathered().await?;
            match gathered {
                Err(DispatchError::Damaged { cause, .. }) if self.is_durable() => {
                    self.step_over(&cause)?;
                }
                other => other?,
            }
            if self.at.position < limit {
                // After a restart there may be gigabytes to go.
                give_way().await;
            }
        }
        self.write_gathered().await?;
        Ok(())
    }

    /// Whether what stands at the position was durable: then it is damaged, and not what a failed
    /// sync has left.
    fn is_durable(&self) -> bool {
        self.at.position < self.log.flushed().reached()
    }

    /// Goes on behind what cannot be read, which was durable once.
    fn step_over(&mut self, cause: &str) -> io::Result<()> {
        let (from, durable_to) = (self.at.position, self.log.flushed().reached());
        let to = next_sound(self.log.segments(), from + 1, durable_to)?;
        self.log.quarantine().add(from, to, cause);
        self.at.position = to;
        Ok(())
    }

    /// Writes the gathered entries and shows them, queue by queue, and then their keys: a key is
    /// found no earlier than its message is visible. Only when all are written is dispatch as far
    /// as `at` says: a checkpoint in between still says where it was before.
    async fn write_gathered(&mut self) -> io::Result<()> {
        let queues = &self.queues;
        let write = |queue: Arc<Queue>| async move {
            queue.write().await?;
            queues.note_dirty(&queue);
            queue.show();
            Ok(())
        };
        let written: io::Result<()> = all_of(self.hidden.iter().cloned().map(write)).await;
        self.hidden.retain(|queue| queue.is_hidden());
        written?;
        self.gathered = 0;
        self.at.index = self.index.commit().await?;
        self.progress.set(self.at);
        Ok(())
    }

    /// Gathers the entries of records of one segment, at most to `limit`.
    fn chunk(&mut self, limit: u64) -> Result<(), DispatchError> {
        let from = self.at.position;
        if let Some(to) = self.log.quarantine().end_of(from) {
            self.at.position = to.min(limit);
            return Ok(());
        }
        let Some(segment) = self.log.segments().find(from) else {
            return Err(self.damaged("there is no segment"));
        };
        let end = limit.min(segment.end());
        if end - from < BLANK_HEAD_LEN {
            self.at.position = end;
            return Ok(());
        }
        let mut chunk = segment.slice(from..end.min(from + CHUNK_LEN_MAX))?;
        let mut at = 0;
        while self.gathered < ENTRIES_GATHERED_MAX {
            if let Some(to) = self.log.quarantine().end_of(self.at.position) {
                self.at.position = to.min(limit);
                return Ok(());
            }
            match View::parse(&chunk[at..]) {
                Ok(view) => {
                    let len = u64::from(view.store_size);
                    self.record(&view)?;
                    self.index.put(&view);
                    at += len as usize;
                    self.at.position += len;
                    self.at.store_timestamp = view.store_timestamp;
                }
                Err(RecordError::Short { .. }) if at > 0 => return Ok(()),
                Err(RecordError::Short { needed, .. }) => {
                    chunk = self.longer(&segment.slice(from..end)?, needed)?;
                }
                Err(RecordError::Blank { .. }) => {
                    self.at.position = segment.end();
                    return Ok(());
                }
                Err(error) => return Err(self.damaged(&error.to_string())),
            }
        }
        Ok(())
    }

    /// The first `needed` bytes of `rest`, for a record that is longer than a chunk.
    fn longer(&self, rest: &Bytes, needed: usize) -> Result<Bytes, DispatchError> {
        if needed > rest.len() || needed as u64 <= CHUNK_LEN_MAX {
            return Err(self.damaged("the record is longer than what is promised"));
        }
        Ok(rest.slice(..needed))
    }

    /// Puts one record into its queue.
    fn record(&mut self, view: &View<'_>) -> Result<(), DispatchError> {
        if view.physical_offset.0 != self.at.position {
            return Err(self.damaged(&format!("it says it stands at {}", view.physical_offset)));
        }
        if !takes_place(view.sys_flag) {
            return Ok(());
        }
        let queue = self.queue(view.topic, view.queue_id);
        if !queue.is_storable() {
            tracing::error!(view.topic, "a record whose topic can be no directory; left out");
            return Ok(());
        }
        let entry = Entry {
            physical: self.at.position,
            len: view.store_size,
            tags_code: self.tags_code(view),
        };
        let place = view.queue_offset.0;
        match queue.put(place, &entry) {
            Put::Done(moved) => {
                self.at.queue_entries += moved;
                self.gathered += moved;
            }
            Put::Already => {}
            Put::Gap => return Err(self.damaged("its place in the queue is far behind")),
        }
        if queue.hide() {
            self.hidden.push(queue);
        }
        Ok(())
    }

    /// The queue of a record. Messages of one topic tend to follow each other, so the topic is
    /// remembered and no map is asked.
    fn queue(&mut self, topic: &str, queue_id: u32) -> Arc<Queue> {
        if self.topic != topic {
            topic.clone_into(&mut self.topic);
            self.topic_queues.clear();
        }
        let slot = queue_id as usize;
        if let Some(Some(queue)) = self.topic_queues.get(slot) {
            return queue.clone();
        }
        let queue = self.queues.get(topic, queue_id);
        if slot < CACHED_QUEUES_MAX {
            if self.topic_queues.len() <= slot {
                self.topic_queues.resize(slot + 1, None);
            }
            self.topic_queues[slot] = Some(queue.clone());
        }
        queue
    }

    /// What filters see: the hash of the tags, or, as RocketMQ has it, the time when a delayed
    /// message is due.
    fn tags_code(&self, view: &View<'_>) -> i64 {
        if view.topic == topic::SCHEDULE
            && let Some(level) = view.property(property::DELAY)
            && let Some(level) = std::str::from_utf8(level).ok().and_then(delay::level)
            && let Some(delay_ms) = self.levels.delay_ms(level)
        {
            return view.store_timestamp.saturating_add(delay_ms) as i64;
        }
        view.property(property::TAGS).map_or(0, tags_code_of)
    }

    fn damaged(&self, cause: &str) -> DispatchError {
        DispatchError::Damaged { offset: self.at.position, cause: cause.into() }
    }
}
