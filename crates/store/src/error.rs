//! The ways the store fails: one enum per verb, each saying cause and remedy.

use std::io;

use message::PhysicalOffset;
use runtime::sync::Closed;

use crate::flow::Busy;

/// The store did not open. Nothing that was durable has been changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting with which nothing could be stored.
    #[error("{setting} is {value}; set it to {least} or more")]
    Config {
        /// Its name in [`StoreConfig`](crate::StoreConfig).
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The least that is taken.
        least: u64,
    },
    /// Another process has the store.
    #[error("{path} is locked: {source}; stop the other broker or give this one a root of its own")]
    Locked {
        /// The lock file.
        path: String,
        /// What the disk says.
        source: io::Error,
    },
    /// Bytes that were durable do not read as records any more: bit rot, a lost file, a foreign
    /// hand. Opening would cut off what was acknowledged, so it is refused.
    #[error(
        "the CommitLog is damaged at offset {offset} ({cause}), though it was durable up to \
         {durable_to}; restore the segment from a copy, or move the store aside"
    )]
    Damaged {
        /// Where the first unreadable record starts.
        offset: PhysicalOffset,
        /// How far the checkpoint vouches for the log.
        durable_to: PhysicalOffset,
        /// What is wrong there.
        cause: String,
    },
    /// The disk refused.
    #[error("{what}: {source}; check the disk and start again")]
    Disk {
        /// What was tried, naming the path.
        what: String,
        /// What the disk says.
        source: io::Error,
    },
    /// The store failed for ever while it opened.
    #[error("the store failed while it recovered: {0}; check the disk and start again")]
    Failed(Closed),
}

impl OpenError {
    /// The disk refused while `what` was tried.
    pub(crate) fn disk(what: &str, source: io::Error) -> Self {
        Self::Disk { what: what.into(), source }
    }

    /// No record stands at `offset`, though one did.
    pub(crate) fn damaged(offset: u64, durable_to: u64, cause: String) -> Self {
        let (offset, durable_to) = (PhysicalOffset(offset), PhysicalOffset(durable_to));
        Self::Damaged { offset, durable_to, cause }
    }
}

/// A message was not appended. Nothing of it is in the log and no queue offset was used.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The next segment is being prepared: let go of the appender, await
    /// [`Store::segment_ready`](crate::Store::segment_ready), try again.
    #[error("the next segment is not ready yet; try again")]
    SegmentNotReady,
    /// It can never be stored under this configuration.
    #[error("the {part} of {len} bytes exceeds {max}; send less")]
    TooLarge {
        /// What is too large: body, properties, topic or record.
        part: &'static str,
        /// Its length in bytes.
        len: u64,
        /// The most that is taken.
        max: u64,
    },
    /// The properties hold a zero byte. In a log that is what a tear looks like: the checksum
    /// covers the body alone, so recovery takes such a record for one that power failure tore.
    #[error("the properties hold a zero byte, which no record may; write binary values as text")]
    ZeroByte,
    /// The topic cannot be the name of a directory.
    #[error("the topic {topic:?} cannot be stored; rename it")]
    Topic {
        /// As it was given.
        topic: String,
    },
    /// The store has failed for ever (a sync, a write) or is shutting down.
    #[error("{0}")]
    Poisoned(Closed),
    /// Nothing is taken for the moment: flow control, which names its cause.
    #[error("[{cause}] {why}; retry after {} ms", cause.retry_after_ms())]
    Busy {
        /// What is short.
        cause: Busy,
        /// The same in words, with figures and, where somebody can help, the remedy.
        why: String,
    },
}

/// Something stored could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What stands there was a record once and is none any more.
    #[error(
        "the record at offset {offset} of the CommitLog is damaged ({cause}); restore the segment \
         from a copy, or send the message again"
    )]
    Damaged {
        /// Where in the CommitLog.
        offset: PhysicalOffset,
        /// What stands there instead.
        cause: String,
    },
    /// The disk refused.
    #[error("offset {offset} cannot be read: {source}; check the disk")]
    Disk {
        /// Where in the CommitLog.
        offset: PhysicalOffset,
        /// What the disk says.
        source: io::Error,
    },
}

/// The store did not end cleanly: the next start recovers.
#[derive(Debug, thiserror::Error)]
pub enum ShutdownError {
    /// It had failed before, or failed while it flushed.
    #[error("the store had failed: {0}; check the disk, the next start recovers")]
    Poisoned(Closed),
    /// The disk refused the last steps.
    #[error("{what}: {source}; the next start recovers")]
    Disk {
        /// What was tried, naming the path.
        what: String,
        /// What the disk says.
        source: io::Error,
    },
}
