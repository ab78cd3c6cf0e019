//! What the two kinds of files offer: mapped ones ([`crate::segment`]) and those with holes
//! ([`crate::sparse`]). The verbs are those of the door, [`runtime::SegmentBackend`].

use std::io;
use std::ops::Range;

use bytes::Bytes;

use crate::memory::Advice;

/// A file of this machine behind the door's segments. Clones are the same file.
pub(crate) trait MachineFile: Clone + Send + Sync + 'static {
    fn len(&self) -> u64;
    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()>;
    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes>;
    /// Waits until the range has reached the device, where the caller is.
    fn sync(&self, range: Range<u64>) -> io::Result<()>;
    fn data_end(&self) -> io::Result<u64>;
    fn advise(&self, advice: Advice, range: Range<u64>);
    fn is_loaded(&self, range: Range<u64>) -> bool;
    fn pin(&self, pinned: bool) -> io::Result<()>;
}
