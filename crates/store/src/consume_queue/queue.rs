//! One ConsumeQueue: its place counter, its files, its visible end.
//!
//! Three ends, and which task moves them: `next` (the place of the next message) moves under the
//! append lock; `end` (the entries written) and `dispatched` (the entries visible) move with
//! dispatch. `dispatched ≤ end ≤ next`.
//!
//! It has no file open of its own: those are on the [`Shelf`].

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use runtime::SegmentFile;
use runtime::sync::Watermark;

use super::entry::Entry;
use super::outlived::Outlived;
use super::shelf::Shelf;
use super::writer::{GAP_MAX, Put, ToSync, Writer};
use crate::layout::{ENTRY_LEN, Layout, is_directory_name, join, segment_name};
use crate::segment_set::RemoveError;

/// How many fillers are written at once.
const FILLERS_AT_ONCE: u64 = 512;

/// What all queues of a store have in common.
pub(super) struct Common {
    pub(super) shelf: Shelf,
    pub(super) layout: Layout,
    /// How many entries a new file gets.
    pub(super) file_entries: u64,
    /// Queues that went on in a new file while no message of the one before was left.
    pub(super) outlived: Outlived,
}

/// One file of a queue; the bytes of all files count on from file to file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The number of its first byte.
    pub(crate) base: u64,
    /// Its length in bytes.
    pub(crate) len: u64,
}

impl Span {
    /// The byte behind its last one.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.len
    }

    /// The place of its first entry.
    pub(crate) fn first(&self) -> u64 {
        self.base / ENTRY_LEN
    }

    /// The place behind its last entry.
    pub(crate) fn behind(&self) -> u64 {
        self.end() / ENTRY_LEN
    }
}

/// One queue of one topic. What an append needs comes first and together: of 100,000 queues it
/// finds each out of the processor's cache.
#[repr(C)]
pub(crate) struct Queue {
    /// The place of the next message; written only under the append lock.
    next: AtomicU64,
    topic: Arc<str>,
    queue_id: u32,
    /// Its number on the shelf.
    number: u32,
    /// Whether the topic can be a directory.
    storable: bool,
    /// Whether dispatch still has to show what it gathered; dispatch's own note.
    hidden: AtomicBool,
    /// Whether it stands in the list of those to sync.
    listed: AtomicBool,
    common: Arc<Common>,
    /// The first place that still holds a message.
    min: AtomicU64,
    /// The place behind the last message that recovery found and dispatch may still have to show;
    /// 0 once dispatch has caught up with recovery.
    found: AtomicU64,
    /// The visible end, in entries.
    dispatched: Watermark,
    /// Oldest first; each begins where the one before ends.
    spans: RwLock<Vec<Span>>,
    writer: Mutex<Writer>,
}

impl Queue {
    /// A queue with these files, oldest first, of which none is read yet.
    pub(super) fn new(common: Arc<Common>, topic: Arc<str>, queue_id: u32) -> Self {
        Self {
            number: common.shelf.number(),
            common,
            queue_id,
            storable: is_directory_name(&topic),
            topic,
            hidden: AtomicBool::new(false),
            listed: AtomicBool::new(false),
            next: AtomicU64::new(0),
            min: AtomicU64::new(0),
            found: AtomicU64::new(0),
            dispatched: Watermark::default(),
            spans: RwLock::default(),
            writer: Mutex::default(),
        }
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn queue_id(&self) -> u32 {
        self.queue_id
    }

    /// Whether the topic can be the name of a directory.
    pub(crate) fn is_storable(&self) -> bool {
        self.storable
    }

    /// Reads what an append needs, for nothing but that the processor has it then.
    pub(crate) fn touch(&self) {
        std::hint::black_box((self.next.load(Ordering::Relaxed), self.topic.as_bytes().first()));
    }

    /// The place of the next message. Read under the append lock.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Sets the place of the next message. Called under the append lock, or before there is one.
    pub(crate) fn assign_from(&self, next: u64) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// Recovery has found a message at `at`: the next one comes behind it, and whoever reads
    /// is told that there is more than is visible. A place far behind all others is damage, which
    /// dispatch reports.
    pub(crate) fn found(&self, at: u64) {
        let next = self.next_offset();
        let is_first = next == 0 && self.read_spans().is_empty();
        if at >= next && (is_first || at - next <= GAP_MAX) {
            self.assign_from(at + 1);
            self.found.store(at + 1, Ordering::Release);
        }
    }

    /// The place behind the last message that recovery found; 0 once all of them were dispatched.
    pub(crate) fn found_end(&self) -> u64 {
        self.found.load(Ordering::Acquire)
    }

    /// Dispatch has passed the end of what recovery found: what is visible now is all there is.
    pub(crate) fn caught_up(&self) {
        self.found.store(0, Ordering::Release);
    }

    /// The first place that still holds a message.
    pub(crate) fn min_offset(&self) -> u64 {
        self.min.load(Ordering::Acquire)
    }

    /// Raises the first place that still holds a message.
    pub(crate) fn raise_min(&self, min: u64) {
        self.min.fetch_max(min, Ordering::AcqRel);
    }

    /// The visible end.
    pub(crate) fn dispatched(&self) -> &Watermark {
        &self.dispatched
    }

    /// The position behind the last entry written.
    pub(crate) fn end(&self) -> u64 {
        self.writer().end
    }

    /// Whether a sync has confirmed the entry at `at`.
    pub(crate) fn is_durable(&self, at: u64) -> bool {
        at < self.writer().to_sync().from
    }

    /// Where its files are.
    pub(crate) fn directory(&self) -> String {
        self.common.layout.queue(&self.topic, self.queue_id)
    }

    /// Its files, oldest first.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.read_spans().clone()
    }

    /// The file that holds the entry at `at`.
    pub(crate) fn span(&self, at: u64) -> Option<Span> {
        let spans = self.read_spans();
        let behind = spans.partition_point(|span| span.first() <= at);
        let span = spans.get(behind.checked_sub(1)?)?;
        (at < span.behind()).then_some(*span)
    }

    /// The bytes of up to `count` entries from `at` on, to the end of their file at most; empty
    /// when there is no such file.
    pub(crate) async fn entries(&self, at: u64, count: u64) -> io::Result<Bytes> {
        let Some(span) = self.span(at) else { return Ok(Bytes::new()) };
        let file = match self.file(span).await {
            // Cleaning was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.span(at).is_none() => {
                return Ok(Bytes::new());
            }
            file => file?,
        };
        file.slice(at * ENTRY_LEN - span.base, count.min(span.behind() - at) * ENTRY_LEN)
    }

    /// The first place of the next file behind `at`, if there is one.
    pub(crate) fn next_file_after(&self, at: u64) -> Option<u64> {
        self.read_spans().iter().map(Span::first).find(|first| *first > at)
    }

    /// The entry at `at`, if one was ever written there.
    pub(crate) async fn entry(&self, at: u64) -> io::Result<Option<Entry>> {
        let bytes = self.entries(at, 1).await?;
        Ok(bytes.first_chunk().and_then(Entry::decode))
    }

    /// A place behind all entries of a file: what follows was never written, or is zero.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn data_behind(&self, span: Span) -> io::Result<u64> {
        let data_end = self.file(span).await?.data_end()?;
        Ok(span.behind().min(span.first() + data_end.div_ceil(ENTRY_LEN)))
    }

    /// Adds a file that was found in the directory: behind those that are there already.
    pub(crate) fn add_span(&self, span: Span) {
        self.write_spans().push(span);
    }

    /// Takes over what recovery found: everything below `end` is durable and nothing is behind it,
    /// which `zeroed` says had to be made so.
    pub(crate) fn recovered(&self, min: u64, end: u64, zeroed: bool) {
        *self.writer() = Writer::ending(end, zeroed);
        self.raise_min(min);
        self.dispatched.raise_to(end);
    }

    /// Gathers the entry of the message whose place is `at`. Not written yet: see
    /// [`Queue::write`]; and not visible yet: see [`Queue::show`].
    pub(crate) fn put(&self, at: u64, entry: &Entry) -> Put {
        let has_files = !self.read_spans().is_empty();
        self.writer().put(at, entry, has_files)
    }

    /// Writes what was gathered, into new files where it must.
    ///
    /// # Errors
    /// What the disk says, a full one above all. What is not written stays gathered: again is
    /// harmless.
    pub(crate) async fn write(&self) -> io::Result<()> {
        loop {
            let Some(at) = self.writer().unwritten() else { return Ok(()) };
            let span = match self.span(at) {
                Some(span) => span,
                None => self.add_file(at).await?,
            };
            let file = self.file(span).await?;
            self.write_into(span, &file)?;
        }
    }

    /// Writes the part of what was gathered that belongs into this file.
    fn write_into(&self, span: Span, file: &SegmentFile) -> io::Result<()> {
        let mut writer = self.writer();
        let Some(from) = writer.unwritten() else { return Ok(()) };
        let is_late = writer.end < from;
        if is_late {
            // Everything before is gone, or was never here.
            fill(file, span, from)?;
        }
        let bytes = writer.gathered_to(span.behind());
        let len = bytes.len();
        file.write_at(from * ENTRY_LEN - span.base, &[bytes])?;
        self.common.shelf.wrote((self.number, span.base));
        writer.wrote(len);
        drop(writer);
        if is_late {
            self.raise_min(from);
        }
        Ok(())
    }

    /// Writes the entry at `at` anew, where one was written that is damaged. Nobody waits until it
    /// is durable.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) async fn rewrite(&self, at: u64, entry: &Entry) -> io::Result<()> {
        let Some(span) = self.span(at) else { return Ok(()) };
        let file = self.file(span).await?;
        file.write_at(at * ENTRY_LEN - span.base, &[&entry.encode()])?;
        self.common.shelf.wrote((self.number, span.base));
        Ok(())
    }

    /// Creates the file that will hold the entry at `at`.
    async fn add_file(&self, at: u64) -> io::Result<Span> {
        let len = self.common.file_entries * ENTRY_LEN;
        let last = self.read_spans().last().copied();
        let base = match last {
            Some(last) => last.end(),
            None => at / self.common.file_entries * len,
        };
        let (disk, directory) = (self.common.shelf.disk(), self.directory());
        if last.is_none() {
            disk.create_dir(&directory).await?;
        }
        let file = disk.create_sparse(&join(&directory, &segment_name(base)), len).await?;
        let span = Span { base, len };
        self.common.shelf.put((self.number, base), file);
        self.writer().changed();
        self.add_span(span);
        if last.is_some() && self.min_offset() >= span.first() {
            self.common.outlived.note(&self.topic, self.queue_id);
        }
        Ok(span)
    }

    /// Notes that there is something to show; true when it was not noted before.
    pub(crate) fn hide(&self) -> bool {
        !self.hidden.swap(true, Ordering::Relaxed)
    }

    /// Whether there is something to show.
    pub(crate) fn is_hidden(&self) -> bool {
        self.hidden.load(Ordering::Relaxed)
    }

    /// Makes every entry written so far visible and wakes who waits for it.
    pub(crate) fn show(&self) {
        self.hidden.store(false, Ordering::Relaxed);
        let end = self.end();
        self.dispatched.raise_to(end);
    }

    /// Notes that it stands in the list of those to sync, or not; gives what was noted before.
    pub(super) fn set_listed(&self, listed: bool) -> bool {
        self.listed.swap(listed, Ordering::AcqRel)
    }

    /// Makes every entry written so far durable, and the names of their files.
    ///
    /// # Errors
    /// Final: the entries are unknown for ever.
    pub(super) async fn sync(&self) -> io::Result<()> {
        let begun = self.to_sync();
        if begun.from == begun.end && !begun.changed {
            return Ok(());
        }
        // To the end of the file: what was cut behind the entries is durably zero, too.
        let to = self.span(begun.end).map_or(begun.end * ENTRY_LEN, |span| span.end());
        for span in self.spans() {
            let (from, to) = ((begun.from * ENTRY_LEN).max(span.base), to.min(span.end()));
            if from < to {
                let file = self.file(span).await?;
                self.common.shelf.syncing((self.number, span.base));
                file.sync(from - span.base..to - span.base).await?;
            }
        }
        if begun.changed && !self.read_spans().is_empty() {
            self.common.shelf.disk().sync_dir(&self.directory()).await?;
        }
        self.synced(&begun);
        Ok(())
    }

    /// What a sync that begins now confirms; see [`Queue::synced`].
    pub(super) fn to_sync(&self) -> ToSync {
        self.writer().to_sync()
    }

    /// A sync has confirmed this.
    pub(super) fn synced(&self, confirmed: &ToSync) {
        self.writer().synced(confirmed);
    }

    /// Makes the bytes of a file from the entry at `at` on zero. Says whether it had to.
    pub(crate) async fn zero_from(&self, span: Span, at: u64) -> io::Result<bool> {
        let file = self.file(span).await?;
        let (mut from, data_end) = (at * ENTRY_LEN - span.base, file.data_end()?.min(span.len));
        let mut wrote = false;
        while from < data_end {
            let len = (data_end - from).min(64 << 10);
            let bytes = file.slice(from, len)?;
            if bytes.iter().any(|byte| *byte != 0) {
                file.write_at(from, &[&vec![0; len as usize]])?;
                self.common.shelf.wrote((self.number, span.base));
                wrote = true;
            }
            from += len;
        }
        Ok(wrote)
    }

    /// Removes the files from the byte `base` on, newest first and each durably before the next: a
    /// crash in between leaves no hole.
    pub(crate) async fn remove_from(&self, base: u64) -> io::Result<()> {
        while let Some(last) = self.spans().last().filter(|last| last.base >= base) {
            self.unlink(last).await?;
            self.common.shelf.disk().sync_dir(&self.directory()).await?;
            self.write_spans().pop();
        }
        Ok(())
    }

    /// Removes the oldest file, durably. It leaves the list before its name goes, so that whoever
    /// does not find it knows why.
    pub(super) async fn remove_first(&self, first: Span) -> Result<(), RemoveError> {
        self.write_spans().retain(|span| *span != first);
        if let Err(error) = self.unlink(&first).await {
            self.write_spans().insert(0, first);
            return Err(RemoveError::Remove(error));
        }
        let synced = self.common.shelf.disk().sync_dir(&self.directory()).await;
        synced.map_err(RemoveError::Sync)
    }

    async fn unlink(&self, span: &Span) -> io::Result<()> {
        self.common.shelf.forget((self.number, span.base));
        let path = join(&self.directory(), &segment_name(span.base));
        self.common.shelf.disk().remove_file(&path).await
    }

    /// The file, opened if it is not.
    async fn file(&self, span: Span) -> io::Result<SegmentFile> {
        let key = (self.number, span.base);
        if let Some(file) = self.common.shelf.find(key) {
            return Ok(file);
        }
        let path = join(&self.directory(), &segment_name(span.base));
        self.common.shelf.open_file(key, &path).await
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_spans(&self) -> RwLockReadGuard<'_, Vec<Span>> {
        self.spans.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_spans(&self) -> RwLockWriteGuard<'_, Vec<Span>> {
        self.spans.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes fillers into a file, from its start to the place `to`.
fn fill(file: &SegmentFile, span: Span, to: u64) -> io::Result<()> {
    let block = Entry::FILLER.encode().repeat(FILLERS_AT_ONCE as usize);
    let (mut at, end) = (0, to * ENTRY_LEN - span.base);
    while at < end {
        let len = (end - at).min(block.len() as u64);
        file.write_at(at, &[&block[..len as usize]])?;
        at += len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_queue_is_small() {
        // 100,000 of them, with a watermark of some 100 bytes and a file each, stay below 40 MB.
        assert!(size_of::<Queue>() <= 208, "{}", size_of::<Queue>());
    }
}
