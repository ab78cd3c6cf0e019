//! The promises of [`SegmentFile`].

use std::io::ErrorKind;

use super::disk::refused;
use crate::{Disk, SegmentFile};

const LEN: u64 = 64 * 1024;

pub(super) async fn suite(disk: &Disk) {
    disk.create_dir("segments").await.expect("create a directory");
    creation(disk).await;
    let segment = disk.create_segment("segments/one", LEN).await.expect("create a segment");
    parts_lie_one_behind_the_other(&segment);
    nothing_passes_the_end(&segment).await;
    ranges_sync(&segment).await;
    a_second_opening_sees_the_same(disk, &segment).await;
    slices_outlive_the_file(disk, segment).await;
    advice_changes_nothing(disk).await;
    holes_stay_holes(disk).await;
    everything_is_walked(disk).await;
}

async fn creation(disk: &Disk) {
    let nowhere = disk.create_segment("no/segment", LEN).await.map(|_| "a segment");
    assert_eq!(refused(nowhere, "create in no directory"), ErrorKind::NotFound);
    let missing = disk.open_segment("segments/none").await.map(|_| "a segment");
    assert_eq!(refused(missing, "open what is not there"), ErrorKind::NotFound);

    let segment = disk.create_segment("segments/new", LEN).await.expect("create a segment");
    assert_eq!(segment.len(), LEN);
    let zeroes = segment.slice(0, LEN).expect("read all of it");
    assert!(zeroes.iter().all(|byte| *byte == 0), "a new segment is not zero");
    let again = disk.create_segment("segments/new", LEN).await.map(|_| "a segment");
    assert_eq!(refused(again, "create it again"), ErrorKind::AlreadyExists);
    assert_eq!(disk.list("segments").await.expect("list")[0].len, LEN);
    disk.sync_dir("segments").await.expect("sync the directory");
    disk.remove_file("segments/new").await.expect("remove");
}

fn parts_lie_one_behind_the_other(segment: &SegmentFile) {
    segment.write_at(100, &[b"one", b"", b" two", b" three"]).expect("write");
    assert_eq!(segment.slice(100, 13).expect("read"), "one two three");
    assert_eq!(segment.slice(99, 2).expect("read")[..], [0, b'o']);
    assert_eq!(segment.slice(112, 2).expect("read")[..], [b'e', 0]);
    let slice = segment.slice(104, 9).expect("read");
    segment.write_at(113, &[b" four"]).expect("write behind it");
    assert_eq!(slice, "two three", "a slice changed under a write behind it");
    segment.write_at(200, &[]).expect("write nothing");
}

async fn nothing_passes_the_end(segment: &SegmentFile) {
    segment.write_at(LEN - 4, &[b"last"]).expect("write up to the end");
    let over = segment.write_at(LEN - 4, &[b"LAS", b"T!"]);
    assert_eq!(refused(over, "write past the end"), ErrorKind::InvalidInput);
    assert_eq!(segment.slice(LEN - 4, 4).expect("read"), "last", "a refused write left a part");
    for (offset, len) in [(LEN - 4, 5), (LEN + 1, 0), (u64::MAX, 1), (0, u64::MAX)] {
        let result = segment.slice(offset, len);
        assert_eq!(refused(result, "read past the end"), ErrorKind::InvalidInput);
    }
    assert_eq!(segment.slice(LEN, 0).expect("read nothing at the end"), "");
    let over = segment.sync(0..LEN + 1).await;
    assert_eq!(refused(over, "sync past the end"), ErrorKind::InvalidInput);
}

async fn ranges_sync(segment: &SegmentFile) {
    for range in [0..LEN, 5000..5001, 4095..4097, LEN - 1..LEN, 10..10] {
        segment.sync(range.clone()).await.unwrap_or_else(|error| panic!("{range:?}: {error}"));
    }
}

async fn a_second_opening_sees_the_same(disk: &Disk, segment: &SegmentFile) {
    let second = disk.open_segment("segments/one").await.expect("open");
    assert_eq!(second.len(), LEN);
    assert_eq!(second.slice(100, 13).expect("read"), "one two three");
    segment.clone().write_at(300, &[b"shared"]).expect("write through a clone");
    assert_eq!(second.slice(300, 6).expect("read"), "shared");
    disk.rename("segments/one", "segments/two").await.expect("rename what is open");
    segment.write_at(400, &[b"renamed"]).expect("write under the new name");
    let moved = disk.open_segment("segments/two").await.expect("open the new name");
    assert_eq!(moved.slice(400, 7).expect("read"), "renamed");
}

async fn slices_outlive_the_file(disk: &Disk, segment: SegmentFile) {
    let slice = segment.slice(100, 13).expect("read");
    disk.remove_file("segments/two").await.expect("remove what is open");
    drop(segment);
    assert_eq!(slice, "one two three");
    assert_eq!(disk.list("segments").await.expect("list"), []);
    let gone = disk.open_segment("segments/two").await.map(|_| "a segment");
    assert_eq!(refused(gone, "open what was removed"), ErrorKind::NotFound);
}

async fn advice_changes_nothing(disk: &Disk) {
    let segment = disk.create_segment("segments/advised", LEN).await.expect("create a segment");
    segment.write_at(5000, &[b"advised"]).expect("write");
    let slice = segment.slice(5000, 7).expect("read");
    segment.populate(0..LEN).await;
    segment.load(4096..LEN).await;
    segment.release(0..LEN);
    let _ = segment.is_loaded(0..LEN);
    // A user may not be allowed to pin; it must not matter.
    let _ = segment.pin(true).and_then(|()| segment.pin(false));
    assert_eq!(segment.slice(5000, 7).expect("read"), "advised");
    assert_eq!(slice, "advised", "a held slice changed");
    let end = segment.data_end().expect("where the data ends");
    assert!((5007..=LEN).contains(&end), "data ends at {end}");
    disk.remove_file("segments/advised").await.expect("remove");
}

async fn holes_stay_holes(disk: &Disk) {
    let before = disk.space().expect("ask for the space").available;
    let sparse = disk.create_sparse("segments/sparse", 1 << 30).await.expect("create with holes");
    let after = disk.space().expect("ask for the space").available;
    // Others may write on a real disk meanwhile, but hardly half a gibibyte.
    assert!(before.saturating_sub(after) < 1 << 29, "a hole takes room");
    assert_eq!(sparse.len(), 1 << 30);
    parts_lie_one_behind_the_other(&sparse);
    sparse.write_at(100, &[b"again"]).expect("write the same place again");
    sparse.sync(0..4096).await.expect("sync");
    let second = disk.open_sparse("segments/sparse").await.expect("open");
    assert_eq!(second.slice(100, 5).expect("read"), "again");
    let over = second.write_at((1 << 30) - 1, &[b"no"]);
    assert_eq!(refused(over, "write past the end"), ErrorKind::InvalidInput);
    let end = second.data_end().expect("where the data ends");
    assert!((200..1 << 29).contains(&end), "data ends at {end}");
    let twice = disk.create_sparse("segments/sparse", 1).await.map(|_| "a segment");
    assert_eq!(refused(twice, "create it again"), ErrorKind::AlreadyExists);
    disk.sync_all().await.expect("sync everything");
    disk.remove_file("segments/sparse").await.expect("remove");
}

async fn everything_is_walked(disk: &Disk) {
    disk.create_dir("walked/b/c").await.expect("create directories");
    disk.create_segment("walked/b/c/file", 10).await.expect("create");
    disk.create_sparse("walked/a", 20).await.expect("create");
    let found = disk.walk("walked").await.expect("walk");
    let names: Vec<_> = found.iter().map(|entry| (entry.name.as_str(), entry.len)).collect();
    assert_eq!(names, [("a", 20), ("b", 0), ("b/c", 0), ("b/c/file", 10)]);
    assert_eq!(disk.walk("not-there").await.expect("walk what is not there"), []);
}
