//! Opening the IndexFiles: keep what can be trusted, remove the rest, say where to index again.
//!
//! The index is derived from the log. So whatever is wrong with a file, short, damaged or missing,
//! is reported, and the file and all behind it are made anew; it never keeps a store from opening.

use std::io;

use bytes::Bytes;
use message::record::View;
use runtime::{Clock, Disk, EntryKind, SegmentFile};

use super::active::Active;
use super::format::{Header, Shape};
use super::key::keys_of;
use super::name;
use super::set::{Full, Index, State};
use crate::checkpoint::{Checkpoint, IndexMark};
use crate::commit_log::{Bad, Found, next_at, record_at};
use crate::config::StoreConfig;
use crate::layout::join;
use crate::segment_set::SegmentSet;

/// How much of the log is read to see whether a file is missing before another, in bytes. Where
/// so much of it has no key at all, nothing is taken for missing.
const GAP_LEN_MAX: u64 = 64 << 20;

/// What the rest of recovery knows.
pub(crate) struct Claim<'a> {
    /// What our checkpoint says; `None` when there is none of ours.
    pub(crate) checkpoint: Option<&'a Checkpoint>,
    /// RocketMQ's `indexMsgTimestamp`: files that end later are not vouched for by it.
    pub(crate) index_timestamp: u64,
    /// Whether the last process ended without saying so.
    pub(crate) unclean: bool,
    /// The log, of which `first .. end` is stored.
    pub(crate) log: &'a SegmentSet,
    /// Its end.
    pub(crate) end: u64,
}

/// The files that are kept, while they are looked at one by one.
struct Opening<'a> {
    disk: &'a Disk,
    directory: &'a str,
    shape: Shape,
    claim: &'a Claim<'a>,
    state: State,
}

/// Opens the index. Gives it and the offset of the log from which records must be indexed again:
/// `u64::MAX` when there is no index.
///
/// # Errors
/// What the disk says.
pub(crate) async fn open(
    (disk, clock): (&Disk, &Clock),
    directory: String,
    config: &StoreConfig,
    claim: &Claim<'_>,
) -> io::Result<(Index, u64)> {
    let shape = Shape { slots: config.index_slots, entries: config.index_entries };
    let state = State::default();
    let mut opening = Opening { disk, directory: &directory, shape, claim, state };
    let names = opening.names().await?;
    opening.state.has_directory = !names.is_empty();
    let from = match config.index_enabled {
        true => opening.enabled(&names).await?,
        false => opening.disabled(&names).await?,
    };
    let (state, shape) = (opening.state, config.index_enabled.then_some(shape));
    Ok((Index::new((disk.clone(), clock.clone()), directory, shape, state), from))
}

impl Opening<'_> {
    /// Keeps what can be trusted; gives the offset from which records must be indexed again.
    async fn enabled(&mut self, names: &[u64]) -> io::Result<u64> {
        let first = self.claim.log.first().map_or(0, |segment| segment.base);
        let mut kept = self.keep(names).await?;
        let vouched = self.claim.checkpoint.filter(|_| self.is_whole(&names[..kept]));
        let (last, behind) = self.last_end().unwrap_or((first, first));
        let (mut from, mut start) = match vouched {
            // While queues are filled again, dispatch is behind what the index has.
            Some(page) => (page.durable_to, page.durable_to.max(behind)),
            None => (last, behind),
        };
        let is_checked = from > first && from <= self.claim.end && vouched.is_none();
        if from > self.claim.end || (is_checked && self.record(from)?.is_none()) {
            tracing::error!(self.directory, from, "the index is not one of this log; made anew");
            (kept, from, start, self.state) = (0, first, first, State::default());
        }
        self.remove(&names[kept..]).await?;
        tracing::info!(self.directory, kept, of = names.len(), start, "opened the index");
        self.state.start = start;
        Ok(from.max(first))
    }

    /// There is to be no index. Files are left for a time when there is one again, but after an
    /// unclean end only those that the checkpoint vouches for as a whole: by then nobody knows any
    /// more that the newest is not.
    async fn disabled(&self, names: &[u64]) -> io::Result<u64> {
        if self.claim.unclean {
            let newest = self.mark().map_or(0, |mark| mark.file);
            let kept = names.partition_point(|name| *name < newest);
            self.remove(&names[kept..]).await?;
        }
        Ok(u64::MAX)
    }

    /// The names of all files, oldest first.
    async fn names(&self) -> io::Result<Vec<u64>> {
        let mut names = Vec::new();
        for entry in self.disk.list(self.directory).await? {
            match name::parse(&entry.name).filter(|_| entry.kind == EntryKind::File) {
                Some(name) => names.push(name),
                None => tracing::warn!(self.directory, entry.name, "no IndexFile; ignored"),
            }
        }
        Ok(names)
    }

    /// What our checkpoint says of the index, if it says something. A count of 0 says nothing.
    fn mark(&self) -> Option<IndexMark> {
        self.claim.checkpoint.map(|page| page.index).filter(|mark| mark.count > 0)
    }

    /// Takes over the files up to the first that cannot be trusted; gives how many.
    async fn keep(&mut self, names: &[u64]) -> io::Result<usize> {
        for (at, name) in names.iter().enumerate() {
            if !self.keep_one(*name, at + 1 == names.len()).await? {
                return Ok(at);
            }
        }
        Ok(names.len())
    }

    /// Whether our checkpoint vouches for everything that it speaks of and all of it was kept.
    fn is_whole(&self, kept: &[u64]) -> bool {
        self.mark().is_some_and(|mark| mark.file == kept.last().copied().unwrap_or(0))
    }

    /// From where on records are missing, by what the kept files say: the last record that they
    /// have, and the first offset at which one may be missing. The last record of a full file may
    /// have keys that no longer fitted: it is indexed once more, as RocketMQ does.
    fn last_end(&self) -> Option<(u64, u64)> {
        let active = self.state.active.as_ref().map(|active| active.header);
        match active.filter(|header| header.count > 1) {
            Some(header) => Some((header.end_physical, header.end_physical + 1)),
            None => self.last_full().map(|header| (header.end_physical, header.end_physical)),
        }
    }

    fn last_full(&self) -> Option<Header> {
        self.state.full.values().next_back().map(|full| full.header)
    }

    /// The record at this offset of the log, if one starts there. What cannot be read is unknown,
    /// and neither there nor missing.
    fn record(&self, offset: u64) -> io::Result<Option<Bytes>> {
        let Some(segment) = self.claim.log.find(offset) else { return Ok(None) };
        match record_at(&segment, offset) {
            Ok(record) => Ok(Some(record)),
            Err(Bad::Disk(error)) => Err(unread(offset, &error)),
            Err(_) => Ok(None),
        }
    }

    /// Whether records with keys stand between what is kept and a file: another one is missing.
    fn is_gap_before(&self, header: &Header) -> io::Result<bool> {
        let kept = self.last_full().map(|header| header.end_physical);
        let keyed = self.first_keyed(kept)?;
        Ok(header.count > 1 && keyed.is_some_and(|keyed| keyed < header.begin_physical))
    }

    /// The first record with keys, behind the record at `last` if that is stored; `None` when it is
    /// far.
    fn first_keyed(&self, last: Option<u64>) -> io::Result<Option<u64>> {
        let Some(first) = self.claim.log.first().map(|segment| segment.base) else {
            return Ok(None);
        };
        let last = last.filter(|last| *last >= first);
        let mut offset = last.unwrap_or(first);
        let limit = offset.saturating_add(GAP_LEN_MAX).min(self.claim.end);
        while offset < limit {
            let Some(segment) = self.claim.log.find(offset) else { return Ok(None) };
            let record = match next_at(&segment, offset) {
                Ok(Found::Record(record)) => record,
                Err(Bad::Disk(error)) => return Err(unread(offset, &error)),
                Ok(Found::SegmentEnd) | Err(_) => {
                    offset = segment.end();
                    continue;
                }
            };
            let has_keys = View::parse(&record).is_ok_and(|view| keys_of(&view).next().is_some());
            if has_keys && Some(offset) != last {
                return Ok(Some(offset));
            }
            offset += record.len() as u64;
        }
        Ok(None)
    }

    /// Takes a file over, if it can be trusted.
    async fn keep_one(&mut self, name: u64, is_newest: bool) -> io::Result<bool> {
        let Some((file, mut header)) = self.head(name).await? else { return Ok(false) };
        let is_vouched = match self.mark() {
            Some(mark) if name == mark.file => {
                header.count = mark.count;
                return self.keep_marked(name, file, header);
            }
            Some(mark) => name < mark.file,
            None => !self.claim.unclean || header.end_timestamp <= self.claim.index_timestamp,
        };
        if !is_vouched {
            tracing::warn!(self.directory, name, "an IndexFile that nothing vouches for");
            return Ok(false);
        }
        if header.is_full(self.shape) {
            self.state.full.insert(name, Full { file, header, synced: true });
            return Ok(true);
        }
        if !is_newest {
            // Such as one of zeros, whose end lies before every time: the power took its bytes.
            tracing::error!(self.directory, name, "an IndexFile that another follows is not full");
            return Ok(false);
        }
        let active = Active::load(name, file.clone(), self.shape, header)?;
        let active = match active {
            Some(active) => Some(active),
            None => Active::rebuild(name, file, self.shape, (header, self.claim.end))?,
        };
        Ok(self.go_on_with(name, active))
    }

    /// Takes over the file that our checkpoint ends in.
    fn keep_marked(&mut self, name: u64, file: SegmentFile, header: Header) -> io::Result<bool> {
        let clean = !self.claim.unclean;
        let loaded = match clean {
            true => Active::load(name, file.clone(), self.shape, header)?,
            false => None,
        };
        let active = match loaded {
            Some(active) => Some(active),
            None => Active::rebuild(name, file, self.shape, (header, self.claim.end))?,
        };
        let active = active.map(|active| self.ended(active)).transpose()?;
        Ok(self.go_on_with(name, active))
    }

    fn go_on_with(&mut self, name: u64, active: Option<Active>) -> bool {
        if active.is_none() {
            tracing::error!(self.directory, name, "the entries of an IndexFile are damaged");
        }
        self.state.active = active;
        self.state.active.is_some()
    }

    /// The file with the store time of its last entry, which a crash may have left at another.
    fn ended(&self, mut active: Active) -> io::Result<Active> {
        let record = self.record(active.header.end_physical)?;
        let stored = record.and_then(|r| View::parse(&r).ok().map(|view| view.store_timestamp));
        if let Some(stored) = stored.filter(|_| active.header.count > 1) {
            active.header.end_timestamp = stored;
        }
        Ok(active)
    }

    /// A file and its header, if both can be what they say.
    async fn head(&self, name: u64) -> io::Result<Option<(SegmentFile, Header)>> {
        let path = join(self.directory, &name::text(name));
        let file = self.disk.open_sparse(&path).await?;
        let (len, expected) = (file.len(), self.shape.file_len());
        if len != expected {
            tracing::error!(path, len, expected, "an IndexFile of another length");
            return Ok(None);
        }
        let bytes = file.slice(0, super::format::HEADER_LEN)?;
        let header = bytes.first_chunk().map(Header::decode);
        let follows = self.last_full().map_or(0, |header| header.end_physical);
        let sound = header.filter(|header| {
            let in_order = header.begin_physical <= header.end_physical || header.count <= 1;
            let in_place = header.begin_physical >= follows || header.count <= 1;
            header.count <= self.shape.entries && in_order && in_place
        });
        if sound.is_none() {
            tracing::error!(path, ?header, "the header of an IndexFile is damaged");
        }
        let gap = sound.map(|header| self.is_gap_before(&header)).transpose()?.unwrap_or(false);
        if gap {
            tracing::error!(path, "an IndexFile is missing before this one");
        }
        Ok(sound.filter(|_| !gap).map(|header| (file, header)))
    }

    /// Removes files, newest first, each durably before the next.
    async fn remove(&self, names: &[u64]) -> io::Result<()> {
        for name in names.iter().rev() {
            tracing::warn!(self.directory, name, "removed an IndexFile; it is made anew");
            self.disk.remove_file(&join(self.directory, &name::text(*name))).await?;
            self.disk.sync_dir(self.directory).await?;
        }
        Ok(())
    }
}

/// The error of a read of the log, with its place.
fn unread(offset: u64, error: &io::Error) -> io::Error {
    let what = format!("offset {offset} of the CommitLog cannot be read: {error}");
    io::Error::new(error.kind(), what)
}
