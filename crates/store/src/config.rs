//! What an operator may set about the store, with units in the names and a check.

use crate::error::OpenError;
use crate::layout::BLANK_HEAD_LEN;
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

/// The settings of one store. The defaults are those of RocketMQ 4.9.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The directory of the store, relative to the node's root; the empty string is that root.
    pub root: String,
    /// The length of a CommitLog segment in bytes; it bounds the size of a record.
    pub segment_size: u64,
    /// How many entries of 20 bytes a ConsumeQueue file holds.
    pub queue_segment_entries: u64,
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
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            root: "store".into(),
            segment_size: 1 << 30,
            queue_segment_entries: 300_000,
            flush: FlushMode::Async,
            flush_interval_ms: 500,
            flush_pages_least: 4,
            flush_thorough_ms: 10_000,
            queue_flush_interval_ms: 1_000,
            queue_files_open_max: 4_096,
            queue_syncs_max: 64,
            settle_len_max: 64 << 20,
            message_size_max: 4 << 20,
            unflushed_bytes_max: 1 << 30,
            flush_stuck_ms_max: 10_000,
            lock_held_ms_max: 1_000,
            retention: Retention::default(),
        }
    }
}

/// The smallest segment that makes sense: one small record and the blank behind it.
const SEGMENT_SIZE_MIN: u64 = 1024;

impl StoreConfig {
    /// The longest record that a segment of the configured size can hold.
    pub(crate) fn record_len_max(&self) -> u64 {
        self.segment_size - BLANK_HEAD_LEN
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
        if self.queue_segment_entries == 0 {
            return Err(OpenError::Config { setting: "queue_segment_entries", value: 0, least: 1 });
        }
        self.retention.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_which_nothing_fits_are_refused() {
        assert!(StoreConfig::default().check().is_ok());
        assert!(StoreConfig { segment_size: 1023, ..StoreConfig::default() }.check().is_err());
        assert!(
            StoreConfig { queue_segment_entries: 0, ..StoreConfig::default() }.check().is_err()
        );
    }
}
