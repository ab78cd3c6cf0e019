//! Names in directories, and what a file system says about itself.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use runtime::{DiskSpace, Entry, EntryKind};

/// Creates the directory and every missing one above it; their names are durable afterwards.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    create(above)?;
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        result => result?,
    }
    sync(above)
}

/// Makes the names in the directory durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The files and directories in it; nothing when it does not exist.
pub(crate) fn list(path: &Path) -> io::Result<Vec<Entry>> {
    let names = match std::fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names?,
    };
    let mut entries = Vec::new();
    for name in names {
        let name = name?;
        let metadata = match name.metadata() {
            // Removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        let (kind, len) = match metadata.is_dir() {
            true => (EntryKind::Directory, 0),
            false => (EntryKind::File, metadata.len()),
        };
        entries.push(Entry { name: name.file_name().to_string_lossy().into_owned(), kind, len });
    }
    Ok(entries)
}

/// Everything below it, with paths from there; nothing when it does not exist.
pub(crate) fn walk(path: &Path) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    let mut above = vec![(String::new(), path.to_owned())];
    while let Some((prefix, directory)) = above.pop() {
        for mut entry in list(&directory)? {
            let below = directory.join(&entry.name);
            entry.name.insert_str(0, &prefix);
            if entry.kind == EntryKind::Directory {
                above.push((format!("{}/", entry.name), below));
            }
            found.push(entry);
        }
    }
    Ok(found)
}

/// Makes the whole file system durable that holds the directory.
pub(crate) fn sync_all(directory: &File) -> io::Result<()> {
    #[expect(unsafe_code, reason = "std has no form of it")]
    // SAFETY: it takes a number only, and the descriptor is open while `directory` is borrowed.
    match unsafe { libc::syncfs(directory.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The space of the file system that holds the path.
pub(crate) fn space(path: &Path) -> io::Result<DiskSpace> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut answer = MaybeUninit::<libc::statvfs>::zeroed();
    #[expect(unsafe_code, reason = "statvfs has no safe form in std")]
    // SAFETY: `path` ends with a zero byte, `answer` is a statvfs to write to, and all of its
    // fields are integers, for which zeroes are a value.
    let answer = unsafe {
        if libc::statvfs(path.as_ptr(), answer.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        answer.assume_init()
    };
    Ok(in_bytes(&answer))
}

/// What `df` makes of it: blocks that the file system keeps for others than this user count
/// neither as used nor as free. Taken for used, they would let a half empty disk seem full, and
/// its messages go.
fn in_bytes(answer: &libc::statvfs) -> DiskSpace {
    let (block, available) = (answer.f_frsize, answer.f_bavail);
    let used = answer.f_blocks.saturating_sub(answer.f_bfree);
    DiskSpace { total: block * (used + available), available: block * available }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_kept_for_others_are_not_used_ones() {
        // SAFETY: all of its fields are integers, for which zeroes are a value.
        #[expect(unsafe_code, reason = "libc offers no other value of it")]
        let mut answer = unsafe { MaybeUninit::<libc::statvfs>::zeroed().assume_init() };
        (answer.f_frsize, answer.f_blocks) = (4096, 1_000);
        // 210 blocks are used, and of the 790 free ones 640 are kept for others.
        (answer.f_bfree, answer.f_bavail) = (790, 150);
        let space = in_bytes(&answer);
        assert_eq!(space, DiskSpace { total: 360 * 4096, available: 150 * 4096 });
    }
}
