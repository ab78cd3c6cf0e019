//! The disk door of one incarnation of a node.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use runtime::{Boxed, DiskBackend, DiskLock, DiskSpace, Entry, EntryKind, SegmentFile};

use super::file::Inode;
use super::machine::{NodeDisk, State};
use super::segment::SimSegment;
use super::tree::{Target, clean, parent};
use super::{error, sync, writeback};
use crate::incident::IncidentKind;

/// The disk as one process of the node sees it. Clones are the same process.
#[derive(Clone)]
pub(crate) struct SimDisk {
    disk: NodeDisk,
    epoch: u64,
}

impl SimDisk {
    /// The door for the process that runs now.
    pub(crate) fn new(disk: NodeDisk) -> Self {
        let epoch = disk.epoch();
        Self { disk, epoch }
    }

    fn guard(&self, path: &str) -> io::Result<()> {
        if self.disk.epoch() == self.epoch { Ok(()) } else { Err(error::fenced(path)) }
    }

    /// One operation with its latency, of which a part lies before the effect and the rest after,
    /// so that a crash may come with the effect there and the answer not.
    async fn operate<T>(
        &self,
        what: &'static str,
        path: &str,
        act: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        self.guard(path)?;
        let (before, after) = self.disk.draw_latency();
        self.disk.wait(before).await;
        self.guard(path)?;
        let (result, pending) = {
            let mut state = self.disk.state();
            (act(&mut state), state.tree.is_pending())
        };
        if pending {
            writeback::schedule(&self.disk);
        }
        let ok = u64::from(result.is_ok());
        self.disk.shared().record(what, [ok, 0], format_args!("{path}"));
        self.disk.note_moment(what, path);
        self.disk.wait(after).await;
        self.guard(path)?;
        result
    }

    async fn create(&self, path: &str, len: u64, sparse: bool) -> io::Result<SegmentFile> {
        let path = clean(path)?;
        let create = |state: &mut State| {
            if state.tree.get(&path).is_some() {
                return Err(error::already_exists(&path));
            }
            if !state.tree.is_directory(parent(&path)) {
                return Err(error::not_found(&path));
            }
            let file = self.disk.new_file(state, &path, if sparse { 0 } else { len })?;
            file.content().allocate(len);
            file.content().set_sparse(sparse);
            state.tree.link(&path, file.clone());
            Ok(file)
        };
        let file = self.operate("create", &path, create).await?;
        Ok(self.segment(file, path))
    }

    fn segment(&self, file: Arc<Inode>, path: String) -> SegmentFile {
        let len = file.content().len();
        let (disk, epoch) = (self.disk.clone(), self.epoch);
        file.opened();
        SegmentFile::new(SimSegment { disk, epoch, file, path, len })
    }

    /// The file of that name, cut to nothing, or a new one.
    fn open_to_write(&self, state: &mut State, path: &str) -> io::Result<Arc<Inode>> {
        match state.tree.get(path) {
            Some(Target::File(file)) => Ok(file.clone()),
            Some(Target::Directory) => Err(error::is_a_directory(path)),
            None if !state.tree.is_directory(parent(path)) => Err(error::not_found(path)),
            None => {
                let file = self.disk.new_file(state, path, 0)?;
                state.tree.link(path, file.clone());
                Ok(file)
            }
        }
    }

    fn rewrite(&self, state: &mut State, path: &str, bytes: &[u8]) -> io::Result<()> {
        let file = self.open_to_write(state, path)?;
        // The file is cut before the new bytes find no room or fail.
        file.content().truncate();
        file.charge(0);
        self.disk.make_room(state, path, bytes.len() as u64)?;
        if self.disk.goes_wrong(state.knobs.write_error) {
            return Err(self.disk.shared().injected(IncidentKind::Write, path));
        }
        file.charge(bytes.len() as u64);
        file.content().rewrite(bytes);
        Ok(())
    }
}

impl DiskBackend for SimDisk {
    fn create_segment<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>> {
        Box::pin(self.create(path, len, false))
    }

    fn open_segment<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>> {
        Box::pin(async move {
            let path = clean(path)?;
            let open = |state: &mut State| {
                let file = state.file(&path)?;
                // The holes of a sparse file are filled before it is mapped.
                let mut content = file.content();
                let (len, takes) = (content.len(), content.takes());
                self.disk.make_room(state, &path, len.saturating_sub(takes))?;
                content.set_sparse(false);
                drop(content);
                file.charge(len);
                Ok(file)
            };
            let file = self.operate("open", &path, open).await?;
            Ok(self.segment(file, path))
        })
    }

    fn create_sparse<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>> {
        Box::pin(self.create(path, len, true))
    }

    fn open_sparse<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>> {
        Box::pin(async move {
            let path = clean(path)?;
            let file = self.operate("open", &path, |state| state.file(&path)).await?;
            Ok(self.segment(file, path))
        })
    }

    fn read<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Bytes>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("read", &path, |state| {
                let file = state.file(&path)?;
                let content = file.content();
                let unreadable = !content.is_readable(0, content.len());
                if unreadable || self.disk.goes_wrong(state.knobs.read_error) {
                    return Err(self.disk.shared().injected(IncidentKind::Read, &path));
                }
                Ok(content.read(0, content.len()).into())
            })
            .await
        })
    }

    fn write<'a>(&'a self, path: &'a str, bytes: &'a [u8]) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("rewrite", &path, |state| self.rewrite(state, &path, bytes)).await?;
            writeback::schedule(&self.disk);
            Ok(())
        })
    }

    fn sync_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.guard(&path)?;
            let file = self.disk.state().file(&path)?;
            let len = file.content().len();
            sync::sync(&self.disk, &file, &path, 0..len).await?;
            self.guard(&path)
        })
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let (from, to) = (clean(from)?, clean(to)?);
            self.operate("rename", &to, |state| {
                state.file(&from)?;
                if state.tree.is_directory(&to) {
                    return Err(error::is_a_directory(&to));
                }
                if !state.tree.is_directory(parent(&to)) {
                    return Err(error::not_found(&to));
                }
                if from != to {
                    state.tree.rename(&from, &to);
                }
                Ok(())
            })
            .await
        })
    }

    fn remove_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("remove", &path, |state| {
                let file = state.file(&path)?;
                if state.knobs.remove_errors_due > 0 {
                    state.knobs.remove_errors_due -= 1;
                    return Err(self.disk.shared().injected(IncidentKind::Remove, &path));
                }
                state.tree.unlink(&path);
                self.disk.note_removal(state, &path, &file);
                Ok(())
            })
            .await
        })
    }

    fn remove_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("remove-dir", &path, |state| match state.tree.get(&path) {
                None => Err(error::not_found(&path)),
                Some(Target::File(_)) => Err(error::not_a_directory(&path)),
                Some(Target::Directory) if state.tree.below(&path).next().is_some() => {
                    Err(error::not_empty(&path))
                }
                Some(Target::Directory) => {
                    state.tree.remove_directory(&path);
                    Ok(())
                }
            })
            .await
        })
    }

    fn create_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("create-dir", &path, |state| {
                let mut above = path.as_str();
                while !above.is_empty() {
                    if matches!(state.tree.get(above), Some(Target::File(_))) {
                        return Err(error::not_a_directory(above));
                    }
                    above = parent(above);
                }
                state.tree.make_directories(&path);
                Ok(())
            })
            .await
        })
    }

    fn sync_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        Box::pin(async move {
            let path = clean(path)?;
            let fails = self.disk.sync_fails();
            self.operate("sync-dir", &path, |state| {
                if !state.tree.is_directory(&path) {
                    return Err(error::not_found(&path));
                }
                if fails {
                    return Err(self.disk.shared().injected(IncidentKind::Sync, &path));
                }
                state.tree.sync(&path);
                Ok(())
            })
            .await
        })
    }

    fn list<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("list", &path, |state| {
                if matches!(state.tree.get(&path), Some(Target::File(_))) {
                    return Err(error::not_a_directory(&path));
                }
                Ok(state.tree.below(&path).map(entry).collect())
            })
            .await
        })
    }

    fn walk<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("walk", &path, |state| Ok(state.tree.under(&path).map(entry).collect()))
                .await
        })
    }

    fn pin_memory(&self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> Boxed<'_, io::Result<()>> {
        Box::pin(async move {
            self.guard("")?;
            sync::sync_all(&self.disk).await?;
            self.guard("")
        })
    }

    fn lock<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<DiskLock>> {
        Box::pin(async move {
            let path = clean(path)?;
            let holder = self
                .operate("lock", &path, |state| {
                    if state.locks.contains_key(&path) {
                        return Err(error::locked(&path));
                    }
                    self.open_to_write(state, &path)?;
                    let holder = state.number();
                    state.locks.insert(path.clone(), holder);
                    Ok(holder)
                })
                .await?;
            let disk = self.disk.clone();
            Ok(DiskLock::new(HeldLock { disk, path, holder }))
        })
    }

    fn lock_holder<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Option<String>>> {
        Box::pin(async move {
            let path = clean(path)?;
            self.operate("lock-holder", &path, |state| {
                let holder = state.locks.get(&path);
                Ok(holder.map(|holder| format!("holder {holder} on this node")))
            })
            .await
        })
    }

    fn space(&self) -> io::Result<DiskSpace> {
        self.guard("")?;
        let state = self.disk.state();
        Ok(DiskSpace { total: state.knobs.capacity, available: self.disk.available(&state) })
    }
}

fn entry((name, target): (&str, &Target)) -> Entry {
    let (kind, len) = match target {
        Target::File(file) => (EntryKind::File, file.content().len()),
        Target::Directory => (EntryKind::Directory, 0),
    };
    Entry { name: name.to_owned(), kind, len }
}

/// A lock that is held; given back when dropped, unless the process died and another holds it now.
struct HeldLock {
    disk: NodeDisk,
    path: String,
    holder: u64,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.locks.get(&self.path) == Some(&self.holder) {
            state.locks.remove(&self.path);
        }
    }
}
