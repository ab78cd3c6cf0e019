//! What an operator may set about the store, with units in the names and a check.

use message::property;

use crate::error::OpenError;
use crate::layout::BLANK_HEAD_LEN;
use crate::recovery_watch::RecoveryWatch;
use crate::retention::Retention;

/// What an acknowledgement waits for on this node's disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlushMode {
    /// `SYNC_FLUSH`: promised is what survives power loss.
    Sync,
    /// `ASYNC_FLUSH`: promised is what was appended; power loss may take the last seconds.
    #[default]
    Async,
}

/// The off-heap pool, `transientStorePoolEnable`: an acknowledgement means "in a private buffer of
/// the process", and nothing is visible before it is committed to the page cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// `transientStorePoolSize`: how many buffers, each of 16 MiB, or as long as the longest record
    /// if that is more, or as a segment if that is less. Two or more: while one is committed,
    /// another fills.
    pub buffers: u64,
    /// `commitIntervalCommitLog`: the longest time from an append to its commit, in milliseconds …
    pub commit_interval_ms: u64,
    /// … `commitCommitLogThoroughInterval`: which is that time, too; the shorter one holds …
    pub commit_thorough_ms: u64,
    /// … `commitCommitLogLeastPages`: unless so many pages of 4 KiB are there before.
    pub commit_pages_least: u64,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { buffers: 5, commit_interval_ms: 200, commit_thorough_ms: 200, commit_pages_least: 4 }
    }
}

impl PoolConfig {
    /// The longest time from an append to its commit, in ms: what the end of a process may take.
    /// RocketMQ looks once an interval and passes over less than the least pages until the thorough
    /// interval is over; here the shorter of both ends the wait.
    pub fn commit_delay_ms(&self) -> u64 {
        self.commit_interval_ms.min(self.commit_thorough_ms)
    }
}

/// The settings of one store. The defaults are those of RocketMQ 4.9.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The directory of the store, relative to the node's root; the empty string is that root.
    pub root: String,
    /// The length of a CommitLog segment in bytes; it bounds the size of a record.
    pub segment_size: u64,
    /// How many entries of 20 bytes a ConsumeQueue file holds.
    pub queue_segment_entries: u64,
    /// Whether messages are indexed by key.
    pub index_enabled: bool,
    /// Slots of the hash table of an IndexFile, 4 bytes each.
    pub index_slots: u32,
    /// Entries of an IndexFile, 20 bytes each; the first is never used.
    pub index_entries: u32,
    /// What an acknowledgement waits for.
    pub flush: FlushMode,
    /// Asynchronous flush: the pause between two passes, in milliseconds.
    pub flush_interval_ms: u64,
    /// Asynchronous flush: a pass waits until so many pages of 4 KiB are dirty …
    pub flush_pages_least: u64,
    /// … but never longer than this after the first dirty byte, in milliseconds.
    pub flush_thorough_ms: u64,
    /// How long ConsumeQueue entries may stay dirty before they are synced and the checkpoint is
    /// written, in milliseconds.
    pub queue_flush_interval_ms: u64,
    /// The most ConsumeQueue files that are open at once, over all queues.
    pub queue_files_open_max: u64,
    /// When more queues than this have entries to sync, one sync of the whole file system takes
    /// the place of theirs.
    pub queue_syncs_max: u64,
    /// Start after an unclean end: up to so many bytes that may not be durable are made so before
    /// the store opens, more of them behind, while it serves already.
    pub settle_len_max: u64,
    /// The longest body that is taken, in bytes.
    pub message_size_max: u64,
    /// The off-heap pool; `None`: appends go to the mapping. It works under ASYNC_FLUSH only.
    pub pool: Option<PoolConfig>,
    /// `warmMapedFileEnable`: whether all pages of the next segment are made and pinned when it is
    /// prepared. Without it, those of the next 32 MiB are made.
    pub warm: bool,
    /// Flow control, cause `FLUSH`: the most bytes that may be appended and not yet durable.
    pub unflushed_bytes_max: u64,
    /// Flow control, cause `FLUSH`: a sync that lasts longer than this, in milliseconds, says that
    /// the device takes nothing.
    pub flush_stuck_ms_max: u64,
    /// Flow control, cause `PAGE_CACHE`: an append lock held longer than this, in milliseconds,
    /// says that a write into the mapping stands still; RocketMQ's `osPageCacheBusyTimeOutMills`.
    pub lock_held_ms_max: u64,
    /// How long messages are kept and how full the disk may get.
    pub retention: Retention,
    /// The messages of one read of which some are not in memory; RocketMQ's
    /// `maxTransferCountOnMessageInDisk`.
    pub disk_read_count_max: u64,
    /// The bytes of such a read; RocketMQ's `maxTransferBytesOnMessageInDisk`.
    pub disk_read_bytes_max: u64,
    /// How many reads may wait for the device at once; the others wait for their turn.
    pub cold_reads_max: usize,
    /// The most bytes per second that are read from the device for consumers; 0 sets no bound.
    pub cold_read_bytes_per_s_max: u64,
    /// Who watches how far the store's opening is.
    pub recovery: RecoveryWatch,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            root: "store".into(),
            segment_size: 1 << 30,
            queue_segment_entries: 300_000,
            index_enabled: true,
            index_slots: 5_000_000,
            index_entries: 20_000_000,
            flush: FlushMode::Async,
            flush_interval_ms: 500,
            flush_pages_least: 4,
            flush_thorough_ms: 10_000,
            queue_flush_interval_ms: 1_000,
            queue_files_open_max: 4_096,
            queue_syncs_max: 64,
            settle_len_max: 64 << 20,
            message_size_max: 4 << 20,
            pool: None,
            warm: false,
            disk_read_count_max: 8,
            disk_read_bytes_max: 64 << 10,
            cold_reads_max: 4,
            cold_read_bytes_per_s_max: 256 << 20,
            unflushed_bytes_max: 1 << 30,
            flush_stuck_ms_max: 10_000,
            lock_held_ms_max: 1_000,
            retention: Retention::default(),
            recovery: RecoveryWatch::default(),
        }
    }
}

/// The smallest segment that makes sense: one small record and the blank behind it.
const SEGMENT_SIZE_MIN: u64 = 1024;

/// The longest topic in bytes that a record can name.
pub(crate) const TOPIC_LEN_MAX: u64 = 32_767;
/// What of a record is neither body, topic nor properties is less than this, in bytes.
const RECORD_HEAD_LEN_BOUND: u64 = 256;

/// One buffer is committed while another fills.
const POOL_BUFFERS_MIN: u64 = 2;

impl StoreConfig {
    /// The longest record that a segment of the configured size can hold.
    pub(crate) fn record_len_max(&self) -> u64 {
        self.segment_size - BLANK_HEAD_LEN
    }

    /// No record that is taken is longer, whatever the segments' size.
    pub(crate) fn record_len_bound(&self) -> u64 {
        let variable = self.message_size_max + property::LEN_MAX as u64 + TOPIC_LEN_MAX;
        variable + RECORD_HEAD_LEN_BOUND
    }

    /// The pool, if there is one and the flush mode lets it work.
    pub fn pool_in_use(&self) -> Option<&PoolConfig> {
        self.pool.as_ref().filter(|_| self.flush == FlushMode::Async)
    }

    /// Refuses settings with which nothing could be stored.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if self.segment_size < SEGMENT_SIZE_MIN {
            return Err(OpenError::Config {
                setting: "segment_size",
                value: self.segment_size,
                least: SEGMENT_SIZE_MIN,
            });
        }
        if let Some(pool) = self.pool_in_use().filter(|pool| pool.buffers < POOL_BUFFERS_MIN) {
            let (setting, least) = ("pool.buffers", POOL_BUFFERS_MIN);
            return Err(OpenError::Config { setting, value: pool.buffers, least });
        }
        if self.queue_segment_entries == 0 {
            return Err(OpenError::Config { setting: "queue_segment_entries", value: 0, least: 1 });
        }
        let (slots, entries) = (u64::from(self.index_slots), u64::from(self.index_entries));
        for (setting, value, least) in [("index_slots", slots, 1), ("index_entries", entries, 2)] {
            if value < least {
                return Err(OpenError::Config { setting, value, least });
            }
        }
        self.retention.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_two_buffers_and_works_under_async_flush_only() {
        let pool = |buffers| Some(PoolConfig { buffers, ..PoolConfig::default() });
        let config =
            |flush, buffers| StoreConfig { flush, pool: pool(buffers), ..Default::default() };
        assert!(config(FlushMode::Async, 1).check().is_err());
        assert!(config(FlushMode::Async, 2).check().is_ok());
        assert!(config(FlushMode::Async, 2).pool_in_use().is_some());
        assert!(config(FlushMode::Sync, 1).check().is_ok());
        assert!(config(FlushMode::Sync, 5).pool_in_use().is_none());
    }

    #[test]
    fn settings_with_which_nothing_fits_are_refused() {
        assert!(StoreConfig::default().check().is_ok());
        assert!(StoreConfig { segment_size: 1023, ..StoreConfig::default() }.check().is_err());
        assert!(
            StoreConfig { queue_segment_entries: 0, ..StoreConfig::default() }.check().is_err()
        );
        assert!(StoreConfig { index_slots: 0, ..StoreConfig::default() }.check().is_err());
        assert!(StoreConfig { index_entries: 1, ..StoreConfig::default() }.check().is_err());
    }
}
