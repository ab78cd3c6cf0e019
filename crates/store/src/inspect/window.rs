//! A file read from front to back, a window at a time.

use std::io;

use bytes::Bytes;
use runtime::{Disk, SegmentFile};

/// How many bytes are read at once.
pub(super) const WINDOW_LEN: u64 = 1 << 20;

/// An open file and the part of it that was read last.
pub(super) struct Window {
    file: SegmentFile,
    at: u64,
    bytes: Bytes,
}

impl Window {
    /// Opens a file that nobody is going to change through this.
    pub(super) async fn open(disk: &Disk, path: &str) -> io::Result<Self> {
        let file = disk.open_sparse(path).await?;
        Ok(Self { file, at: 0, bytes: Bytes::new() })
    }

    /// The length of the file in bytes.
    pub(super) fn len(&self) -> u64 {
        self.file.len()
    }

    /// The offset behind the last byte that may be other than zero.
    pub(super) fn data_end(&self) -> u64 {
        self.file.data_end().unwrap_or(self.file.len())
    }

    /// The bytes `at .. at + len`, or to the file's end where that comes first.
    pub(super) fn get(&mut self, at: u64, len: u64) -> io::Result<Bytes> {
        let len = len.min(self.len().saturating_sub(at));
        let held = self.at..self.at + self.bytes.len() as u64;
        if at < held.start || at + len > held.end {
            let ahead = WINDOW_LEN.max(len).min(self.len().saturating_sub(at));
            self.bytes = self.file.slice(at, ahead)?;
            self.at = at;
        }
        let from = (at - self.at) as usize;
        Ok(self.bytes.slice(from..from + len as usize))
    }
}
