//! Recovery of the queues: open their files and cut them back to what the checkpoint vouches for.
//! What was behind is dispatched again from the log.

use std::io;

use message::record::View;
use runtime::{Disk, EntryKind};

use crate::commit_log::record_at;
use crate::consume_queue::{Entry, Queue, Queues};
use crate::error::OpenError;
use crate::layout::{ENTRY_LEN, Layout};
use crate::segment_set::{Segment, SegmentSet};

/// Opens every queue that has a directory.
pub(super) async fn open(disk: &Disk, layout: &Layout) -> Result<Queues, OpenError> {
    let queues = Queues::new(layout.clone());
    let failed = |error| OpenError::disk(&layout.queues(), error);
    for topic in disk.list(&layout.queues()).await.map_err(failed)? {
        for queue in disk.list(&layout.topic(&topic.name)).await.map_err(failed)? {
            let Some(queue_id) = queue.name.parse().ok().filter(|_| is_directory(queue.kind))
            else {
                tracing::warn!(topic = topic.name, name = queue.name, "no queue; ignored");
                continue;
            };
            let directory = layout.queue(&topic.name, queue_id);
            let segments = SegmentSet::open(disk, directory).await.map_err(failed)?;
            queues.add(Queue::new(&topic.name, queue_id, segments));
        }
    }
    Ok(queues)
}

fn is_directory(kind: EntryKind) -> bool {
    kind == EntryKind::Directory
}

/// Cuts every queue back to the entries of records below `vouched`. Says whether all of them were
/// sound; otherwise they must be filled from the start of the log.
pub(super) async fn cut(
    disk: &Disk,
    queues: &Queues,
    log: &SegmentSet,
    vouched: u64,
) -> Result<bool, OpenError> {
    let mut sound = true;
    for queue in queues.all() {
        let cut = cut_one(disk, &queue, log, vouched).await;
        let directory = queue.segments().directory();
        sound &= cut.map_err(|error| OpenError::disk(directory, error))?;
    }
    Ok(sound)
}

async fn cut_one(disk: &Disk, queue: &Queue, log: &SegmentSet, vouched: u64) -> io::Result<bool> {
    drop_misfits(disk, queue).await?;
    let scanned = vouched_end(queue, vouched).await?;
    let end = match scanned {
        Some(scanned) => matching_end(queue, log, scanned).await?,
        None => None,
    };
    let Some(end) = end else {
        queue.segments().remove_from(disk, 0).await?;
        return Ok(scanned.is_none());
    };
    let byte = end * ENTRY_LEN;
    let (later, zeroed) = match queue.segments().find(byte) {
        Some(file) => (file.end(), file.zero(byte..file.end(), byte)?),
        None => (byte, false),
    };
    queue.segments().remove_from(disk, later).await?;
    queue.recovered(first_message(queue, log, end).await?, end, zeroed);
    Ok(scanned == Some(end))
}

/// Removes files from the first on that does not follow the one before, or that no whole number
/// of entries fits into.
async fn drop_misfits(disk: &Disk, queue: &Queue) -> io::Result<()> {
    let mut expected = None;
    for file in queue.segments().all() {
        let fits = file.file.len().is_multiple_of(ENTRY_LEN) && file.base.is_multiple_of(ENTRY_LEN);
        if !fits || expected.is_some_and(|expected| expected != file.base) {
            tracing::error!(base = file.base, "a ConsumeQueue file does not fit; removed");
            return queue.segments().remove_from(disk, file.base).await;
        }
        expected = Some(file.end());
    }
    Ok(())
}

/// The position behind the last entry that the checkpoint vouches for; `None` when there is none.
///
/// All of those are durable and in the order of the log, so the first entry that is absent, not in
/// order, or of a later record ends them. What stands behind may be anything.
async fn vouched_end(queue: &Queue, vouched: u64) -> io::Result<Option<u64>> {
    for file in queue.segments().all().iter().rev() {
        let count = vouched_count(queue, file, vouched).await?;
        if count > 0 {
            return Ok(Some(file.base / ENTRY_LEN + count));
        }
    }
    Ok(None)
}

/// How many entries from the start of a file the checkpoint vouches for.
async fn vouched_count(queue: &Queue, file: &Segment, vouched: u64) -> io::Result<u64> {
    let entries = queue.entries(file.base / ENTRY_LEN, u64::MAX / ENTRY_LEN).await?;
    let mut order = 0;
    let mut count = 0;
    for bytes in entries.chunks_exact(ENTRY_LEN as usize) {
        let Some(entry) = bytes.first_chunk().and_then(Entry::decode) else { break };
        if !entry.is_filler() {
            if entry.physical < order || entry.end() > vouched {
                break;
            }
            order = entry.end();
        }
        count += 1;
    }
    Ok(count)
}

/// The position behind the last entry, at `end` or before, whose record says that it is its own.
async fn matching_end(queue: &Queue, log: &SegmentSet, end: u64) -> io::Result<Option<u64>> {
    let Some(first) = queue.segments().first() else { return Ok(None) };
    let mut end = end;
    while end > first.base / ENTRY_LEN {
        if matches(queue, log, end - 1).await? {
            return Ok(Some(end));
        }
        let queue_id = queue.queue_id();
        tracing::error!(topic = queue.topic(), queue_id, at = end - 1, "an entry points astray");
        end -= 1;
    }
    Ok(None)
}

/// Whether the entry at `at` points to the record that has this place, or to one that is gone.
async fn matches(queue: &Queue, log: &SegmentSet, at: u64) -> io::Result<bool> {
    let Some(entry) = queue.entry(at).await? else { return Ok(false) };
    let first = log.first().map_or(0, |segment| segment.base);
    if entry.is_filler() || entry.physical < first {
        return Ok(true);
    }
    let Some(segment) = log.find(entry.physical) else { return Ok(false) };
    let Ok(record) = record_at(&segment, entry.physical) else { return Ok(false) };
    Ok(View::parse(&record).is_ok_and(|record| {
        record.queue_offset.0 == at
            && record.queue_id == queue.queue_id()
            && record.topic == queue.topic()
            && record.store_size == entry.len
    }))
}

/// The first position before `end` whose message is still in the log; `end` when none is.
async fn first_message(queue: &Queue, log: &SegmentSet, end: u64) -> io::Result<u64> {
    let log_first = log.first().map_or(0, |segment| segment.base);
    let queue_first = queue.segments().first().map_or(end, |file| file.base / ENTRY_LEN);
    let (mut low, mut high) = (queue_first, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let is_there = queue
            .entry(middle)
            .await?
            .is_some_and(|entry| !entry.is_filler() && entry.physical >= log_first);
        if is_there {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
