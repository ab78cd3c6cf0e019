//! A segment of one incarnation: the mapping of a file.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use runtime::{Boxed, SegmentBackend};

use super::error;
use super::file::Inode;
use super::machine::NodeDisk;
use super::{sync, writeback};
use crate::incident::IncidentKind;

/// A mapped file, as the process that opened it sees it.
pub(crate) struct SimSegment {
    pub(crate) disk: NodeDisk,
    pub(crate) epoch: u64,
    pub(crate) file: Arc<Inode>,
    pub(crate) path: String,
    pub(crate) len: u64,
}

impl SimSegment {
    fn guard(&self) -> io::Result<()> {
        if self.disk.epoch() == self.epoch { Ok(()) } else { Err(error::fenced(&self.path)) }
    }

    /// Fails unless the range lies within the segment and the file is still as long.
    fn within(&self, offset: u64, len: u64) -> io::Result<()> {
        let size = self.len.min(self.file.content().len());
        match offset.checked_add(len) {
            Some(end) if end <= size => Ok(()),
            _ => Err(error::past_the_end(&self.path, offset, len, size)),
        }
    }
}

impl SimSegment {
    fn grow(&self, offset: u64, len: u64) -> u64 {
        self.disk.grow(&self.disk.state(), &self.file, offset, len)
    }
}

impl Drop for SimSegment {
    fn drop(&mut self) {
        self.file.closed();
    }
}

impl SegmentBackend for SimSegment {
    fn len(&self) -> u64 {
        self.len
    }

    fn write_at(&self, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        self.guard()?;
        let len: u64 = parts.iter().map(|part| part.len() as u64).sum();
        self.within(offset, len)?;
        let chance = self.disk.state().knobs.write_error;
        if self.disk.goes_wrong(chance) {
            return Err(self.disk.shared().injected(IncidentKind::Write, &self.path));
        }
        let sparse = self.file.content().is_sparse();
        let fits = if sparse { self.grow(offset, len) } else { len };
        let mut content = self.file.content();
        let mut at = offset;
        for part in parts {
            let left = (offset + fits - at).min(part.len() as u64);
            content.write(at, &part[..left as usize]);
            at += left;
        }
        drop(content);
        self.disk.shared().record("write", [offset, fits], format_args!("{}", self.path));
        self.disk.note_moment("write", &self.path);
        writeback::schedule(&self.disk);
        if fits < len {
            self.disk.shared().note(IncidentKind::NoSpace, &self.path);
            return Err(error::full(&self.path, len - fits, 0));
        }
        Ok(())
    }

    fn slice(&self, offset: u64, len: u64) -> io::Result<Bytes> {
        self.guard()?;
        self.within(offset, len)?;
        let chance = self.disk.state().knobs.read_error;
        let mut content = self.file.content();
        content.load(&(offset..offset + len));
        if !content.is_readable(offset, len) || self.disk.goes_wrong(chance) {
            return Err(self.disk.shared().injected(IncidentKind::Read, &self.path));
        }
        Ok(content.read(offset, len).into())
    }

    fn sync(&self, range: Range<u64>) -> Boxed<'_, io::Result<()>> {
        Box::pin(async move {
            self.guard()?;
            self.within(range.start, range.end.saturating_sub(range.start))?;
            sync::sync(&self.disk, &self.file, &self.path, range).await?;
            self.guard()
        })
    }

    fn data_end(&self) -> io::Result<u64> {
        self.guard()?;
        Ok(self.file.content().data_end().min(self.len))
    }

    // Of memory only this is modelled: what was released is gone until it is touched or loaded.

    fn populate(&self, _range: Range<u64>) -> Boxed<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn load(&self, range: Range<u64>) -> Boxed<'_, ()> {
        Box::pin(async move {
            let (before, after) = self.disk.draw_latency();
            self.disk.wait(before + after).await;
            self.file.content().load(&range);
        })
    }

    fn is_loaded(&self, range: Range<u64>) -> bool {
        // The kernel lets go of pages by itself, too.
        self.file.content().is_loaded(&range) && !runtime::buggify!("disk.cold")
    }

    fn release(&self, range: Range<u64>) {
        self.file.content().release(range);
    }

    fn pin(&self, _pinned: bool) -> io::Result<()> {
        self.guard()
    }
}
