//! What can be put right without knowing anything that the log does not say.
//!
//! *Invariant:* no byte of the CommitLog is touched. What is removed is derived from it and made
//! again by the next start, or says nothing. A torn tail is recovery's work, not a tool's.

use runtime::Disk;

use super::check::Report;
use super::error::InspectError;
use super::finding::{Kind, Severity};
use super::json;
use super::survey::Survey;

/// Bytes of the checkpoint that are RocketMQ's; hotfire's mark stands behind them.
const ROCKETMQ_LEN: usize = 64;

/// One thing that a repair does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Removes files, the last first.
    Remove(Vec<String>),
    /// Keeps RocketMQ's times in the checkpoint and drops hotfire's mark.
    DropMark(String),
    /// Puts the second file's text in the place of the first.
    Restore(String, String),
}

/// A remedy and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub remedy: Remedy,
    /// To what, in words.
    pub what: String,
    /// Why, in one sentence.
    pub why: &'static str,
    /// How many bytes it removes.
    pub bytes: u64,
}

/// What a repair would do, and what it leaves alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is broken and not mended here, with the reason.
    pub left: Vec<String>,
    /// What the next start of hotfire makes anew: what the steps remove, or what was removed.
    pub awaited: Vec<String>,
}

impl Plan {
    /// What to do about a report.
    pub async fn of(disk: &Disk, survey: &Survey, report: &Report) -> Self {
        let mut plan = Self::default();
        plan.remove_empty(survey);
        plan.drop_mark(survey, report);
        plan.restore_configs(disk, survey).await;
        let log_errors = report.findings.groups().any(|(severity, kind, _)| {
            severity == Severity::Error && (is_of_log(kind) || kind == Kind::Unread)
        });
        plan.rebuild_queues(survey, report, log_errors);
        plan.rebuild_index(survey, report, log_errors);
        if log_errors {
            let text = "the CommitLog is damaged: restore the segment from a copy; what is there \
                        is never cut or changed by a tool";
            plan.left.push(text.into());
        }
        plan
    }

    fn add(&mut self, remedy: Remedy, what: impl Into<String>, why: &'static str, bytes: u64) {
        self.steps.push(Step { remedy, what: what.into(), why, bytes });
    }

    fn remove_empty(&mut self, survey: &Survey) {
        for path in &survey.empty {
            let why = "it has no bytes: a creation that was cut short";
            self.add(Remedy::Remove(vec![path.clone()]), path, why, 0);
        }
    }

    fn drop_mark(&mut self, survey: &Survey, report: &Report) {
        if report.findings.has(Severity::Warning, Kind::CheckpointVoid) {
            let path = survey.layout.checkpoint();
            let why = "its checksum does not hold, so it vouches for nothing";
            self.add(Remedy::DropMark(path), "hotfire's mark in the checkpoint", why, 0);
        }
    }

    async fn restore_configs(&mut self, disk: &Disk, survey: &Survey) {
        for (path, [current, backup]) in survey.config_pairs() {
            let Some(backup) = backup else { continue };
            if let Some(current) = current
                && reads(disk, &current.name).await
            {
                continue;
            }
            if reads(disk, &backup.name).await {
                let why = "it is no JSON or not there, and its .bak is";
                self.add(Remedy::Restore(path.to_owned(), backup.name.clone()), path, why, 0);
            } else {
                self.left.push(format!("{path}: neither it nor its .bak reads; write it anew"));
            }
        }
    }

    fn rebuild_queues(&mut self, survey: &Survey, report: &Report, log_errors: bool) {
        for broken in &report.broken_queues {
            let name = format!("consumequeue/{}/{}", broken.topic, broken.queue_id);
            if log_errors {
                self.left.push(format!("{name}: not before the CommitLog is whole again"));
                continue;
            }
            if !broken.is_in_log {
                // Filled from nothing it would begin at place 0, and consumers are far beyond.
                let text = "the CommitLog has no message of it that would tell where it stands";
                self.left.push(format!("{name}: {text}"));
                continue;
            }
            let files = survey
                .queues
                .iter()
                .find(|files| files.topic == broken.topic && files.queue_id == broken.queue_id);
            let Some(files) = files else { continue };
            let name = files.directory.clone();
            self.awaited.push(name.clone());
            if files.pieces.is_empty() {
                continue;
            }
            let bytes = files.pieces.iter().map(|piece| piece.len).sum();
            let paths = files.pieces.iter().map(|piece| piece.path.clone()).collect();
            let why = "its entries are wrong; the next start of hotfire fills it from the log";
            self.add(Remedy::Remove(paths), name, why, bytes);
        }
    }

    fn rebuild_index(&mut self, survey: &Survey, report: &Report, log_errors: bool) {
        use Kind::{IndexChain, IndexEntry, IndexFile, IndexHeader, IndexMissing};
        let is_broken = [IndexChain, IndexEntry, IndexFile, IndexHeader, IndexMissing]
            .iter()
            .any(|kind| report.findings.has(Severity::Error, *kind));
        if !is_broken {
            return;
        }
        if log_errors {
            self.left.push("index: not before the CommitLog is whole again".into());
            return;
        }
        self.awaited.push("index".into());
        let bytes = survey.indexes.iter().map(|file| file.len).sum();
        let paths = survey.indexes.iter().map(|file| file.name.clone()).collect();
        let why = "its entries are wrong; the next start of hotfire builds it from the log";
        self.add(Remedy::Remove(paths), "index", why, bytes);
    }
}

/// Does what a plan says, each step durably before the next: again after a crash is harmless. The
/// caller holds the store's lock.
///
/// # Errors
/// [`InspectError`] when the disk refuses; the steps before stand.
pub async fn repair(disk: &Disk, plan: &Plan) -> Result<(), InspectError> {
    for step in &plan.steps {
        match &step.remedy {
            Remedy::Remove(paths) => {
                // The last first, so that a crash leaves no hole between files.
                for path in paths.iter().rev() {
                    remove(disk, path).await.map_err(|error| InspectError::disk(path, error))?;
                }
            }
            Remedy::DropMark(path) => {
                let failed = |error| InspectError::disk(path, error);
                let mut page = disk.read(path).await.map_err(failed)?.to_vec();
                let len = page.len().min(ROCKETMQ_LEN);
                page[len..].fill(0);
                disk.replace(path, &page).await.map_err(failed)?;
            }
            Remedy::Restore(path, from) => {
                let failed = |error| InspectError::disk(path, error);
                let text = disk.read(from).await.map_err(failed)?;
                disk.replace(path, &text).await.map_err(failed)?;
            }
        }
    }
    Ok(())
}

async fn remove(disk: &Disk, path: &str) -> std::io::Result<()> {
    disk.remove_file(path).await?;
    disk.sync_dir(path.rsplit_once('/').map_or("", |(directory, _)| directory)).await
}

async fn reads(disk: &Disk, path: &str) -> bool {
    disk.read(path).await.is_ok_and(|text| json::check(&text).is_ok())
}

fn is_of_log(kind: Kind) -> bool {
    use Kind::{LogCrc, LogMissing, LogPosition, LogRecord, LogShort};
    matches!(kind, LogCrc | LogMissing | LogPosition | LogRecord | LogShort)
}
