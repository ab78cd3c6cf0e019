//! One file with holes, read and written at positions: long by format and mostly empty.
//!
//! It is not mapped: a mapped hole that finds no room on a full disk is a SIGBUS, a write is an
//! error; and mappings are counted by the kernel, which allows some 65,000 to a process.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::file::MachineFile;
use crate::memory::{self, Advice};

/// A file with holes. Clones share the descriptor.
#[derive(Clone)]
pub(crate) struct Sparse {
    file: Arc<File>,
    len: u64,
}

impl Sparse {
    /// Creates a file of zeroes without blocks. Leaves nothing behind when it fails.
    pub(crate) fn create(path: &Path, len: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.set_len(len).inspect_err(|_| {
            // The error we have says more than the one we might get here.
            let _ = std::fs::remove_file(path);
        })?;
        Ok(Self { file: Arc::new(file), len })
    }

    /// Opens a file as long as it is, to read alone where more is not allowed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let both = OpenOptions::new().read(true).write(true).open(path);
        let file = match both {
            Err(error) if is_read_only(&error) => File::open(path)?,
            both => both?,
        };
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len })
    }

    fn inside(&self, offset: u64, len: usize) -> io::Result<()> {
        match offset.checked_add(len as u64) {
            Some(end) if end <= self.len => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{len} bytes at {offset} pass the segment's end at {}", self.len),
            )),
        }
    }
}

impl MachineFile for Sparse {
    fn len(&self) -> u64 {
        self.len
    }

    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let len = parts.iter().map(|part| part.len()).sum();
        self.inside(offset, len)?;
        let mut at = offset;
        for part in parts {
            self.file.write_all_at(part, at)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        self.inside(offset, len)?;
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }

    /// Waits until all of the file has reached the device; the kernel has no less to offer.
    fn sync(&self, range: Range<u64>) -> io::Result<()> {
        let len = range.end.saturating_sub(range.start);
        self.inside(range.start, usize::try_from(len).unwrap_or(usize::MAX))?;
        if range.is_empty() { Ok(()) } else { self.file.sync_data() }
    }

    fn data_end(&self) -> io::Result<u64> {
        memory::data_end(&self.file, self.len)
    }

    // Nothing is mapped, so there is nothing to advise about.

    fn advise(&self, _advice: Advice, _range: Range<u64>) {}

    fn is_loaded(&self, _range: Range<u64>) -> bool {
        true
    }

    fn pin(&self, _pinned: bool) -> io::Result<()> {
        Ok(())
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_gibibyte_of_holes_takes_no_room_and_ends_behind_its_data() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse");
        let sparse = Sparse::create(&path, 1 << 30).unwrap();
        assert_eq!(sparse.data_end().unwrap(), 0);
        sparse.write_at(1 << 20, &[b"a", b"b"]).unwrap();
        assert_eq!(sparse.slice((1 << 20) - 1, 4).unwrap()[..], *b"\0ab\0");
        assert!((1 << 20) + 2 <= sparse.data_end().unwrap());
        assert!(std::fs::metadata(&path).unwrap().blocks() * 512 < 1 << 29);
        assert_eq!(Sparse::open(&path).unwrap().len(), 1 << 30);
    }
}
