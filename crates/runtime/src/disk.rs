//! Files: preallocated segments for the logs, small files replaced whole for configuration.
//!
//! Paths are strings with `/`, relative to the node's root. Nothing here is durable by itself: the
//! bytes of a segment are after [`SegmentFile::sync`], the bytes of a small file after
//! [`Disk::sync_file`], and the *name* of anything created, renamed or removed is only after
//! [`Disk::sync_dir`] of its directory.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::Boxed;

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The last part of its path.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its length in bytes; 0 for a directory.
    pub len: u64,
}

/// The space of the file system that holds the node's root, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// What is used and what is available: without what is kept for other users.
    pub total: u64,
    /// What this process may still take.
    pub available: u64,
}

/// What a twin provides for files.
pub trait DiskBackend: Send + Sync {
    /// See [`Disk::create_segment`].
    fn create_segment<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>>;
    /// See [`Disk::open_segment`].
    fn open_segment<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>>;
    /// See [`Disk::create_sparse`].
    fn create_sparse<'a>(&'a self, path: &'a str, len: u64) -> Boxed<'a, io::Result<SegmentFile>>;
    /// See [`Disk::open_sparse`].
    fn open_sparse<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<SegmentFile>>;
    /// See [`Disk::read`].
    fn read<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Bytes>>;
    /// See [`Disk::write`].
    fn write<'a>(&'a self, path: &'a str, bytes: &'a [u8]) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::sync_file`].
    fn sync_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::rename`].
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::remove_file`].
    fn remove_file<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::remove_dir`].
    fn remove_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::create_dir`].
    fn create_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::sync_dir`].
    fn sync_dir<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<()>>;
    /// See [`Disk::list`].
    fn list<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>>;
    /// See [`Disk::walk`].
    fn walk<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Vec<Entry>>>;
    /// See [`Disk::pin_memory`].
    fn pin_memory(&self, bytes: &[u8]) -> io::Result<()>;
    /// See [`Disk::sync_all`].
    fn sync_all(&self) -> Boxed<'_, io::Result<()>>;
    /// See [`Disk::lock`].
    fn lock<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<DiskLock>>;
    /// See [`Disk::lock_holder`].
    fn lock_holder<'a>(&'a self, path: &'a str) -> Boxed<'a, io::Result<Option<String>>>;
    /// See [`Disk::space`].
    fn space(&self) -> io::Result<DiskSpace>;
}

/// What a twin provides for one segment.
#[expect(clippy::len_without_is_empty, reason = "a segment's length is a size, not a count")]
pub trait SegmentBackend: Send + Sync {
    /// See [`SegmentFile::len`].
    fn len(&self) -> u64;
    /// See [`SegmentFile::write_at`].
    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()>;
    /// See [`SegmentFile::slice`].
    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes>;
    /// See [`SegmentFile::sync`].
    fn sync(&self, range: Range<u64>) -> Boxed<'_, io::Result<()>>;
    /// See [`SegmentFile::data_end`].
    fn data_end(&self) -> io::Result<u64>;
    /// See [`SegmentFile::populate`].
    fn populate(&self, range: Range<u64>) -> Boxed<'_, ()>;
    /// See [`SegmentFile::load`].
    fn load(&self, range: Range<u64>) -> Boxed<'_, ()>;
    /// See [`SegmentFile::is_loaded`].
    fn is_loaded(&self, range: Range<u64>) -> bool;
    /// See [`SegmentFile::release`].
    fn release(&self, range: Range<u64>);
    /// See [`SegmentFile::pin`].
    fn pin(&self, pinned: bool) -> io::Result<()>;
}

/// The door to files.
#[derive(Clone)]
pub struct Disk(Arc<dyn DiskBackend>);

impl Disk {
    /// Opens the door onto a twin.
    pub fn new(backend: impl DiskBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Creates a segment of `len` zero bytes whose blocks are really allocated.
    ///
    /// # Errors
    /// `AlreadyExists`; `StorageFull` when the blocks cannot be had (nothing is left behind then);
    /// `NotFound` when its directory is missing.
    pub async fn create_segment(&self, path: &str, len: u64) -> io::Result<SegmentFile> {
        self.0.create_segment(path, len).await
    }

    /// Opens an existing segment with the length it has.
    ///
    /// # Errors
    /// `NotFound`, or what the operating system says.
    pub async fn open_segment(&self, path: &str) -> io::Result<SegmentFile> {
        self.0.open_segment(path).await
    }

    /// Creates a sparse segment: `len` zero bytes whose blocks come with the first write into them.
    /// For files that are long by format and mostly empty. It is not mapped: slices are copies, and
    /// an open one costs a descriptor and little else.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` when its directory is missing; what the operating system says.
    pub async fn create_sparse(&self, path: &str, len: u64) -> io::Result<SegmentFile> {
        self.0.create_sparse(path, len).await
    }

    /// Opens an existing file as a sparse segment of the length it has; its holes stay holes. A
    /// file that this process may only read opens, too: writing to it fails then.
    ///
    /// # Errors
    /// `NotFound`, or what the operating system says.
    pub async fn open_sparse(&self, path: &str) -> io::Result<SegmentFile> {
        self.0.open_sparse(path).await
    }

    /// The whole of a small file.
    ///
    /// # Errors
    /// `NotFound`, or what the operating system says.
    pub async fn read(&self, path: &str) -> io::Result<Bytes> {
        self.0.read(path).await
    }

    /// Creates or truncates a small file and writes it. Not durable: see [`Disk::replace`].
    ///
    /// # Errors
    /// `StorageFull`, or what the operating system says; the file's content is unknown then.
    pub async fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.write(path, bytes).await
    }

    /// Makes the content of a small file durable; not its name.
    ///
    /// # Errors
    /// A failed sync is final: what the file holds after a crash is unknown, and a later success
    /// proves nothing about it.
    pub async fn sync_file(&self, path: &str) -> io::Result<()> {
        self.0.sync_file(path).await
    }

    /// Gives a file another name, taking the place of what had it. Atomic; durable after
    /// [`Disk::sync_dir`].
    ///
    /// # Errors
    /// `NotFound`, or what the operating system says.
    pub async fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to).await
    }

    /// Removes a file. Slices of it that are still held stay readable.
    ///
    /// # Errors
    /// `NotFound`, or what the operating system says.
    pub async fn remove_file(&self, path: &str) -> io::Result<()> {
        self.0.remove_file(path).await
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`, `NotFound`, or what the operating system says.
    pub async fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.0.remove_dir(path).await
    }

    /// Creates a directory and every missing one above it, and makes their names durable.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn create_dir(&self, path: &str) -> io::Result<()> {
        self.0.create_dir(path).await
    }

    /// Makes the names in a directory durable: what was created, renamed or removed there.
    ///
    /// # Errors
    /// What the operating system says; final, as for [`Disk::sync_file`].
    pub async fn sync_dir(&self, path: &str) -> io::Result<()> {
        self.0.sync_dir(path).await
    }

    /// The entries of a directory, by name; empty when it does not exist.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut entries = self.0.list(path).await?;
        entries.sort();
        Ok(entries)
    }

    /// Everything below a directory, in one go: names are paths relative to it, sorted; empty when
    /// it does not exist.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn walk(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut entries = self.0.walk(path).await?;
        entries.sort();
        Ok(entries)
    }

    /// Makes everything durable that was written or named on this disk before the call: for more
    /// files than are worth a sync each.
    ///
    /// # Errors
    /// Final for every file of the disk, as for [`SegmentFile::sync`].
    pub async fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all().await
    }

    /// Keeps memory of this process that will go into files from being paged out, until it is given
    /// back to the operating system. A hint: its bytes are as they were either way.
    ///
    /// # Errors
    /// What the operating system says: most often that this user may not pin so much
    /// (`ulimit -l`).
    pub fn pin_memory(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.pin_memory(bytes)
    }

    /// Takes the exclusive lock of a file, creating it if need be; held until dropped or until the
    /// process dies.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds it; the message says which, where it is known.
    pub async fn lock(&self, path: &str) -> io::Result<DiskLock> {
        self.0.lock(path).await
    }

    /// Who holds the lock of a file, in words; `None` when nobody does or there is no such file.
    /// Takes nothing and changes nothing, so it is true only for the moment.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn lock_holder(&self, path: &str) -> io::Result<Option<String>> {
        self.0.lock_holder(path).await
    }

    /// The space of the file system.
    ///
    /// # Errors
    /// What the operating system says. Unknown space is never zero.
    pub fn space(&self) -> io::Result<DiskSpace> {
        self.0.space()
    }

    /// Replaces a small file whole: after a crash it holds the old content or the new, never a
    /// mixture and never nothing. Durable when it returns.
    ///
    /// Scenario that each step is for: 1. the new bytes go to a temporary file, so a crash leaves
    /// the old content; 2. they are synced before the name moves, so the name never points at
    /// bytes that a power failure takes back; 3. the directory is synced, so the new name stays.
    ///
    /// # Errors
    /// `StorageFull`, or what the operating system says; the old content stands, or, when only the
    /// last step failed, either of the two.
    pub async fn replace(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.write_aside(path, bytes).await?;
        self.rename(&temporary, path).await?;
        self.sync_dir(parent(path)).await
    }

    /// Replaces a small file whole, as [`Disk::replace`] does, and keeps what it held as `kept`, in
    /// the same directory. After a crash, `path` holds the old content or the new, or there is no
    /// such file and `kept` holds the old; and `kept` is never older than the content before.
    ///
    /// Scenario that the additional step is for: without the directory synced in between, a power
    /// failure may take back the first name and not the second, and `kept` is two versions old.
    ///
    /// # Errors
    /// `StorageFull`, or what the operating system says; the old content stands under one of the
    /// two names, or, when only the last step failed, the new one.
    pub async fn replace_keeping(&self, path: &str, kept: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.write_aside(path, bytes).await?;
        match self.rename(path, kept).await {
            Ok(()) => self.sync_dir(parent(kept)).await?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        self.rename(&temporary, path).await?;
        self.sync_dir(parent(path)).await
    }

    /// Writes what shall stand at `path` beside it, durably, and gives the name.
    async fn write_aside(&self, path: &str, bytes: &[u8]) -> io::Result<String> {
        let temporary = format!("{path}.tmp");
        self.write(&temporary, bytes).await?;
        self.sync_file(&temporary).await?;
        Ok(temporary)
    }
}

/// The directory that holds `path`; the empty string for the root.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// One file of fixed length that is mapped, appended to and read by slices.
///
/// A writer never rewrites a range that a reader may hold a slice of; the caller keeps to it. (A
/// sparse one is not mapped and its slices are copies, so its ranges may be rewritten.)
#[derive(Clone)]
pub struct SegmentFile(Arc<dyn SegmentBackend>);

impl SegmentFile {
    /// Wraps a twin's segment.
    pub fn new(backend: impl SegmentBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Its length in bytes, fixed when it was created.
    #[expect(clippy::len_without_is_empty, reason = "a segment's length is a size, not a count")]
    pub fn len(&self) -> u64 {
        self.0.len()
    }

    /// Writes the parts one behind the other from `offset` on. They survive the death of the
    /// process from here on, but power loss only after [`SegmentFile::sync`].
    ///
    /// # Errors
    /// `InvalidInput` when the parts pass the segment's end (nothing is written then). A sparse
    /// segment may say `StorageFull`: the range is unknown then, and writing it again is sound.
    /// What the operating system says otherwise.
    pub fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.0.write_at(offset, parts)
    }

    /// The bytes `offset .. offset + len`. In production a view of the mapping, not a copy.
    ///
    /// # Errors
    /// `InvalidInput` when the range passes the segment's end; an injected or real read error.
    pub fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        self.0.slice(offset, len)
    }

    /// Returns once everything written to `range` before the call survives power loss.
    ///
    /// # Errors
    /// **Final.** The kernel may have dropped the pages and marked them clean, so the range is
    /// unknown for ever and no later success says anything about it. The caller stops
    /// acknowledging.
    pub async fn sync(&self, range: Range<u64>) -> io::Result<()> {
        self.0.sync(range).await
    }

    /// The offset behind the last byte that may be other than zero: behind it nothing was ever
    /// written. Its length where the file system cannot tell.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn data_end(&self) -> io::Result<u64> {
        self.0.data_end()
    }

    /// Makes the pages of `range` present and writeable, so that a write to them waits for nothing.
    /// A hint: where it cannot be followed, nothing happens.
    pub async fn populate(&self, range: Range<u64>) {
        self.0.populate(range).await;
    }

    /// Reads `range` from the device into memory. A hint, like [`SegmentFile::populate`].
    pub async fn load(&self, range: Range<u64>) {
        self.0.load(range).await;
    }

    /// Whether all of `range` is in memory, so that reading it waits for no device. True where
    /// nobody can tell.
    pub fn is_loaded(&self, range: Range<u64>) -> bool {
        self.0.is_loaded(range)
    }

    /// Tells that `range` will not be read again soon: its memory may go to others. A hint.
    pub fn release(&self, range: Range<u64>) {
        self.0.release(range);
    }

    /// Keeps all of it in memory, or lets go of it again.
    ///
    /// # Errors
    /// What the operating system says: most often that this user may not pin so much
    /// (`ulimit -l`).
    pub fn pin(&self, pinned: bool) -> io::Result<()> {
        self.0.pin(pinned)
    }
}

/// An exclusive lock on a file, given back when dropped.
pub struct DiskLock(#[expect(dead_code, reason = "held for its drop")] Box<dyn Send + Sync>);

impl DiskLock {
    /// Wraps what a twin holds while the lock is taken.
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self(Box::new(held))
    }
}
