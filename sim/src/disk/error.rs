//! What a disk says when it says no, each with the path.

use std::io::{Error, ErrorKind};

pub(crate) fn not_found(path: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("{path}: no such file or directory"))
}

pub(crate) fn not_below_the_root(path: &str) -> Error {
    let message = format!("{path}: not a path below the root: leave out `..` and a leading `/`");
    Error::new(ErrorKind::InvalidInput, message)
}

pub(crate) fn already_exists(path: &str) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("{path}: already exists"))
}

pub(crate) fn is_a_directory(path: &str) -> Error {
    Error::new(ErrorKind::IsADirectory, format!("{path}: is a directory"))
}

pub(crate) fn not_a_directory(path: &str) -> Error {
    Error::new(ErrorKind::NotADirectory, format!("{path}: is not a directory"))
}

pub(crate) fn not_empty(path: &str) -> Error {
    Error::new(ErrorKind::DirectoryNotEmpty, format!("{path}: directory is not empty"))
}

pub(crate) fn full(path: &str, wanted: u64, available: u64) -> Error {
    let message = format!("{path}: no space left: {wanted} bytes wanted, {available} available");
    Error::new(ErrorKind::StorageFull, message)
}

pub(crate) fn past_the_end(path: &str, offset: u64, len: u64, size: u64) -> Error {
    let message = format!("{path}: {offset} + {len} passes the end at {size}");
    Error::new(ErrorKind::InvalidInput, message)
}

pub(crate) fn locked(path: &str) -> Error {
    Error::new(ErrorKind::WouldBlock, format!("{path}: locked by another holder on this node"))
}

/// EIO.
pub(crate) fn failed(path: &str, what: &str) -> Error {
    Error::other(format!("{path}: {what} failed: input/output error (injected)"))
}

/// A handle of a process that is dead: whatever it still tries has no effect.
pub(crate) fn fenced(path: &str) -> Error {
    Error::other(format!("{path}: the process that opened this is dead"))
}
