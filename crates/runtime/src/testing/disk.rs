//! The promises of [`Disk`] about names, small files and the lock.

use std::fmt::Debug;
use std::io::{self, ErrorKind};

use crate::{Disk, Entry, EntryKind};

pub(super) async fn suite(disk: &Disk) {
    small_files(disk).await;
    names(disk).await;
    directories(disk).await;
    what_is_missing_is_not_found(disk).await;
    only_paths_below_the_root(disk).await;
    one_lock_at_a_time(disk).await;
    space(disk);
    pinned_memory_is_as_it_was(disk);
}

/// The kind of the error that must have come.
pub(super) fn refused<T: Debug>(result: io::Result<T>, what: &str) -> ErrorKind {
    match result {
        Ok(value) => panic!("{what}: went well with {value:?}"),
        Err(error) => error.kind(),
    }
}

fn file(name: &str, len: u64) -> Entry {
    Entry { name: name.to_owned(), kind: EntryKind::File, len }
}

fn directory(name: &str) -> Entry {
    Entry { name: name.to_owned(), kind: EntryKind::Directory, len: 0 }
}

async fn small_files(disk: &Disk) {
    disk.create_dir("small").await.expect("create a directory");
    disk.write("small/a", b"a longer first text").await.expect("write");
    assert_eq!(disk.read("small/a").await.expect("read"), "a longer first text");
    disk.write("small/a", b"short").await.expect("write again");
    assert_eq!(disk.read("small/a").await.expect("read"), "short", "a rest of the old text");
    disk.sync_file("small/a").await.expect("sync the file");
    disk.sync_dir("small").await.expect("sync the directory");

    disk.replace("small/b", b"first").await.expect("replace what is not there");
    disk.replace("small/b", b"").await.expect("replace by nothing");
    assert_eq!(disk.read("small/b").await.expect("read"), "");
    let listed = disk.list("small").await.expect("list");
    assert_eq!(listed, [file("a", 5), file("b", 0)], "replace leaves its traces");
    disk.write("in-the-root", b"x").await.expect("write in the root");
    disk.sync_dir("").await.expect("sync the root");
    disk.remove_file("in-the-root").await.expect("remove from the root");
}

async fn names(disk: &Disk) {
    disk.create_dir("names").await.expect("create a directory");
    for name in ["names/b", "names/a", "names/0010", "names/0009"] {
        disk.write(name, name.as_bytes()).await.expect("write");
    }
    let listed: Vec<String> =
        disk.list("names").await.expect("list").into_iter().map(|entry| entry.name).collect();
    assert_eq!(listed, ["0009", "0010", "a", "b"], "not sorted");

    disk.rename("names/a", "names/c").await.expect("rename");
    assert_eq!(disk.read("names/c").await.expect("read the new name"), "names/a");
    assert_eq!(refused(disk.read("names/a").await, "the old name"), ErrorKind::NotFound);
    disk.rename("names/c", "names/b").await.expect("rename onto another");
    assert_eq!(disk.read("names/b").await.expect("read"), "names/a", "the old content stayed");

    disk.remove_file("names/b").await.expect("remove");
    assert_eq!(refused(disk.read("names/b").await, "what was removed"), ErrorKind::NotFound);
    let again = disk.remove_file("names/b").await;
    assert_eq!(refused(again, "remove it again"), ErrorKind::NotFound);
}

async fn directories(disk: &Disk) {
    disk.create_dir("deep/er/est").await.expect("create with those above");
    disk.create_dir("deep/er/est").await.expect("create what is there");
    disk.write("deep/er/file", b"1234").await.expect("write");
    let listed = disk.list("deep/er").await.expect("list");
    assert_eq!(listed, [directory("est"), file("file", 4)]);
    assert_eq!(disk.list("nowhere").await.expect("list what is not there"), []);

    let full = disk.remove_dir("deep/er").await;
    assert_eq!(refused(full, "remove a full directory"), ErrorKind::DirectoryNotEmpty);
    disk.remove_file("deep/er/file").await.expect("remove");
    disk.remove_dir("deep/er/est").await.expect("remove an empty directory");
    disk.remove_dir("deep/er").await.expect("remove the one above");
    assert_eq!(disk.list("deep").await.expect("list"), []);
}

async fn what_is_missing_is_not_found(disk: &Disk) {
    assert_eq!(refused(disk.read("no").await, "read"), ErrorKind::NotFound);
    assert_eq!(refused(disk.sync_file("no").await, "sync"), ErrorKind::NotFound);
    assert_eq!(refused(disk.rename("no", "nor").await, "rename"), ErrorKind::NotFound);
    assert_eq!(refused(disk.remove_dir("no").await, "remove_dir"), ErrorKind::NotFound);
    let nowhere = disk.write("no/file", b"x").await;
    assert_eq!(refused(nowhere, "write into no directory"), ErrorKind::NotFound);
}

async fn only_paths_below_the_root(disk: &Disk) {
    for path in ["../out", "/out", "small/../../out"] {
        let result = disk.write(path, b"x").await;
        assert_eq!(refused(result, path), ErrorKind::InvalidInput, "{path}");
    }
}

async fn one_lock_at_a_time(disk: &Disk) {
    let none = disk.lock_holder("lock").await.expect("ask for a lock that is not there");
    assert_eq!(none, None);
    let held = disk.lock("lock").await.expect("take the lock");
    let holder = disk.lock_holder("lock").await.expect("ask for a lock that is held");
    assert!(holder.is_some_and(|holder| !holder.is_empty()));
    let second = disk.lock("lock").await.map(|_| "a second lock");
    assert_eq!(refused(second, "lock it again"), ErrorKind::WouldBlock);
    drop(held);
    drop(disk.lock("lock").await.expect("take the lock that was given back"));
}

fn space(disk: &Disk) {
    let space = disk.space().expect("ask for the space");
    assert!(space.total > 0 && space.available <= space.total, "{space:?}");
}

fn pinned_memory_is_as_it_was(disk: &Disk) {
    let bytes = vec![7; 8 << 10];
    // This user may not be allowed to.
    let _ = disk.pin_memory(&bytes);
    assert!(bytes.iter().all(|byte| *byte == 7));
}
