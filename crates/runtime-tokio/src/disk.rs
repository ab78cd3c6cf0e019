//! Files of this machine, below one root.
//!
//! Every system call that may wait for the device runs on tokio's blocking threads; only copies
//! into a mapping and views of it happen where the caller is.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use runtime::{Boxed, DiskBackend, DiskLock, DiskSpace, Entry, SegmentBackend, SegmentFile};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::file::MachineFile;
use crate::memory::Advice;
use crate::segment::Segment;
use crate::sparse::Sparse;
use crate::{directory, lock, memory};

/// A directory of this machine.
pub(crate) struct MachineDisk {
    root: PathBuf,
    /// The root, open from the start: a sync of everything reports each failed write since this
    /// descriptor was opened, also one that somebody else's sync was told before.
    opened: Arc<File>,
    handle: Handle,
}

impl MachineDisk {
    /// Takes `root`, creating it when missing.
    pub(crate) fn open(root: &Path, handle: Handle) -> io::Result<Self> {
        directory::create(root)
            .and_then(|()| root.canonicalize())
            .and_then(|root| Ok(Self { opened: Arc::new(File::open(&root)?), root, handle }))
            .map_err(|error| naming("open the directory", root, error))
    }

    /// Does `work` with the real path on a blocking thread; errors name it.
    fn blocking<'a, T: Send + 'static>(
        &'a self,
        verb: &'static str,
        path: &str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Boxed<'a, io::Result<T>> {
        let path = match self.resolve(path) {
            Ok(path) => path,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let done = self
            .handle
            .spawn_blocking(move || work(&path).map_err(|error| naming(verb, &path, error)));
        Box::pin(async move { done.await.map_err(io::Error::other)? })
    }

    /// The real path of a name below the root.
    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            let refusal = format!("{path}: not a plain path below the root");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, refusal));
        }
        Ok(self.root.join(path))
    }
}

impl DiskBackend for MachineDisk {
    fn create_segment<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>> {
        let handle = self.handle.clone();
        self.blocking("create the segment", path, move |path| {
            Ok(SegmentFile::new(MachineSegment { segment: Segment::create(path, len)?, handle }))
        })
    }

    fn open_segment<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>> {
        let handle = self.handle.clone();
        self.blocking("open the segment", path, move |path| {
            Ok(SegmentFile::new(MachineSegment { segment: Segment::open(path)?, handle }))
        })
    }

    fn create_sparse<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>> {
        let handle = self.handle.clone();
        self.blocking("create the sparse file", path, move |path| {
            Ok(SegmentFile::new(MachineSegment { segment: Sparse::create(path, len)?, handle }))
        })
    }

    fn open_sparse<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>> {
        let handle = self.handle.clone();
        self.blocking("open the sparse file", path, move |path| {
            Ok(SegmentFile::new(MachineSegment { segment: Sparse::open(path)?, handle }))
        })
    }

    fn read<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Bytes>> {
        self.blocking("read", path, |path| std::fs::read(path).map(Bytes::from))
    }

    fn write<'a>(&'a self, path: &'a str, bytes: &'a [u8]) -> Boxed<'a, io::Result<()>> {
        let bytes = bytes.to_vec();
        self.blocking("write", path, move |path| File::create(path)?.write_all(&bytes))
    }

    fn sync_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        self.blocking("sync", path, |path| OpenOptions::new().write(true).open(path)?.sync_all())
    }

    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, io::Result<()>> {
        match self.resolve(to) {
            Ok(to) => self.blocking("rename", from, move |from| std::fs::rename(from, to)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn remove_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        self.blocking("remove", path, |path| std::fs::remove_file(path))
    }

    fn remove_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        self.blocking("remove the directory", path, |path| std::fs::remove_dir(path))
    }

    fn create_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        self.blocking("create the directory", path, directory::create)
    }

    fn sync_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>> {
        self.blocking("sync the directory", path, directory::sync)
    }

    fn list<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>> {
        self.blocking("list", path, directory::list)
    }

    fn walk<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>> {
        self.blocking("walk", path, directory::walk)
    }

    fn pin_memory(&self, bytes: &[u8]) -> io::Result<()> {
        memory::pin(bytes)
    }

    fn sync_all(&self) -> Boxed<'_, io::Result<()>> {
        let opened = self.opened.clone();
        self.blocking("sync the file system of", "", move |_| directory::sync_all(&opened))
    }

    fn lock<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<DiskLock>> {
        self.blocking("lock", path, |path| lock::take(path).map(DiskLock::new))
    }

    fn lock_holder<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Option<String>>> {
        self.blocking("ask for the lock of", path, lock::held_by)
    }

    fn space(&self) -> io::Result<DiskSpace> {
        directory::space(&self.root).map_err(|error| naming("ask the space of", &self.root, error))
    }
}

fn naming(verb: &str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{verb} {}: {error}", path.display()))
}

/// A segment and the threads that wait for its device.
struct MachineSegment<S> {
    segment: S,
    handle: Handle,
}

impl<S: MachineFile> MachineSegment<S> {
    /// Waits for the device where it does not hold others up.
    async fn waiting(&self, work: impl FnOnce(&S) + Send + 'static) {
        let segment = self.segment.clone();
        // Advice: a thread that could not give it changes nothing.
        let _ = self.handle.spawn_blocking(move || work(&segment)).await;
    }
}

impl<S: MachineFile> SegmentBackend for MachineSegment<S> {
    fn len(&self) -> u64 {
        self.segment.len()
    }

    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.segment.write_at(offset, parts)
    }

    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        self.segment.slice(offset, len)
    }

    fn sync(&self, range: Range<u64>) -> Boxed<'_, io::Result<()>> {
        Box::pin(async move {
            // This worker hands its other tasks to a spare thread and waits for the device itself:
            // the answer needs no thread to be woken, a quarter of a lone synced message's time.
            let many = |here: Handle| here.runtime_flavor() == RuntimeFlavor::MultiThread;
            if Handle::try_current().is_ok_and(many) {
                return tokio::task::block_in_place(|| self.segment.sync(range));
            }
            let segment = self.segment.clone();
            let done = self.handle.spawn_blocking(move || segment.sync(range));
            done.await.map_err(io::Error::other)?
        })
    }

    fn data_end(&self) -> io::Result<u64> {
        self.segment.data_end()
    }

    fn populate(&self, range: Range<u64>) -> Boxed<'_, ()> {
        Box::pin(self.waiting(move |segment| segment.advise(Advice::Populate, range)))
    }

    fn load(&self, range: Range<u64>) -> Boxed<'_, ()> {
        Box::pin(self.waiting(move |segment| segment.advise(Advice::Load, range)))
    }

    fn is_loaded(&self, range: Range<u64>) -> bool {
        self.segment.is_loaded(range)
    }

    fn release(&self, range: Range<u64>) {
        self.segment.advise(Advice::Release, range);
    }

    fn pin(&self, pinned: bool) -> io::Result<()> {
        self.segment.pin(pinned)
    }
}
