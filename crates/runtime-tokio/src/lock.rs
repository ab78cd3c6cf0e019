//! The exclusive lock of a file, and who holds it.
//!
//! An open-file-description lock: it excludes a second opening by this process as well as by
//! another, and also a Java broker on the same store, whose `FileChannel.tryLock` is the older
//! kind of the same lock. The kernel does not tell who holds the newer kind, so the holder writes
//! its process id into the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

/// Takes the lock; it is held until the file is dropped.
pub(crate) fn take(path: &Path) -> io::Result<File> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut wish = whole_file();
    match control(&file, libc::F_OFD_SETLK, &mut wish) {
        Ok(()) => {}
        Err(error) if is_held(&error) => {
            let refusal = format!("{} holds the lock", holder(&mut file));
            return Err(io::Error::new(io::ErrorKind::WouldBlock, refusal));
        }
        Err(error) => return Err(error),
    }
    file.set_len(0)?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
    Ok(file)
}

/// Who holds the lock, if anybody does. The file need not be writable, and is not changed.
pub(crate) fn held_by(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut wish = whole_file();
    control(&file, libc::F_OFD_GETLK, &mut wish)?;
    let is_free = wish.l_type == libc::F_UNLCK as libc::c_short;
    Ok(if is_free { None } else { Some(holder(&mut file)) })
}

fn is_held(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES))
}

/// Who holds the lock of the file, as well as it can be known.
fn holder(file: &mut File) -> String {
    let mut wish = whole_file();
    let asked = control(file, libc::F_OFD_GETLK, &mut wish);
    let mut written = String::new();
    let pid = match (asked, wish.l_pid) {
        (Ok(()), pid @ 1..) => Some(pid),
        _ => file.read_to_string(&mut written).ok().and_then(|_| written.trim().parse().ok()),
    };
    let Some(pid) = pid else { return "another process".to_owned() };
    match std::fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim()),
        Err(_) => format!("process {pid}"),
    }
}

/// A write lock of all bytes, now and later.
fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn control(file: &File, command: libc::c_int, lock: &mut libc::flock) -> io::Result<()> {
    #[expect(unsafe_code, reason = "std knows flock(2) only, which a Java broker does not see")]
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and the two commands we
    // give read and write one `flock`, which `lock` is.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), command, std::ptr::from_mut(lock)) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_is_told_which_process_came_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = take(&path).unwrap();
        let refused = take(&path).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        let pid = std::process::id().to_string();
        assert!(refused.to_string().contains(&pid), "{refused}");
        assert!(held_by(&path).unwrap().is_some_and(|holder| holder.contains(&pid)));
        drop(first);
        assert_eq!(held_by(&path).unwrap(), None);
        take(&path).unwrap();
    }
}
