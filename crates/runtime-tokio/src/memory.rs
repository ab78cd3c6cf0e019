//! What the kernel is told and asked about the memory behind a file.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

use memmap2::MmapRaw;

/// The page of every machine that this is built for; a larger one only makes ranges coarser.
const PAGE: usize = 4096;
/// The kernel keeps a list of differently advised pieces of a mapping: they are at least this long.
const CHUNK: usize = 64 << 20;
/// `MADV_POPULATE_READ`, Linux 5.14.
const POPULATE_READ: libc::c_int = 22;
/// `MADV_POPULATE_WRITE`, Linux 5.14.
const POPULATE_WRITE: libc::c_int = 23;

/// What may be said about a range. All of it is advice: a kernel that knows it not ignores it.
#[derive(Clone, Copy)]
pub(crate) enum Advice {
    /// Make the pages present and writeable, now.
    Populate,
    /// Read the pages from the device, now.
    Load,
    /// Let go of the pages.
    Release,
}

/// Follows the advice for `range` of the mapping, which is within it.
pub(crate) fn advise(mapping: &MmapRaw, file: &File, advice: Advice, range: Range<usize>) {
    let start = range.start / PAGE * PAGE;
    let len = range.end - start;
    let code = match advice {
        Advice::Populate => POPULATE_WRITE,
        Advice::Load => POPULATE_READ,
        Advice::Release => libc::MADV_DONTNEED,
    };
    // Whoever asks for loads says how much is read. The kernel's own read-ahead, which every touch
    // of the mapping sets off, would read on without a bound; it ends where loads have begun.
    let ours = start / CHUNK * CHUNK;
    let ours_len = (range.end.div_ceil(CHUNK) * CHUNK).min(mapping.len()) - ours;
    #[expect(unsafe_code, reason = "memmap2 does not offer these")]
    // SAFETY: the ranges are whole pages of a live shared mapping of a file, or end where it ends.
    // None of these changes what it shows: populating faults pages in, RANDOM and WILLNEED are
    // about reading ahead, DONTNEED of a shared file mapping only drops this process' page table
    // entries, and fadvise of it drops clean pages of the cache.
    unsafe {
        if matches!(advice, Advice::Load) {
            let from = mapping.as_mut_ptr().add(ours).cast();
            let _ = libc::madvise(from, ours_len, libc::MADV_RANDOM);
            let (start, len) = (start as libc::off_t, len as libc::off_t);
            let _ = libc::posix_fadvise(file.as_raw_fd(), start, len, libc::POSIX_FADV_WILLNEED);
        }
        let _ = libc::madvise(mapping.as_mut_ptr().add(start).cast(), len, code);
        if matches!(advice, Advice::Release) {
            let (start, len) = (start as libc::off_t, len as libc::off_t);
            let _ = libc::posix_fadvise(file.as_raw_fd(), start, len, libc::POSIX_FADV_DONTNEED);
        }
    }
}

/// Keeps the pages of these bytes in memory until they are unmapped.
pub(crate) fn pin(bytes: &[u8]) -> io::Result<()> {
    #[expect(unsafe_code, reason = "std cannot lock memory")]
    // SAFETY: the range is a live one, and locking its pages changes none of their bytes. Pages
    // that are shared with other memory of this process stay in memory, too.
    let answer = unsafe { libc::mlock(bytes.as_ptr().cast(), bytes.len()) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether every page of `range` is in memory; true when the kernel does not say.
pub(crate) fn is_loaded(mapping: &MmapRaw, range: Range<usize>) -> bool {
    /// So many pages are asked for at once.
    const AT_ONCE: usize = 256;
    let mut start = range.start / PAGE * PAGE;
    while start < range.end {
        let len = (range.end - start).min(AT_ONCE * PAGE);
        let mut present = [0_u8; AT_ONCE];
        #[expect(unsafe_code, reason = "mincore has no safe form")]
        // SAFETY: the pages are within a live mapping, and `present` has a byte for each of them.
        let answered = unsafe {
            let from = mapping.as_mut_ptr().add(start).cast();
            libc::mincore(from, len, present.as_mut_ptr()) == 0
        };
        if answered && present[..len.div_ceil(PAGE)].iter().any(|page| page & 1 == 0) {
            return false;
        }
        start += AT_ONCE * PAGE;
    }
    true
}

/// The offset behind the last data of a file; `len` where the file system does not tell.
pub(crate) fn data_end(file: &File, len: u64) -> io::Result<u64> {
    let (mut from, mut end) = (0, 0);
    loop {
        let Some(data) = seek(file, from, libc::SEEK_DATA, len)? else { return Ok(end) };
        match seek(file, data, libc::SEEK_HOLE, len)? {
            Some(hole) if hole < len => (from, end) = (hole, hole),
            _ => return Ok(len),
        }
    }
}

/// Where the next data or hole begins; `None` behind the last. The descriptor is used with
/// positions only, so that its own does not matter.
fn seek(file: &File, from: u64, whence: libc::c_int, len: u64) -> io::Result<Option<u64>> {
    let from = libc::off_t::try_from(from).map_err(io::Error::other)?;
    #[expect(unsafe_code, reason = "std cannot ask for holes")]
    // SAFETY: it takes numbers only, and the descriptor is open while `file` is borrowed.
    let found = unsafe { libc::lseek(file.as_raw_fd(), from, whence) };
    if let Ok(found) = u64::try_from(found) {
        return Ok(Some(found));
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
        // A file system without holes: everything may be data.
        error if error.raw_os_error() == Some(libc::EINVAL) => {
            Ok(if whence == libc::SEEK_DATA { Some(0) } else { Some(len) })
        }
        error => Err(error),
    }
}
