//! The IndexFiles of a store: entries go to the newest, lookups read all.
//!
//! *Invariant:* dispatch is the one writer. What it commits is readable at once, and is vouched for
//! only after [`Index::sync`], which comes before the checkpoint that names it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use runtime::{Clock, Disk, SegmentFile};

use super::active::Active;
use super::format::{Header, Shape};
use super::key::Key;
use super::name;
use crate::checkpoint::IndexMark;
use crate::layout::join;
use crate::segment_set::RemoveError;

/// Pages of slots that one sync writes back, 4 KiB each: the table of a busy broker is dirty
/// everywhere, and to write all of it each second would cost more than the entries do.
const SLOT_PAGES_AT_SYNC_MAX: usize = 64;

/// The index of one open store.
pub(crate) struct Index {
    disk: Disk,
    clock: Clock,
    directory: String,
    /// What a new file is like; `None` when there is no index.
    shape: Option<Shape>,
    state: Mutex<State>,
}

/// What dispatch, lookups, the sync and the cleaner share.
#[derive(Default)]
pub(super) struct State {
    /// Files that take no more, by name.
    pub(super) full: BTreeMap<u64, Full>,
    /// The file that entries go to.
    pub(super) active: Option<Active>,
    /// The keys of every record before this offset of the CommitLog were there at the start.
    pub(super) start: u64,
    /// Whether a file was made whose name may not be durable.
    pub(super) names_dirty: bool,
    /// Whether the directory is known to be there.
    pub(super) has_directory: bool,
}

/// A file that takes no more.
pub(super) struct Full {
    pub(super) file: SegmentFile,
    pub(super) header: Header,
    /// Whether all of it is durable.
    pub(super) synced: bool,
}

/// The start of one lookup in one file.
pub(super) struct Head {
    pub(super) file: SegmentFile,
    pub(super) header: Header,
    pub(super) shape: Shape,
    /// The newest entry of the chain; `None` when the file's own slot says it.
    pub(super) newest: Option<u32>,
}

/// Why the index is not durable.
#[derive(Debug)]
pub(crate) enum SyncError {
    /// A write: worth another try.
    Write(io::Error),
    /// A sync: final.
    Sync(io::Error),
}

impl Index {
    /// An index with what was found on the disk; without a shape there is none.
    pub(super) fn new(
        (disk, clock): (Disk, Clock),
        directory: String,
        shape: Option<Shape>,
        state: State,
    ) -> Self {
        Self { disk, clock, directory, shape, state: Mutex::new(state) }
    }

    /// Whether there is an index.
    pub(crate) fn is_enabled(&self) -> bool {
        self.shape.is_some()
    }

    /// The keys of every record before this offset of the CommitLog were there at the start.
    pub(super) fn start(&self) -> u64 {
        self.state().start
    }

    /// Appends `keys` and takes them out. After an error those that are left are not there yet: to
    /// be tried again.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) async fn commit(&self, keys: &mut Vec<Key>) -> io::Result<IndexMark> {
        let Some(shape) = self.shape else { return Ok(IndexMark::default()) };
        while !keys.is_empty() {
            let appended = match &mut self.state().active {
                Some(active) => active.append(keys)?,
                None => 0,
            };
            keys.drain(..appended);
            if appended == 0 {
                self.roll(shape).await?;
            }
        }
        Ok(self.mark())
    }

    /// What a checkpoint may say once everything is synced.
    pub(crate) fn mark(&self) -> IndexMark {
        if self.is_enabled() { self.state().mark() } else { IndexMark::default() }
    }

    /// Goes on to a new file.
    async fn roll(&self, shape: Shape) -> io::Result<()> {
        let (last, has_directory) = {
            let mut state = self.state();
            state.close_active()?;
            (state.last_name(), state.has_directory)
        };
        let now_ms = self.clock.now_ms();
        let local_ms = now_ms.saturating_add_signed(self.clock.utc_offset_ms(now_ms));
        let name = name::next(local_ms, last);
        if !has_directory {
            self.disk.create_dir(&self.directory).await?;
        }
        let path = join(&self.directory, &name::text(name));
        let file = self.disk.create_sparse(&path, shape.file_len()).await?;
        let mut state = self.state();
        state.active = Some(Active::new(name, file, shape));
        (state.names_dirty, state.has_directory) = (true, true);
        Ok(())
    }

    /// Makes everything committed so far durable. Gives RocketMQ's `indexMsgTimestamp`: the store
    /// time of the last entry of the last full file, in ms.
    ///
    /// # Errors
    /// [`SyncError`].
    pub(crate) async fn sync(&self) -> Result<u64, SyncError> {
        let Some(shape) = self.shape else { return Ok(0) };
        let (full, active, names_dirty) = {
            let mut state = self.state();
            if let Some(active) = &mut state.active {
                active.write_header().map_err(SyncError::Write)?;
                active.write_slots(SLOT_PAGES_AT_SYNC_MAX).map_err(SyncError::Write)?;
            }
            let unsynced = state.full.iter().filter(|(_, full)| !full.synced);
            let full: Vec<_> = unsynced.map(|(name, full)| (*name, full.file.clone())).collect();
            let active = state.active.as_ref().map(|a| (a.file.clone(), a.header.count));
            (full, active, std::mem::take(&mut state.names_dirty))
        };
        for (_, file) in &full {
            file.sync(0..file.len()).await.map_err(SyncError::Sync)?;
        }
        if let Some((file, count)) = active {
            file.sync(0..shape.entry_at(count)).await.map_err(SyncError::Sync)?;
        }
        if names_dirty {
            self.disk.sync_dir(&self.directory).await.map_err(SyncError::Sync)?;
        }
        let mut state = self.state();
        for (name, _) in full {
            state.full.entry(name).and_modify(|full| full.synced = true);
        }
        let newest = state.full.values().rev().find(|full| full.synced);
        Ok(newest.map_or(0, |full| full.header.end_timestamp))
    }

    /// Writes back what the newest file does not hold of its slots, before a clean end.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn write_back(&self) -> io::Result<()> {
        match &mut self.state().active {
            Some(active) => active.write_slots(usize::MAX),
            None => Ok(()),
        }
    }

    /// Removes the files all of whose records lie before `min_physical`, oldest first, each durably
    /// before the next; the newest file stays.
    ///
    /// # Errors
    /// What the disk says; what could not be removed is tried again.
    pub(crate) async fn clean(&self, min_physical: u64) -> Result<(), RemoveError> {
        loop {
            let oldest = self.state().oldest_before(min_physical);
            let Some(oldest) = oldest else { return Ok(()) };
            let path = join(&self.directory, &name::text(oldest));
            self.disk.remove_file(&path).await.map_err(RemoveError::Remove)?;
            self.state().full.remove(&oldest);
            self.disk.sync_dir(&self.directory).await.map_err(RemoveError::Sync)?;
        }
    }

    /// Where to look for a hash, newest file first.
    pub(super) fn heads(&self, hash: u32) -> Vec<Head> {
        let Some(shape) = self.shape else { return Vec::new() };
        let state = self.state();
        let active = state.active.iter().map(|active| Head {
            file: active.file.clone(),
            header: active.header,
            shape,
            newest: Some(active.newest(hash)),
        });
        let full = state.full.values().rev().map(|full| Head {
            file: full.file.clone(),
            header: full.header,
            shape,
            newest: None,
        });
        active.chain(full).collect()
    }

    /// The store time in ms and the offset of the record of the last entry; zeros without one.
    pub(super) fn last_update(&self) -> (u64, u64) {
        let state = self.state();
        let full = state.full.values().next_back().map(|full| full.header);
        let active = state.active.as_ref().map(|active| active.header);
        let header = active.filter(|header| header.count > 1).or(full).unwrap_or(Header::EMPTY);
        (header.end_timestamp, header.end_physical)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn mark(&self) -> IndexMark {
        let (file, count) = match (&self.active, self.full.last_key_value()) {
            (Some(active), _) => (active.name, active.header.count),
            (None, Some((name, full))) => (*name, full.header.count),
            (None, None) => (0, Header::EMPTY.count),
        };
        IndexMark { file, count, timestamp: 0 }
    }

    /// The name of the newest file; 0 without one.
    fn last_name(&self) -> u64 {
        let full = self.full.last_key_value().map_or(0, |(name, _)| *name);
        self.active.as_ref().map_or(full, |active| active.name)
    }

    /// The oldest file, if it is not the newest too and all its records lie before `min_physical`.
    fn oldest_before(&self, min_physical: u64) -> Option<u64> {
        let (name, oldest) = self.full.first_key_value()?;
        let is_newest = self.full.len() == 1 && self.active.is_none();
        (!is_newest && oldest.header.end_physical < min_physical).then_some(*name)
    }

    /// Ends the active file: all that is derived goes into it, then it takes no more.
    fn close_active(&mut self) -> io::Result<()> {
        let Some(active) = &mut self.active else { return Ok(()) };
        active.write_slots(usize::MAX)?;
        active.write_header()?;
        let full = Full { file: active.file.clone(), header: active.header, synced: false };
        self.full.insert(active.name, full);
        self.active = None;
        Ok(())
    }
}
