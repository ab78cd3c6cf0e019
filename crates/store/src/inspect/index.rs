//! The IndexFiles beside the log: every key has its entry, every entry its key, every chain holds.
//!
//! Entries stand in the order of the log, so both are read once, side by side. Memory: four bytes
//! a slot of the file that is read, [`SLOTS_MAX`] slots at most.
//!
//! ```text
//! header 40: begin time 8 │ end time 8 │ begin offset 8 │ end offset 8 │ slots 4 │ next entry 4
//! slots × 4: the newest entry of the chain, 0 for none
//! entries × 20, the first unused: key hash 4 │ log offset 8 │ seconds after begin 4 │ previous 4
//! ```

use bytes::Bytes;
use message::record::View;
use message::{TransactionType, java_hash, property};
use runtime::{Disk, Entry as File};

use super::finding::{Finding, Findings, Kind, Severity};
use super::trust::Trust;
use super::window::Window;

const HEADER_LEN: u64 = 40;
const SLOT_LEN: u64 = 4;
const ENTRY_LEN: u64 = 20;
/// RocketMQ's slots unless configured otherwise, and the length of its files then.
const SLOTS_STANDARD: u64 = 5_000_000;
const LEN_STANDARD: u64 = 420_000_040;
/// The most slots that are held in memory.
pub(super) const SLOTS_MAX: u64 = 1 << 28;

/// What the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) files: u64,
    /// Entries that have a record.
    pub(super) entries: u64,
    /// Entries whose record was cleaned away.
    pub(super) gone: u64,
}

/// One entry.
#[derive(Clone, Copy)]
struct Entry {
    number: u64,
    hash: u32,
    at: u64,
    seconds: i32,
    previous: u32,
}

/// The file that is read now.
struct Open {
    path: String,
    window: Window,
    slots: u64,
    begin_ms: u64,
    begin_at: u64,
    end_at: u64,
    /// The number behind its last entry.
    count: u64,
    /// The number of the next entry.
    next: u64,
    /// The newest entry of each slot so far.
    newest: Vec<u32>,
    /// Where the last entry's record stands.
    last_at: u64,
}

/// All IndexFiles, where the log has come to.
pub(super) struct Index<'a> {
    disk: &'a Disk,
    files: std::slice::Iter<'a, File>,
    slots: Option<u64>,
    trust: Trust,
    log_start: u64,
    open: Option<Open>,
    pending: Option<Entry>,
    /// The key that is hashed: topic#key.
    key: String,
    hashes: Vec<(u32, bool)>,
    /// Whether a file could not be checked, so that nothing can be missed.
    is_partial: bool,
    pub(super) counts: Counts,
}

impl<'a> Index<'a> {
    /// The files, by name. `slots` is how many each has, if it is known.
    pub(super) fn new(
        disk: &'a Disk,
        files: &'a [File],
        slots: Option<u64>,
        trust: Trust,
        log_start: u64,
    ) -> Self {
        let counts = Counts { files: files.len() as u64, ..Counts::default() };
        Self {
            disk,
            files: files.iter(),
            slots,
            trust,
            log_start,
            open: None,
            pending: None,
            key: String::new(),
            hashes: Vec::new(),
            is_partial: false,
            counts,
        }
    }

    /// Compares a record of the log with the index.
    pub(super) async fn record(&mut self, view: &View<'_>, findings: &mut Findings) {
        if self.counts.files == 0 {
            return;
        }
        self.hash_keys(view);
        let (at, time) = (view.physical_offset.0, view.store_timestamp);
        self.pass_until(at, findings).await;
        while let Some(entry) = self.peek(findings).await.filter(|entry| entry.at == at) {
            self.pending = None;
            let known = self.hashes.iter_mut().find(|(hash, _)| *hash == entry.hash);
            match known {
                Some((_, seen)) => {
                    *seen = true;
                    self.counts.entries += 1;
                    self.check_seconds(&entry, time, findings);
                }
                None => {
                    let what = format!("entry {} has a hash of no key of its record", entry.number);
                    self.add(Kind::IndexEntry, &entry, what, findings);
                }
            }
        }
        let missing = self.hashes.iter().filter(|(_, seen)| !seen).count();
        if missing > 0 && !self.is_partial {
            let severity = self.trust.index_severity(at, time);
            let keys = self.hashes.len();
            let what = format!("{missing} of {keys} keys of the record at {at} ({})", view.topic);
            let (kind, file) = (Kind::IndexMissing, "index".to_owned());
            findings.add(Finding { severity, kind, file, at: None, what });
        }
    }

    /// Looks at what the log has not named: entries behind its end.
    pub(super) async fn finish(&mut self, findings: &mut Findings) {
        self.pass_until(u64::MAX, findings).await;
    }

    /// Passes the entries of records before `at`.
    async fn pass_until(&mut self, at: u64, findings: &mut Findings) {
        while let Some(entry) = self.peek(findings).await.filter(|entry| entry.at < at) {
            self.pending = None;
            if entry.at < self.log_start {
                self.counts.gone += 1;
            } else {
                let (number, at) = (entry.number, entry.at);
                let what = format!("entry {number} points to {at}, where no such record stands");
                self.add(Kind::IndexEntry, &entry, what, findings);
            }
        }
    }

    /// The hashes of all keys of a record.
    fn hash_keys(&mut self, view: &View<'_>) {
        self.hashes.clear();
        if view.sys_flag.transaction() == TransactionType::Rollback {
            return;
        }
        let unique = view.property(property::UNIQ_KEY).into_iter();
        let keys = view.property(property::KEYS).into_iter();
        let keys = keys.flat_map(|keys| keys.split(|byte| *byte == b' '));
        for key in unique.chain(keys).filter(|key| !key.is_empty()) {
            self.key.clear();
            self.key.push_str(view.topic);
            self.key.push('#');
            self.key.push_str(&String::from_utf8_lossy(key));
            // Java's abs of the smallest int is itself, and RocketMQ takes 0 instead.
            let hash = java_hash(&self.key).checked_abs().unwrap_or(0) as u32;
            if !self.hashes.iter().any(|(known, _)| *known == hash) {
                self.hashes.push((hash, false));
            }
        }
    }

    fn check_seconds(&self, entry: &Entry, time_ms: u64, findings: &mut Findings) {
        let begin_ms = self.open.as_ref().map_or(0, |open| open.begin_ms);
        let seconds = (time_ms.saturating_sub(begin_ms) / 1000).min(i32::MAX as u64);
        if begin_ms > 0 && i64::from(entry.seconds) != seconds as i64 {
            let (number, said) = (entry.number, entry.seconds);
            let what =
                format!("entry {number} says {said} s after the file's begin, not {seconds}");
            self.add(Kind::IndexEntry, entry, what, findings);
        }
    }

    /// The next entry of all files, without passing it.
    async fn peek(&mut self, findings: &mut Findings) -> Option<Entry> {
        while self.pending.is_none() {
            if self.open.is_none() {
                let file = self.files.next()?;
                self.open = self.open_file(file, findings).await;
            }
            let Some(open) = &mut self.open else { continue };
            if open.next >= open.count {
                let open = self.open.take()?;
                self.end_file(open, findings);
                continue;
            }
            match open.take() {
                Ok((entry, broken)) => {
                    self.pending = Some(entry);
                    if let Some(what) = broken {
                        self.add(Kind::IndexChain, &entry, what, findings);
                    }
                }
                Err(error) => {
                    let path = open.path.clone();
                    self.give_up(path, Kind::Unread, error.to_string(), findings);
                    self.open = None;
                }
            }
        }
        self.pending
    }

    async fn open_file(&mut self, file: &File, findings: &mut Findings) -> Option<Open> {
        let path = file.name.clone();
        let read = match Window::open(self.disk, &path).await {
            Ok(mut window) => window.get(0, HEADER_LEN).map(|header| (window, header)),
            Err(error) => Err(error),
        };
        let (window, header) = match read {
            Ok(read) => read,
            Err(error) => {
                self.give_up(path, Kind::Unread, error.to_string(), findings);
                return None;
            }
        };
        let len = window.len();
        let Some(slots) = self.slots.or_else(|| slots_of(len)).filter(|slots| fits(*slots, len))
        else {
            let what = format!("{len} bytes do not tell how many slots it has");
            self.give_up(path, Kind::IndexLayout, what, findings);
            return None;
        };
        let (count, room) = (u64::from(number(&header, 36)), (len - HEADER_LEN - slots * 4) / 20);
        if count > room.max(1) {
            let what = format!("it says that {count} is its next entry, but has room for {room}");
            self.give_up(path, Kind::IndexHeader, what, findings);
            return None;
        }
        Some(Open {
            path,
            window,
            slots,
            begin_ms: long(&header, 0),
            begin_at: long(&header, 16),
            end_at: long(&header, 24),
            count,
            next: 1,
            newest: vec![0; slots as usize],
            last_at: 0,
        })
    }

    /// All entries were read: the header and the slots must agree with them.
    fn end_file(&mut self, mut open: Open, findings: &mut Findings) {
        let severity = self.trust.index_severity(open.last_at, u64::MAX);
        let severity = if self.trust.unclean { severity } else { Severity::Error };
        let mut add = |kind, at, what| {
            let file = open.path.clone();
            findings.add(Finding { severity, kind, file, at: Some(at), what });
        };
        if open.count > 1 && open.end_at != open.last_at {
            let (says, last) = (open.end_at, open.last_at);
            add(
                Kind::IndexHeader,
                24,
                format!("it says it ends at {says}; its last entry: {last}"),
            );
        }
        for slot in 0..open.slots {
            let at = HEADER_LEN + slot * SLOT_LEN;
            let newest = open.newest[slot as usize];
            match open.window.get(at, SLOT_LEN).map(|bytes| number(&bytes, 0)) {
                Ok(found) if found == newest => {}
                Ok(found) => {
                    let what = format!("slot {slot} says entry {found}, its newest is {newest}");
                    add(Kind::IndexChain, at, what);
                }
                Err(error) => return add(Kind::Unread, at, error.to_string()),
            }
        }
    }

    fn give_up(&mut self, file: String, kind: Kind, what: String, findings: &mut Findings) {
        self.is_partial = true;
        let severity = match kind {
            Kind::IndexLayout => Severity::Note,
            _ if self.trust.unclean => Severity::Note,
            _ => Severity::Error,
        };
        findings.add(Finding { severity, kind, file, at: None, what });
    }

    fn add(&self, kind: Kind, entry: &Entry, what: String, findings: &mut Findings) {
        let Some(open) = &self.open else { return };
        // What was not vouched for is dropped by the next start, whatever it holds.
        let severity = match self.trust.index_severity(entry.at, u64::MAX) {
            Severity::Warning => Severity::Error,
            other => other,
        };
        let at = Some(HEADER_LEN + open.slots * SLOT_LEN + entry.number * ENTRY_LEN);
        findings.add(Finding { severity, kind, file: open.path.clone(), at, what });
    }
}

impl Open {
    /// The next entry, and what is wrong with its place in its chain.
    fn take(&mut self) -> std::io::Result<(Entry, Option<String>)> {
        let at = HEADER_LEN + self.slots * SLOT_LEN + self.next * ENTRY_LEN;
        let bytes = self.window.get(at, ENTRY_LEN)?;
        let entry = Entry {
            number: self.next,
            hash: number(&bytes, 0),
            at: long(&bytes, 4),
            seconds: number(&bytes, 12) as i32,
            previous: number(&bytes, 16),
        };
        let newest = &mut self.newest[(u64::from(entry.hash) % self.slots) as usize];
        let expected = std::mem::replace(newest, entry.number as u32);
        let broken = if entry.previous != expected {
            let previous = entry.previous;
            Some(format!("entry {} goes on at {previous}, not at {expected}", entry.number))
        } else if entry.at < self.last_at {
            Some(format!("entry {} is of an older record than the one before", entry.number))
        } else if entry.number == 1 && entry.at != self.begin_at {
            let (says, begins) = (self.begin_at, entry.at);
            Some(format!("the header says that the file begins at {says}, not {begins}"))
        } else {
            None
        };
        self.last_at = entry.at;
        self.next += 1;
        Ok((entry, broken))
    }
}

/// How many slots a file of this length has: RocketMQ's own number, or a quarter of its entries.
fn slots_of(len: u64) -> Option<u64> {
    if len == LEN_STANDARD {
        return Some(SLOTS_STANDARD);
    }
    let rest = len.checked_sub(HEADER_LEN)?;
    let unit = SLOT_LEN + 4 * ENTRY_LEN;
    rest.is_multiple_of(unit).then_some(rest / unit)
}

/// Whether a file of this length can have so many slots.
fn fits(slots: u64, len: u64) -> bool {
    let entries = len.checked_sub(HEADER_LEN + slots.min(SLOTS_MAX) * SLOT_LEN);
    (1..=SLOTS_MAX).contains(&slots) && entries.is_some_and(|len| len.is_multiple_of(ENTRY_LEN))
}

fn number(bytes: &Bytes, at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn long(bytes: &Bytes, at: usize) -> u64 {
    let bytes = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_slots_follows_from_the_length_where_it_can() {
        assert_eq!(slots_of(LEN_STANDARD), Some(SLOTS_STANDARD));
        assert_eq!(slots_of(40 + 84 * 100), Some(100));
        assert_eq!(slots_of(40 + 16 * 4 + 20 * 20), None);
        assert!(fits(16, 40 + 16 * 4 + 20 * 20) && !fits(15, 40 + 16 * 4 + 20 * 20));
        assert!(!fits(0, 140) && !fits(u64::MAX, 140));
    }
}
