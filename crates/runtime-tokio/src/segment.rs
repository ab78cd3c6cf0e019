//! One file, mapped whole.
//!
//! Writers copy into the mapping, readers hold views of it. A range that a reader can see is never
//! rewritten (the door's rule), so the two never touch the same byte at the same time.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use memmap2::MmapRaw;

use crate::file::MachineFile;
use crate::memory::{self, Advice};

/// The unit of `st_blocks`, whatever the file system's own block is.
const STAT_BLOCK: u64 = 512;

/// A mapped file. Clones share the mapping, which lasts as long as they and every view of it.
#[derive(Clone)]
pub(crate) struct Segment {
    file: Arc<File>,
    mapping: Arc<MmapRaw>,
    /// The view of all of it, from which the others are cut: one count per view, no allocation.
    whole: Bytes,
}

impl Segment {
    /// Creates a file of zeroes whose blocks are allocated. Leaves nothing behind when it fails.
    pub(crate) fn create(path: &Path, len: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        allocate(&file, len).and_then(|()| Self::map(file)).inspect_err(|_| {
            // The error we have says more than the one we might get here.
            let _ = std::fs::remove_file(path);
        })
    }

    /// Opens a file as long as it is. Holes in it (another broker's files have them) are filled
    /// first, because writing into a hole on a full disk is a SIGBUS.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let metadata = file.metadata()?;
        if metadata.blocks() * STAT_BLOCK < metadata.len() {
            allocate(&file, metadata.len())?;
        }
        Self::map(file)
    }

    fn map(file: File) -> io::Result<Self> {
        let mapping = Arc::new(MmapRaw::map_raw(&file)?);
        let whole = Bytes::from_owner(View(mapping.clone()));
        Ok(Self { file: Arc::new(file), mapping, whole })
    }

    /// The range in this process' numbers, if the segment has it.
    fn inside(&self, offset: u64, len: usize) -> io::Result<Range<usize>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        match start.checked_add(len) {
            Some(end) if end <= self.mapping.len() => Ok(start..end),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{len} bytes at {offset} pass the segment's end at {}", self.len()),
            )),
        }
    }
}

impl MachineFile for Segment {
    fn len(&self) -> u64 {
        self.mapping.len() as u64
    }

    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let len = parts.iter().map(|part| part.len()).sum();
        let mut at = self.inside(offset, len)?.start;
        for part in parts {
            #[expect(unsafe_code, reason = "the one copy of a message, into shared memory")]
            // SAFETY: `inside` has checked that all parts end within the mapping. No reference to
            // this range exists: the door forbids rewriting what a reader can see. The source is
            // elsewhere or in a range readers see, so the two do not overlap.
            unsafe {
                let to = self.mapping.as_mut_ptr().add(at);
                std::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
            }
            at += part.len();
        }
        Ok(())
    }

    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Ok(self.whole.slice(self.inside(offset, len)?))
    }

    /// Waits until the range has reached the device.
    fn sync(&self, range: Range<u64>) -> io::Result<()> {
        let len = range.end.saturating_sub(range.start);
        let range = self.inside(range.start, usize::try_from(len).unwrap_or(usize::MAX))?;
        if range.is_empty() {
            return Ok(());
        }
        // MS_SYNC, from the start of the first page.
        self.mapping.flush_range(range.start, range.len())
    }

    /// Behind the last byte that was ever written.
    fn data_end(&self) -> io::Result<u64> {
        memory::data_end(&self.file, self.len())
    }

    /// Gives the kernel a piece of advice about a range, if the segment has it.
    fn advise(&self, advice: Advice, range: Range<u64>) {
        let len = range.end.saturating_sub(range.start);
        if let Ok(range) = self.inside(range.start, usize::try_from(len).unwrap_or(usize::MAX)) {
            memory::advise(&self.mapping, &self.file, advice, range);
        }
    }

    /// Whether all of the range is in memory.
    fn is_loaded(&self, range: Range<u64>) -> bool {
        let len = range.end.saturating_sub(range.start);
        self.inside(range.start, usize::try_from(len).unwrap_or(usize::MAX))
            .is_ok_and(|range| memory::is_loaded(&self.mapping, range))
    }

    fn pin(&self, pinned: bool) -> io::Result<()> {
        if pinned { self.mapping.lock() } else { self.mapping.unlock() }
    }
}

/// Keeps the mapping while views of it are held.
struct View(Arc<MmapRaw>);

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        #[expect(unsafe_code, reason = "readers hold views of the mapping, not copies")]
        // SAFETY: the pointer and length are the mapping's, which lives as long as `self`. The
        // file is not shortened while it is mapped (it is locked by this process), and a range
        // that is looked at is not written any more.
        unsafe {
            std::slice::from_raw_parts(self.0.as_ptr(), self.0.len())
        }
    }
}

/// Gives the first `len` bytes of the file real blocks.
fn allocate(file: &File, len: u64) -> io::Result<()> {
    let len = libc::off_t::try_from(len)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "longer than a file can be"))?;
    if len == 0 {
        return Ok(());
    }
    loop {
        #[expect(unsafe_code, reason = "std has no form of it")]
        // SAFETY: it takes numbers only, and the descriptor is open while `file` is borrowed.
        let code = unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, len) };
        match code {
            0 => return Ok(()),
            libc::EINTR => {}
            // A quota is a disk that is full for this user.
            libc::EDQUOT => return Err(io::Error::from_raw_os_error(libc::ENOSPC)),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_allocated_when_a_segment_is_created() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        Segment::create(&path, 1 << 20).unwrap();
        assert!(std::fs::metadata(&path).unwrap().blocks() * STAT_BLOCK >= 1 << 20);
    }

    #[test]
    fn holes_are_filled_when_a_segment_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        File::create(&path).unwrap().set_len(1 << 20).unwrap();
        Segment::open(&path).unwrap();
        assert!(std::fs::metadata(&path).unwrap().blocks() * STAT_BLOCK >= 1 << 20);
    }

    #[test]
    fn a_segment_that_finds_no_space_leaves_no_file_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        // More than any file system has.
        assert!(Segment::create(&path, 1 << 62).is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_view_outlives_its_segment_and_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        let segment = Segment::create(&path, 8192).unwrap();
        segment.write_at(4090, &[b"one ", b"two ", b"three"]).unwrap();
        let view = segment.slice(4090, 13).unwrap();
        std::fs::remove_file(&path).unwrap();
        drop(segment);
        assert_eq!(view, "one two three");
    }

    #[test]
    fn a_view_is_not_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let segment = Segment::create(&dir.path().join("segment"), 4096).unwrap();
        let view = segment.slice(100, 5).unwrap();
        assert_eq!(view.as_ptr(), segment.mapping.as_ptr().wrapping_add(100));
    }
}
