//! One pass over the log that holds everything else against it.

use std::sync::atomic::{AtomicU64, Ordering};

use message::record::View;
use runtime::Disk;

use super::error::InspectError;
use super::finding::{Finding, Findings, Kind, Severity};
use super::index::Index;
use super::json;
use super::queues::{BrokenQueue, Queues};
use super::survey::Survey;
use super::trust::{Page, Trust};
use super::walk::{Bad, Cause, Step, Walk};

/// How a check is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// How many slots an IndexFile has, where its length does not tell: RocketMQ's
    /// `maxHashSlotNum`.
    pub index_slots: Option<u64>,
}

/// What a store holds, as far as it could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Segments of the CommitLog.
    pub log_files: u64,
    /// The offset of the first record.
    pub log_start: u64,
    /// The offset behind the last record.
    pub log_end: u64,
    /// Whole records.
    pub records: u64,
    /// Their bytes.
    pub record_bytes: u64,
    /// ConsumeQueues.
    pub queues: u64,
    /// Their files.
    pub queue_files: u64,
    /// Entries whose record is there.
    pub queue_entries: u64,
    /// Entries whose record was cleaned away, and fillers.
    pub queue_entries_gone: u64,
    /// IndexFiles.
    pub index_files: u64,
    /// Entries whose record is there.
    pub index_entries: u64,
    /// Entries whose record was cleaned away.
    pub index_entries_gone: u64,
    /// Up to where hotfire's checkpoint vouches for everything, if it does.
    pub durable_to: Option<u64>,
    /// The store times of the first and the last record, in ms.
    pub times: Option<[u64; 2]>,
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the store holds.
    pub summary: Summary,
    /// What was found.
    pub findings: Findings,
    pub(super) broken_queues: Vec<BrokenQueue>,
}

impl Report {
    /// Whether nothing was found that is an error.
    pub fn is_sound(&self) -> bool {
        self.findings.count(Severity::Error) == 0
    }

    pub(super) fn add(
        &mut self,
        severity: Severity,
        kind: Kind,
        (file, at): (String, Option<u64>),
        what: impl Into<String>,
    ) {
        self.findings.add(Finding { severity, kind, file, at, what: what.into() });
    }
}

/// Checks a store from end to end and changes nothing. `done` counts the bytes of the log that
/// were read, of [`Survey::log_bytes`].
///
/// # Errors
/// [`InspectError`] when the checkpoint cannot be read; what else cannot be read is a finding.
pub async fn check(
    disk: &Disk,
    survey: &Survey,
    options: CheckOptions,
    done: &AtomicU64,
) -> Result<Report, InspectError> {
    let mut report = Report::default();
    // Before the log: in a store that runs, the log is then never behind its checkpoint.
    let page = check_page(disk, survey, &mut report).await?;
    let trust = Trust { page, unclean: survey.unclean };
    check_names(survey, &mut report);
    check_configs(disk, survey, &mut report).await;
    let log_start = survey.log.first().map_or(0, |piece| piece.base);
    let mut pass = Pass {
        trust,
        queues: Queues::new(disk, &survey.queues, trust, log_start),
        index: Index::new(disk, &survey.indexes, options.index_slots, trust, log_start),
        walk: Walk::new(disk, &survey.log, log_start),
        last_ms: 0,
        report,
    };
    pass.report.summary.log_files = survey.log.len() as u64;
    pass.report.summary.log_start = log_start;
    pass.report.summary.durable_to = page.mark.map(|mark| mark.durable_to);
    while pass.step().await {
        done.store(pass.walk.at().saturating_sub(log_start), Ordering::Relaxed);
    }
    Ok(pass.finish().await)
}

struct Pass<'a> {
    trust: Trust,
    walk: Walk<'a>,
    queues: Queues<'a>,
    index: Index<'a>,
    /// The store time of the last record, in ms.
    last_ms: u64,
    report: Report,
}

impl Pass<'_> {
    /// Takes one step along the log; false at its end.
    async fn step(&mut self) -> bool {
        let at = self.walk.at();
        match self.walk.step().await {
            Step::End => return false,
            Step::Blank => {}
            Step::Bad(bad) => return self.bad(at, &bad),
            Step::Record(record) => match View::parse(&record) {
                Ok(view) => return self.record(&view).await,
                // The walk has parsed it before.
                Err(error) => {
                    let bad = Bad { cause: error.into(), next: None, residue: None };
                    return self.bad(at, &bad);
                }
            },
        }
        self.report.summary.log_end = self.walk.at();
        true
    }

    async fn record(&mut self, view: &View<'_>) -> bool {
        let (at, time) = (view.physical_offset.0, view.store_timestamp);
        let (torn, is_whole) = (view.properties.contains(&0), view.crc_holds());
        if (torn || !is_whole) && !self.trust.covers(at, self.last_ms) {
            // What an unclean end leaves half written.
            self.tail(at, "the record there is torn").await;
            return false;
        }
        let place = |walk: &Walk<'_>| {
            let (file, byte) = walk.file_of(at);
            (file, Some(byte))
        };
        let whose = || format!("{}/{} place {}", view.topic, view.queue_id, view.queue_offset);
        if !is_whole {
            let what = format!("the body of {} at offset {at} is not what was stored", whose());
            self.report.add(Severity::Error, Kind::LogCrc, place(&self.walk), what);
        }
        if torn {
            let what = format!("the properties of {} at offset {at} hold zero bytes", whose());
            self.report.add(Severity::Warning, Kind::LogProperties, place(&self.walk), what);
        }
        if time < self.last_ms {
            let back = self.last_ms - time;
            let what = format!("{} at offset {at} is {back} ms older", whose());
            self.report.add(Severity::Warning, Kind::LogTime, place(&self.walk), what);
        }
        self.last_ms = time;
        let summary = &mut self.report.summary;
        summary.records += 1;
        summary.record_bytes += u64::from(view.store_size);
        summary.log_end = at + u64::from(view.store_size);
        summary.times = Some([summary.times.map_or(time, |[first, _]| first), time]);
        self.queues.record(view, &mut self.report.findings).await;
        self.index.record(view, &mut self.report.findings).await;
        true
    }

    /// No record stands at `at`. Says whether the log goes on behind.
    fn bad(&mut self, at: u64, bad: &Bad) -> bool {
        let (file, byte) = self.walk.file_of(at);
        let place = (file, Some(byte));
        let covered = self.trust.covers(at, self.last_ms);
        let Some(next) = bad.next else {
            return self.ends(at, bad, place);
        };
        let cause = &bad.cause;
        if !covered {
            let what = format!(
                "the log ends at offset {at} ({cause}) and the next start cuts it there, though a \
                 whole record follows at {next}"
            );
            self.report.add(Severity::Warning, Kind::LogTail, place, what);
            return false;
        }
        let lost = next - at;
        let what = format!("offset {at}: {cause}; {lost} bytes are lost, up to offset {next}");
        self.report.add(Severity::Error, kind_of(cause), place, what);
        true
    }

    /// No record stands at `at` or behind it.
    fn ends(&mut self, at: u64, bad: &Bad, place: (String, Option<u64>)) -> bool {
        let cause = &bad.cause;
        let vouched = self.trust.page.mark.is_some_and(|mark| at < mark.durable_to);
        if vouched || matches!(cause, Cause::Disk(_)) {
            let what = format!("offset {at}: {cause}; no record follows");
            self.report.add(Severity::Error, kind_of(cause), place, what);
        } else if let Some(residue) = bad.residue {
            let (severity, kind) = match self.trust.unclean {
                true => (Severity::Note, Kind::LogTail),
                false => (Severity::Warning, Kind::LogResidue),
            };
            let what = format!("the log ends at offset {at} ({cause}); bytes stand at {residue}");
            self.report.add(severity, kind, place, what);
        }
        false
    }

    /// A torn record at `at` ends the log.
    async fn tail(&mut self, at: u64, cause: &str) {
        let (next, _) = self.walk.search(self.walk.at().saturating_sub(1)).await;
        let (file, byte) = self.walk.file_of(at);
        let (severity, more) = match next {
            Some(next) => (
                Severity::Warning,
                format!(" and the next start cuts it there, though a record follows at {next}"),
            ),
            None => (Severity::Note, String::new()),
        };
        let what = format!("the log ends at offset {at} ({cause}){more}");
        self.report.add(severity, Kind::LogTail, (file, Some(byte)), what);
    }

    async fn finish(mut self) -> Report {
        self.queues.finish(&mut self.report.findings).await;
        self.index.finish(&mut self.report.findings).await;
        self.check_ends();
        self.report.broken_queues = self.queues.broken();
        let (queues, index) = (&self.queues.counts, self.index.counts);
        let summary = &mut self.report.summary;
        summary.log_end = summary.log_end.max(summary.log_start);
        (summary.queues, summary.queue_files) = (queues.queues, queues.files);
        (summary.queue_entries, summary.queue_entries_gone) = (queues.entries, queues.gone);
        (summary.index_files, summary.index_entries) = (index.files, index.entries);
        summary.index_entries_gone = index.gone;
        self.report
    }

    /// The checkpoint against the end of the log.
    fn check_ends(&mut self) {
        let Summary { log_start, log_end, records, .. } = self.report.summary;
        let end = log_end.max(log_start);
        let page = self.trust.page;
        let file = || ("checkpoint".to_owned(), None);
        if let Some(mark) = page.mark {
            let to = mark.durable_to;
            if end < to {
                let what = format!("it vouches for {to}, the last whole record ends at {end}");
                self.report.add(Severity::Error, Kind::LogShort, file(), what);
            } else if to < end && !self.trust.unclean {
                let what =
                    format!("{} bytes behind {to} are read again by the next start", end - to);
                self.report.add(Severity::Note, Kind::LogBehind, file(), what);
            }
        }
        for (name, time) in ["physic", "logics", "index"].iter().zip(page.times) {
            if records > 0 && time > self.last_ms {
                let newest = self.last_ms;
                let what = format!("its {name} time is {time}, the newest record's is {newest}");
                self.report.add(Severity::Warning, Kind::CheckpointAhead, file(), what);
            }
        }
    }
}

fn kind_of(cause: &Cause) -> Kind {
    match cause {
        Cause::Position(_) => Kind::LogPosition,
        Cause::Disk(_) => Kind::Unread,
        Cause::Zeros | Cause::Record(_) | Cause::Blank { .. } | Cause::Outside => Kind::LogRecord,
    }
}

async fn check_page(
    disk: &Disk,
    survey: &Survey,
    report: &mut Report,
) -> Result<Page, InspectError> {
    let path = survey.layout.checkpoint();
    let place = || (path.clone(), None);
    let page = match disk.read(&path).await {
        Ok(page) => Page::read(&page),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = "there is no such file";
            report.add(Severity::Note, Kind::CheckpointAbsent, place(), what);
            return Ok(Page::default());
        }
        Err(error) => return Err(InspectError::disk(&path, error)),
    };
    if page.is_void {
        let what = "the checksum of hotfire's mark does not hold";
        report.add(Severity::Warning, Kind::CheckpointVoid, place(), what);
    }
    Ok(page)
}

/// What the names of the files say.
fn check_names(survey: &Survey, report: &mut Report) {
    if survey.unclean {
        let place = (survey.layout.abort(), None);
        let what = "the abort file is there: the broker runs, or its process was killed";
        report.add(Severity::Note, Kind::Unclean, place, what);
    }
    for pair in survey.log.windows(2) {
        let (end, next) = (pair[0].end(), pair[1].base);
        let place = (pair[1].path.clone(), None);
        if end != next {
            let what = format!("the segments before it end at {end}, it starts at {next}");
            report.add(Severity::Error, Kind::LogMissing, place, what);
        } else if pair[0].len != pair[1].len {
            let what = format!("{} bytes, the one before it {}", pair[1].len, pair[0].len);
            report.add(Severity::Warning, Kind::LogLength, place, what);
        }
    }
    for path in &survey.empty {
        report.add(Severity::Note, Kind::EmptyFile, (path.clone(), None), "it has no bytes");
    }
    for path in &survey.foreign {
        let what = "no file of a store has this name";
        report.add(Severity::Note, Kind::Foreign, (path.clone(), None), what);
    }
    for path in &survey.unchecked {
        let what = "a part of other versions of RocketMQ, or a temporary file";
        report.add(Severity::Note, Kind::Unchecked, (path.clone(), None), what);
    }
}

async fn check_configs(disk: &Disk, survey: &Survey, report: &mut Report) {
    for (path, [current, backup]) in survey.config_pairs() {
        let readable = |entry: Option<String>| async move {
            let path = entry?;
            Some(match disk.read(&path).await {
                Ok(text) => json::check(&text),
                Err(error) => Err(error.to_string()),
            })
        };
        let place = || (path.to_owned(), None);
        let saved = readable(backup.map(|entry| entry.name.clone())).await;
        let saved = match &saved {
            Some(Ok(())) => "its .bak reads",
            Some(Err(_)) => "its .bak does not read either",
            None => "there is no .bak",
        };
        match readable(current.map(|entry| entry.name.clone())).await {
            Some(Ok(())) => {}
            Some(Err(why)) => {
                let what = format!("{why}; {saved}");
                report.add(Severity::Error, Kind::ConfigText, place(), what);
            }
            None => {
                let what = format!("there is no such file; {saved}");
                report.add(Severity::Error, Kind::ConfigMissing, place(), what);
            }
        }
    }
}
