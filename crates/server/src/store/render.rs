//! What a check found, for people and for machines.

use std::time::Duration;

use serde_json::{Value, json};
use store::inspect::{FINDINGS_PER_KIND_MAX, Findings, Report, Severity, Summary};

use super::colour::Colours;
use crate::text::{grouped, utc};

/// The findings, worst last, so that they stand next to the verdict.
pub(super) fn findings(findings: &Findings, colours: &Colours) -> String {
    let mut text = String::new();
    let groups: Vec<_> = findings.groups().collect();
    for (severity, kind, group) in groups.into_iter().rev() {
        let (colour, dim, green, off) =
            (colours.of(severity), colours.dim, colours.green, colours.off);
        let (name, count) = (severity.name(), grouped(group.count));
        text += &format!("{colour}{name:7}{off}  {} [{}] × {count}\n", kind.title(), kind.name());
        for finding in &group.kept {
            let byte = finding.at.map_or_else(String::new, |at| format!(" byte {at}"));
            text += &format!("         {}{byte}: {}\n", finding.file, finding.what);
        }
        let hidden = group.count - group.kept.len() as u64;
        if hidden > 0 {
            let max = FINDINGS_PER_KIND_MAX;
            let hidden = grouped(hidden);
            text += &format!("         {dim}… and {hidden} more; {max} of a kind are shown{off}\n");
        }
        text += &format!("{green}try:{off}     {}\n\n", kind.remedy());
    }
    text
}

/// What the store holds, as a table.
pub(super) fn summary(summary: &Summary) -> String {
    let mut rows: Vec<(&str, String)> = vec![
        ("CommitLog segments", grouped(summary.log_files)),
        ("from offset", grouped(summary.log_start)),
        ("to offset", grouped(summary.log_end)),
        ("records", grouped(summary.records)),
        ("bytes of records", grouped(summary.record_bytes)),
        ("ConsumeQueues", grouped(summary.queues)),
        ("their files", grouped(summary.queue_files)),
        ("their entries", grouped(summary.queue_entries)),
        ("of cleaned messages", grouped(summary.queue_entries_gone)),
        ("IndexFiles", grouped(summary.index_files)),
        ("their entries", grouped(summary.index_entries)),
        ("of cleaned messages", grouped(summary.index_entries_gone)),
    ];
    if let Some(durable_to) = summary.durable_to {
        rows.push(("vouched for up to", grouped(durable_to)));
    }
    if let Some([oldest, newest]) = summary.times {
        rows.push(("oldest message", utc(oldest)));
        rows.push(("newest message", utc(newest)));
    }
    let name_len = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let value_len = rows.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0);
    let rows = rows.iter().map(|(name, value)| format!("{name:name_len$}  {value:>value_len$}\n"));
    rows.collect()
}

/// The last line.
pub(super) fn verdict(report: &Report, elapsed: Duration, colours: &Colours) -> String {
    let off = colours.off;
    let word = match report.is_sound() {
        true => format!("{}sound{off}", colours.green),
        false => format!("{}damaged{off}", colours.red),
    };
    let counted = |severity: Severity, many: &str| {
        let count = report.findings.count(severity);
        format!("{} {}", grouped(count), if count == 1 { severity.name() } else { many })
    };
    let counts = [
        counted(Severity::Error, "errors"),
        counted(Severity::Warning, "warnings"),
        counted(Severity::Note, "notes"),
    ];
    let bytes = read_bytes(&report.summary);
    let (seconds, rate) = (elapsed.as_secs_f64(), megabytes_per_second(bytes, elapsed));
    let megabytes = bytes as f64 / 1e6;
    format!(
        "{word}: {} · {megabytes:.1} MB of log in {seconds:.2} s, {rate:.0} MB/s\n",
        counts.join(", ")
    )
}

/// All of it as one object.
pub(super) fn object(report: &Report, elapsed: Duration) -> Value {
    let Summary { times, .. } = report.summary;
    let groups = report.findings.groups().map(|(severity, kind, group)| {
        let shown = group.kept.iter().map(
            |finding| json!({ "file": finding.file, "byte": finding.at, "what": finding.what }),
        );
        json!({
            "severity": severity.name(),
            "kind": kind.name(),
            "title": kind.title(),
            "try": kind.remedy(),
            "count": group.count,
            "shown": shown.collect::<Vec<_>>(),
        })
    });
    json!({
        "sound": report.is_sound(),
        "errors": report.findings.count(Severity::Error),
        "warnings": report.findings.count(Severity::Warning),
        "notes": report.findings.count(Severity::Note),
        "seconds": elapsed.as_secs_f64(),
        "megabytesPerSecond": megabytes_per_second(read_bytes(&report.summary), elapsed),
        "shownPerKindMax": FINDINGS_PER_KIND_MAX,
        "findings": groups.collect::<Vec<_>>(),
        "logFiles": report.summary.log_files,
        "logStart": report.summary.log_start,
        "logEnd": report.summary.log_end,
        "records": report.summary.records,
        "recordBytes": report.summary.record_bytes,
        "queues": report.summary.queues,
        "queueFiles": report.summary.queue_files,
        "queueEntries": report.summary.queue_entries,
        "queueEntriesGone": report.summary.queue_entries_gone,
        "indexFiles": report.summary.index_files,
        "indexEntries": report.summary.index_entries,
        "indexEntriesGone": report.summary.index_entries_gone,
        "durableTo": report.summary.durable_to,
        "oldestMs": times.map(|[oldest, _]| oldest),
        "newestMs": times.map(|[_, newest]| newest),
    })
}

fn read_bytes(summary: &Summary) -> u64 {
    summary.log_end - summary.log_start
}

fn megabytes_per_second(bytes: u64, elapsed: Duration) -> f64 {
    bytes as f64 / 1e6 / elapsed.as_secs_f64().max(1e-9)
}
