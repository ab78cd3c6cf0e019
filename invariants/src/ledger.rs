//! The faults that were really applied. An excuse that quotes no entry of it is none.

use std::ops::Range;

use serde::Serialize;

/// How long an entry of a ConsumeQueue is.
const ENTRY_LEN: u64 = 20;

/// One kind of fault, or a step in a node's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Fault {
    /// PK: the process died; what it had written to files stays.
    ProcessKill,
    /// PL: the power failed; what was not synced may be lost or torn.
    PowerLoss,
    /// DL: the disk was lost or wiped.
    DiskLost,
    /// BR: bytes of a file changed by themselves.
    BitRot {
        /// The file.
        path: String,
        /// Where in it the changed bytes begin.
        offset: u64,
        /// How many bytes may have changed.
        len: u64,
    },
    /// MW: the device wrote a page elsewhere than it was told. Each such write has two entries: the
    /// place that kept its old bytes, and the place that was written over.
    Misdirected {
        /// The file.
        path: String,
        /// Where in it the wrong bytes begin.
        offset: u64,
        /// How many bytes may be wrong.
        len: u64,
    },
    /// FE: a sync returned an error.
    SyncError {
        /// The file or directory.
        path: String,
    },
    /// FE: a write or a read returned an error.
    InputOutputError {
        /// The file.
        path: String,
    },
    /// NS: a write or a creation found no space.
    NoSpace,
    /// ST: the process or its disk stands still, or is so slow that flushes come late.
    Stall {
        /// For how long from now on; `u64::MAX` while nobody knows.
        for_ms: u64,
    },
    /// EV: memory was tight and the kernel dropped the pages that it took for clean, also those
    /// that a failed sync had left unwritten.
    PagesEvicted,
    /// NP: something between this node and others: partition, loss, reset, delay.
    Network {
        /// What, in words.
        what: String,
        /// For how long from now on.
        for_ms: u64,
    },
    /// CJ: the wall clock jumped, or runs wrong.
    Clock {
        /// By how much it is off from now on, in ms.
        off_by_ms: i64,
    },
    /// RT: the node deleted the head of its log, or what it takes for it.
    Deleted(Deletion),
    /// The node was started and serves; a fault that only a process remembers ends here.
    Started,
    /// The node was asked to stop and did.
    Stopped,
    /// The node itself said that it can go on no more; its process is ended behind this entry.
    GaveUp,
}

impl Fault {
    /// Two letters for reports and for the coverage table.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::ProcessKill => "PK",
            Fault::PowerLoss => "PL",
            Fault::DiskLost => "DL",
            Fault::BitRot { .. } => "BR",
            Fault::Misdirected { .. } => "MW",
            Fault::SyncError { .. } | Fault::InputOutputError { .. } => "FE",
            Fault::NoSpace => "NS",
            Fault::Stall { .. } => "ST",
            Fault::PagesEvicted => "EV",
            Fault::Network { .. } => "NP",
            Fault::Clock { .. } => "CJ",
            Fault::Deleted(_) => "RT",
            Fault::Started => "UP",
            Fault::Stopped => "DN",
            Fault::GaveUp => "GU",
        }
    }

    /// The file and the bytes of it that are not what was written there, and nobody was told.
    pub fn damage(&self) -> Option<(&str, Range<u64>)> {
        match self {
            Fault::BitRot { path, offset, len } | Fault::Misdirected { path, offset, len } => {
                Some((path, *offset..offset.saturating_add(*len)))
            }
            _ => None,
        }
    }

    /// Whether it damages a CommitLog.
    pub fn is_log_damage(&self) -> bool {
        self.damage().is_some_and(|(path, _)| is_log(path))
    }

    /// Whether it damages a part of these bytes of a CommitLog.
    fn strikes(&self, log: &Range<u64>) -> bool {
        let Some((path, range)) = self.damage().filter(|(path, _)| is_log(path)) else {
            return false;
        };
        let base = path.rsplit('/').next().and_then(|name| name.parse::<u64>().ok());
        base.is_some_and(|base| {
            base + range.start < log.end && log.start < base.saturating_add(range.end)
        })
    }

    /// Whether it damages a part of the entry of a ConsumeQueue at that place.
    fn strikes_entry(&self, (topic, queue_id): (&str, u32), place: u64) -> bool {
        let Some((path, range)) = self.damage() else { return false };
        let mut parts = path.rsplit('/');
        let base = parts.next().and_then(|name| name.parse::<u64>().ok());
        let is_it = parts.next().and_then(|id| id.parse().ok()) == Some(queue_id)
            && parts.next() == Some(topic)
            && parts.next() == Some("consumequeue");
        let entry = place * ENTRY_LEN..(place + 1) * ENTRY_LEN;
        base.filter(|_| is_it).is_some_and(|base| {
            base + range.start < entry.end && entry.start < base.saturating_add(range.end)
        })
    }

    /// Whether it ends the process of its node.
    pub fn ends(&self) -> bool {
        matches!(self, Fault::ProcessKill | Fault::PowerLoss | Fault::DiskLost | Fault::Stopped)
    }

    /// Whether it is a sync of a CommitLog file, or of their directory, that failed.
    pub fn is_log_sync_error(&self) -> bool {
        matches!(self, Fault::SyncError { path } if is_log(path))
    }

    /// Whether it is a sync, a write or a read of the CommitLog that failed.
    pub fn is_log_error(&self) -> bool {
        match self {
            Fault::SyncError { path } | Fault::InputOutputError { path } => is_log(path),
            _ => false,
        }
    }

    /// Whether it is a sync, a write or a read that failed, whatever the file.
    pub fn is_disk_error(&self) -> bool {
        matches!(self, Fault::SyncError { .. } | Fault::InputOutputError { .. })
    }

    /// Where the CommitLog file starts whose sync failed.
    pub fn failed_log_sync_base(&self) -> Option<u64> {
        let Fault::SyncError { path } = self else { return None };
        path.rsplit('/').next().filter(|_| is_log(path))?.parse().ok()
    }
}

/// Whether a path is of the CommitLog: a file, or the directory.
fn is_log(path: &str) -> bool {
    path.split('/').any(|part| part == "commitlog")
}

/// One file of a CommitLog that a program removed while newer ones were left: not the cut of a
/// recovery, which takes the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deletion {
    /// Where the file started.
    pub base: u64,
    /// Where it ended: nothing below is owed any more.
    pub end: u64,
    /// When its newest record was stored, in ms; `None` without a record.
    pub newest_ms: Option<u64>,
    /// The true time of the removal in ms; a node without a clock fault shows the same.
    pub at_ms: u64,
    /// So long the node keeps records, in ms.
    pub kept_ms: u64,
    /// How full the disk was, in percent of its size.
    pub used_percent: u64,
    /// Above this the node deletes whatever the age.
    pub forcible_percent: u64,
    /// Whether an older file was left.
    pub older_left: bool,
    /// Whether no newer file held a record.
    pub was_last: bool,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its place in the ledger.
    pub index: usize,
    /// When, in ms of true time.
    pub at_ms: u64,
    /// The node it struck.
    pub node: String,
    /// What it was.
    pub fault: Fault,
}

/// All faults of a run so far, in order of true time. Only ever appended to.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Vec<Entry>);

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault that was applied, and returns its index.
    ///
    /// # Panics
    /// When `at_ms` lies before the last entry.
    pub fn append(&mut self, at_ms: u64, node: impl Into<String>, fault: Fault) -> usize {
        let index = self.0.len();
        assert!(
            self.0.last().is_none_or(|last| last.at_ms <= at_ms),
            "true time does not run back"
        );
        self.0.push(Entry { index, at_ms, node: node.into(), fault });
        index
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entries of one node, oldest first.
    pub fn of<'a>(&'a self, node: &str) -> impl DoubleEndedIterator<Item = &'a Entry> {
        self.0.iter().filter(move |entry| entry.node == node)
    }

    /// Why `node` does not run now: the fault that ended it, if no start followed.
    pub fn down(&self, node: &str) -> Option<&Entry> {
        let is_step = |entry: &&Entry| entry.fault.ends() || entry.fault == Fault::Started;
        self.of(node).rev().find(is_step).filter(|entry| entry.fault.ends())
    }

    /// The entries of `node` since it was last started before `until_ms`, up to then.
    pub fn since_start(&self, node: &str, until_ms: u64) -> Vec<&Entry> {
        let mut since: Vec<&Entry> = Vec::new();
        for entry in self.of(node).take_while(|entry| entry.at_ms <= until_ms) {
            if entry.fault == Fault::Started {
                since.clear();
            }
            since.push(entry);
        }
        since
    }

    /// The first sync, write or read of `node`'s log that failed since it was last started.
    pub fn failed_log(&self, node: &str) -> Option<&Entry> {
        let since = self.since_start(node, u64::MAX);
        since.into_iter().find(|entry| entry.fault.is_log_error())
    }

    /// The deletions of one node, oldest first.
    pub fn deletions<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Deletion> {
        self.of(node).filter_map(|entry| match &entry.fault {
            Fault::Deleted(deletion) => Some(deletion),
            _ => None,
        })
    }

    /// The deletions of one node since its last process ended, newest first: while it starts, what
    /// this start deleted, because the disk was full for instance.
    pub fn deletions_since_end<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a Deletion> {
        let since = self.of(node).rev().take_while(|entry| !entry.fault.ends());
        since.filter_map(|entry| match &entry.fault {
            Fault::Deleted(deletion) => Some(deletion),
            _ => None,
        })
    }

    /// Whether an entry of `node` damages a part of these bytes of its CommitLog.
    pub fn is_struck(&self, node: &str, log: &Range<u64>) -> bool {
        self.of(node).any(|entry| entry.fault.strikes(log))
    }

    /// The same since its last process ended: while it starts, what struck during this start.
    pub fn is_struck_since_end(&self, node: &str, log: &Range<u64>) -> bool {
        let mut since = self.of(node).rev().take_while(|entry| !entry.fault.ends());
        since.any(|entry| entry.fault.strikes(log))
    }

    /// Whether an entry of `node` damages the entry of a ConsumeQueue at that place.
    pub fn is_entry_struck(&self, node: &str, queue: (&str, u32), place: u64) -> bool {
        self.of(node).any(|entry| entry.fault.strikes_entry(queue, place))
    }

    /// The same since its last process ended.
    pub fn is_entry_struck_since_end(&self, node: &str, queue: (&str, u32), place: u64) -> bool {
        let mut since = self.of(node).rev().take_while(|entry| !entry.fault.ends());
        since.any(|entry| entry.fault.strikes_entry(queue, place))
    }

    /// The first entry of `node` that damages what its CommitLog holds.
    pub fn log_rot(&self, node: &str) -> Option<&Entry> {
        self.of(node).find(|entry| entry.fault.damage().is_some_and(|(path, _)| is_log(path)))
    }
}
