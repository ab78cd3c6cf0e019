//! What a check finds: kinds, how bad each is, and where, with a bound on how many are kept.

use std::collections::BTreeMap;

/// How many findings of one kind are kept whole; the others are only counted.
pub const FINDINGS_PER_KIND_MAX: usize = 20;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the next start deals with it, or there is nothing to do.
    Note,
    /// Something is odd, but no message is lost or misplaced by it.
    Warning,
    /// What the files say contradicts itself: messages are lost, damaged or not found.
    Error,
}

impl Severity {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table in `Kind::row` says what each one is")]
pub enum Kind {
    Unread,
    LogMissing,
    LogRecord,
    LogPosition,
    LogCrc,
    LogProperties,
    LogShort,
    LogTail,
    LogResidue,
    LogBehind,
    LogLength,
    LogTime,
    PlaceGap,
    PlaceTwice,
    QueueMissing,
    QueueEntry,
    QueueTags,
    QueueDangling,
    QueueFile,
    IndexFile,
    IndexHeader,
    IndexChain,
    IndexEntry,
    IndexMissing,
    IndexLayout,
    CheckpointVoid,
    CheckpointAhead,
    CheckpointAbsent,
    Unclean,
    ConfigText,
    ConfigMissing,
    EmptyFile,
    Unchecked,
    Foreign,
}

const RESTORE: &str = "restore the segment from a copy, or let a slave take over; a start cuts \
                       nothing that was durable";
const REBUILD_QUEUES: &str = "`hotfire store repair` removes the ConsumeQueue; the next start of \
                              hotfire fills it again from the CommitLog";
const REBUILD_INDEX: &str = "`hotfire store repair` removes the index; the next start of hotfire \
                             builds it again from the CommitLog";
const NEXT_START: &str = "nothing to do: the next start deals with it";

impl Kind {
    /// Its name for machines, what it is, and what to do about it.
    fn row(self) -> [&'static str; 3] {
        match self {
            Self::Unread => ["unread", "what the disk refuses to read", "check the disk"],
            Self::LogMissing => ["log-missing", "a CommitLog segment is missing", RESTORE],
            Self::LogRecord => ["log-record", "no record where one should stand", RESTORE],
            Self::LogPosition => ["log-position", "a record says it stands elsewhere", RESTORE],
            Self::LogCrc => ["log-crc", "a body without the checksum it was stored with", RESTORE],
            Self::LogProperties => [
                "log-properties",
                "zero bytes in properties, as a tear leaves them",
                "compare with a copy; the checksum covers the body alone",
            ],
            Self::LogShort => {
                ["log-short", "the CommitLog ends before what the checkpoint vouches for", RESTORE]
            }
            Self::LogTail => [
                "log-tail",
                "behind the last whole record something was left by an unclean end",
                "nothing to do: the next start ends the log there and zeroes what is behind",
            ],
            Self::LogResidue => [
                "log-residue",
                "bytes behind the end of the CommitLog",
                "the next start of hotfire zeroes them; RocketMQ may read them as messages again",
            ],
            Self::LogBehind => [
                "log-behind",
                "the CommitLog goes on behind what the checkpoint vouches for",
                NEXT_START,
            ],
            Self::LogLength => [
                "log-length",
                "CommitLog segments of different lengths",
                "hotfire reads them; RocketMQ refuses to start with them",
            ],
            Self::LogTime => [
                "log-time",
                "a store time before that of the record before",
                "the machine's clock stepped back, or old records came back to life; searches by \
                 time are inexact there",
            ],
            Self::PlaceGap => [
                "place-gap",
                "places of a queue that no record in the CommitLog has",
                "messages are missing between the two: look for damage in the CommitLog",
            ],
            Self::PlaceTwice => [
                "place-twice",
                "a place of a queue that two records have",
                "only one of them can be consumed; `hotfire store dump` shows both",
            ],
            Self::QueueMissing => {
                ["queue-missing", "records without their ConsumeQueue entry", REBUILD_QUEUES]
            }
            Self::QueueEntry => {
                ["queue-entry", "a ConsumeQueue entry that is not its record's", REBUILD_QUEUES]
            }
            Self::QueueTags => [
                "queue-tags",
                "a tags code that is not the record's",
                "filters and delays go wrong for it; `hotfire store repair` rebuilds the queue",
            ],
            Self::QueueDangling => {
                ["queue-dangling", "a ConsumeQueue entry without a record", REBUILD_QUEUES]
            }
            Self::QueueFile => {
                ["queue-file", "a ConsumeQueue file that does not fit the others", REBUILD_QUEUES]
            }
            Self::IndexFile => {
                ["index-file", "an IndexFile that does not fit the others", REBUILD_INDEX]
            }
            Self::IndexHeader => {
                ["index-header", "an IndexFile's header contradicts its entries", REBUILD_INDEX]
            }
            Self::IndexChain => ["index-chain", "a broken chain in an IndexFile", REBUILD_INDEX],
            Self::IndexEntry => {
                ["index-entry", "an index entry whose record has no such key", REBUILD_INDEX]
            }
            Self::IndexMissing => {
                ["index-missing", "keys that the index does not have", REBUILD_INDEX]
            }
            Self::IndexLayout => [
                "index-layout",
                "an IndexFile whose number of slots is unknown; it was not checked",
                "give --index-slots N, the broker's maxHashSlotNum",
            ],
            Self::CheckpointVoid => [
                "checkpoint-void",
                "a checkpoint whose mark does not hold",
                "another broker ran in between, or it is damaged; the next start reads the whole \
                 CommitLog. `hotfire store repair` drops the mark",
            ],
            Self::CheckpointAhead => [
                "checkpoint-ahead",
                "a checkpoint that is ahead of the CommitLog",
                "look for a lost segment; RocketMQ would recover from too late a place",
            ],
            Self::CheckpointAbsent => [
                "checkpoint-absent",
                "no checkpoint vouches for anything",
                "nothing to do: the next start reads the whole CommitLog",
            ],
            Self::Unclean => [
                "unclean",
                "the store was not shut down cleanly",
                "nothing to do: the next start recovers",
            ],
            Self::ConfigText => [
                "config-text",
                "a configuration file that is no JSON",
                "`hotfire store repair` restores it from .bak, if that one reads",
            ],
            Self::ConfigMissing => [
                "config-missing",
                "a configuration file of which only the .bak is there",
                "`hotfire store repair` restores it",
            ],
            Self::EmptyFile => [
                "empty-file",
                "a file without bytes, the rest of a creation that was cut short",
                "nothing to do for hotfire; RocketMQ refuses to start with it: `hotfire store \
                 repair` removes it",
            ],
            Self::Unchecked => ["unchecked", "files that are not checked here", "nothing to do"],
            Self::Foreign => [
                "foreign",
                "files that do not belong to a store",
                "move them away if they are not yours; RocketMQ refuses to start with some",
            ],
        }
    }

    /// Its name for machines.
    pub fn name(self) -> &'static str {
        self.row()[0]
    }

    /// What it is.
    pub fn title(self) -> &'static str {
        self.row()[1]
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.row()[2]
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub kind: Kind,
    /// The file, from the store's root; of a directory when it is about all in it.
    pub file: String,
    /// The byte in that file, if it is about one.
    pub at: Option<u64>,
    /// What is wrong there, in one sentence.
    pub what: String,
}

/// Everything found of one kind and severity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many there are.
    pub count: u64,
    /// The first of them, [`FINDINGS_PER_KIND_MAX`] at most.
    pub kept: Vec<Finding>,
}

/// All findings, worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    groups: BTreeMap<(std::cmp::Reverse<Severity>, Kind), Group>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        let key = (std::cmp::Reverse(finding.severity), finding.kind);
        let group = self.groups.entry(key).or_default();
        group.count += 1;
        if group.kept.len() < FINDINGS_PER_KIND_MAX {
            group.kept.push(finding);
        }
    }

    /// By severity, worst first, and kind.
    pub fn groups(&self) -> impl Iterator<Item = (Severity, Kind, &Group)> {
        self.groups.iter().map(|((severity, kind), group)| (severity.0, *kind, group))
    }

    /// How many of a severity there are.
    pub fn count(&self, severity: Severity) -> u64 {
        let of = self.groups().filter(|(found, ..)| *found == severity);
        of.map(|(.., group)| group.count).sum()
    }

    /// Whether there is one of this kind and severity.
    pub fn has(&self, severity: Severity, kind: Kind) -> bool {
        self.groups.contains_key(&(std::cmp::Reverse(severity), kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_beyond_what_is_kept() {
        let mut findings = Findings::default();
        for at in 0..50 {
            let (severity, kind) = (Severity::Error, Kind::LogCrc);
            let file = "commitlog/0".to_owned();
            findings.add(Finding { severity, kind, file, at: Some(at), what: String::new() });
        }
        assert_eq!(findings.count(Severity::Error), 50);
        assert_eq!(findings.count(Severity::Note), 0);
        let (_, _, group) = findings.groups().next().unwrap();
        assert_eq!(group.kept.len(), FINDINGS_PER_KIND_MAX);
    }
}
