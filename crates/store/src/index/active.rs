//! The file that entries go to: its slots live in memory, its entries in the file.
//!
//! A chain's head changes with every entry, anywhere in the table, so the table is kept in memory
//! and the file's own slots follow: some pages at each sync, the rest when the file is full or the
//! store ends. They are derived from the entries, and after a crash they are made from them again.

use std::io;

use runtime::SegmentFile;

use super::format::{ENTRY_LEN, Entry, Header, SLOT_LEN, Shape};
use super::key::Key;

/// Slots that are written back together.
const PAGE_SLOTS: u32 = 1024;
/// Bytes of entries that are read at once.
const READ_LEN: u64 = 1 << 20;

/// The newest file, which is not full.
pub(super) struct Active {
    /// Its name.
    pub(super) name: u64,
    /// Its bytes.
    pub(super) file: SegmentFile,
    /// What it will say about itself.
    pub(super) header: Header,
    shape: Shape,
    /// The newest entry of each chain. Zeros that are never touched take no memory.
    slots: Vec<u32>,
    /// Which pages of slots the file does not hold yet.
    stale: Vec<bool>,
    /// The page that is looked at first when some are written back, so that each has its turn.
    turn: usize,
}

impl Active {
    /// A new file of zeros.
    pub(super) fn new(name: u64, file: SegmentFile, shape: Shape) -> Self {
        let slots = vec![0; shape.slots as usize];
        let stale = vec![false; shape.slots.div_ceil(PAGE_SLOTS) as usize];
        Self { name, file, header: Header::EMPTY, shape, slots, stale, turn: 0 }
    }

    /// The file as a clean end left it: its slots are believed. `None` when one of them cannot be.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn load(
        name: u64,
        file: SegmentFile,
        shape: Shape,
        header: Header,
    ) -> io::Result<Option<Self>> {
        let mut active = Self { header, ..Self::new(name, file, shape) };
        let table = active.file.slice(shape.slot_at(0), shape.entry_at(0) - shape.slot_at(0))?;
        for (slot, bytes) in active.slots.iter_mut().zip(table.chunks_exact(SLOT_LEN as usize)) {
            *slot = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            if *slot >= header.count {
                return Ok(None);
            }
        }
        Ok(Some(active))
    }

    /// The file as a crash left it: entries below `header.count` are durable, all else is made from
    /// them. `None` when they are not what was written, or are not all of records before `limit`.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn rebuild(
        name: u64,
        file: SegmentFile,
        shape: Shape,
        (header, limit): (Header, u64),
    ) -> io::Result<Option<Self>> {
        let mut active = Self { header, ..Self::new(name, file, shape) };
        active.header.slots_used = 0;
        let (mut number, mut last) = (1, header.begin_physical);
        while number < header.count {
            let at_once = (READ_LEN / ENTRY_LEN).min(u64::from(header.count - number));
            let bytes = active.file.slice(shape.entry_at(number), at_once * ENTRY_LEN)?;
            for bytes in bytes.as_chunks().0 {
                let entry = Entry::decode(bytes);
                let is_sound = (last..limit).contains(&entry.physical)
                    && (number > 1 || entry.physical == last)
                    && entry.hash <= i32::MAX as u32
                    && entry.previous == active.link(entry.hash, number);
                if !is_sound {
                    return Ok(None);
                }
                (number, last) = (number + 1, entry.physical);
            }
        }
        if header.count > 1 {
            active.header.end_physical = last;
        }
        // The file's own slots may be of any moment.
        active.stale.fill(true);
        Ok(Some(active))
    }

    /// The newest entry of the chain that holds this hash, 0 for none.
    pub(super) fn newest(&self, hash: u32) -> u32 {
        self.slots[self.shape.slot_of(hash) as usize]
    }

    /// Appends the first of `keys`, as many as fit, in one write; gives how many. After an error
    /// none is there.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn append(&mut self, keys: &[Key]) -> io::Result<usize> {
        let room = (self.shape.entries.saturating_sub(self.header.count)) as usize;
        let keys = &keys[..keys.len().min(room)];
        let before = self.header;
        let mut bytes = Vec::with_capacity(keys.len() * ENTRY_LEN as usize);
        for key in keys {
            let number = self.header.count;
            let seconds = self.header.take(key.physical, key.store_timestamp);
            let previous = self.link(key.hash, number);
            let entry = Entry { hash: key.hash, physical: key.physical, seconds, previous };
            bytes.extend_from_slice(&entry.encode());
        }
        // The begin time must stand before anything is measured from it.
        let begun = if before.count <= 1 { self.write_header() } else { Ok(()) };
        let at = self.shape.entry_at(before.count);
        if let Err(error) = begun.and_then(|()| self.file.write_at(at, &[&bytes])) {
            for (key, bytes) in keys.iter().zip(bytes.as_chunks().0).rev() {
                let slot = self.shape.slot_of(key.hash) as usize;
                self.slots[slot] = Entry::decode(bytes).previous;
            }
            self.header = before;
            return Err(error);
        }
        Ok(keys.len())
    }

    /// Makes an entry the newest of its chain; gives the one that was.
    fn link(&mut self, hash: u32, number: u32) -> u32 {
        let slot = self.shape.slot_of(hash);
        let previous = std::mem::replace(&mut self.slots[slot as usize], number);
        self.header.slots_used += u32::from(previous == 0);
        self.stale[(slot / PAGE_SLOTS) as usize] = true;
        previous
    }

    /// Writes the header.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn write_header(&self) -> io::Result<()> {
        self.file.write_at(0, &[&self.header.encode()])
    }

    /// Writes up to `pages_max` pages of slots that the file does not hold yet.
    ///
    /// # Errors
    /// What the disk says; what is not written stays to be.
    pub(super) fn write_slots(&mut self, pages_max: usize) -> io::Result<()> {
        let (count, mut written) = (self.stale.len(), 0);
        for page in (self.turn..count).chain(0..self.turn) {
            if !self.stale[page] {
                continue;
            }
            if written == pages_max {
                break;
            }
            let from = page as u32 * PAGE_SLOTS;
            let to = (from + PAGE_SLOTS).min(self.shape.slots);
            let slots = &self.slots[from as usize..to as usize];
            let bytes: Vec<u8> = slots.iter().flat_map(|slot| slot.to_be_bytes()).collect();
            self.file.write_at(self.shape.slot_at(from), &[&bytes])?;
            self.stale[page] = false;
            self.turn = (page + 1) % count;
            written += 1;
        }
        Ok(())
    }
}
