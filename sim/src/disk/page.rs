//! The bytes of a file, page by page, shared until written to.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A page of the page cache, in bytes: what is written back and lost as one.
pub const PAGE: u64 = 4096;

/// A sector of the device, in bytes: what is never torn.
pub const SECTOR: u64 = 512;

type Page = [u8; PAGE as usize];

/// Bytes of a given length. Pages that were never written take no memory and read as zeros; a
/// clone shares the pages until either side writes.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    len: u64,
    pages: Arc<BTreeMap<u64, Arc<Page>>>,
}

impl Pages {
    pub(crate) fn zeros(len: u64) -> Self {
        Self { len, pages: Arc::default() }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many pages were written.
    pub(crate) fn written(&self) -> u64 {
        self.pages.len() as u64
    }

    /// The offset behind the last page that was written.
    pub(crate) fn written_end(&self) -> u64 {
        self.pages.last_key_value().map_or(0, |(number, _)| (number + 1) * PAGE)
    }

    /// The pages that were written, in order.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.pages.keys().copied()
    }

    /// Whether a page was written.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.pages.contains_key(&number)
    }

    /// Whether both hold the very same page of that number, or none.
    pub(crate) fn shares(&self, other: &Pages, number: u64) -> bool {
        match (self.pages.get(&number), other.pages.get(&number)) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether no byte within the length is anything but zero.
    pub(crate) fn is_zero(&self) -> bool {
        self.pages.iter().all(|(&number, page)| {
            let within = self.len.saturating_sub(number * PAGE).min(PAGE) as usize;
            page[..within].iter().all(|&byte| byte == 0)
        })
    }

    /// Whether both are of one length and share every page: then their bytes are the same.
    pub(crate) fn is_shared(&self, other: &Pages) -> bool {
        let mut pairs = self.pages.iter().zip(other.pages.iter());
        self.len == other.len
            && self.pages.len() == other.pages.len()
            && pairs.all(|((a, one), (b, other))| a == b && Arc::ptr_eq(one, other))
    }

    /// Cuts or extends with zeros.
    pub(crate) fn resize(&mut self, len: u64) {
        if len < self.len {
            let pages = Arc::make_mut(&mut self.pages);
            drop(pages.split_off(&len.div_ceil(PAGE)));
            let keep = (len % PAGE) as usize;
            if let (true, Some(last)) = (keep > 0, pages.get_mut(&(len / PAGE))) {
                Arc::make_mut(last)[keep..].fill(0);
            }
        }
        self.len = len;
    }

    /// Drops what was taken over past the end.
    pub(crate) fn trim(&mut self) {
        let len = self.len;
        if self.pages.last_key_value().is_some_and(|(&number, _)| (number + 1) * PAGE > len) {
            self.len = u64::MAX;
            self.resize(len);
        }
    }

    /// Writes within the length.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        debug_assert!(offset + bytes.len() as u64 <= self.len, "a write past the end");
        let pages = Arc::make_mut(&mut self.pages);
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let within = (at % PAGE) as usize;
            let (now, later) = rest.split_at(rest.len().min(PAGE as usize - within));
            let page = pages.entry(at / PAGE).or_insert_with(|| Arc::new([0; PAGE as usize]));
            Arc::make_mut(page)[within..within + now.len()].copy_from_slice(now);
            (at, rest) = (at + now.len() as u64, later);
        }
    }

    /// Reads within the length.
    pub(crate) fn read(&self, offset: u64, len: u64) -> Vec<u8> {
        debug_assert!(offset + len <= self.len, "a read past the end");
        let mut bytes = vec![0; len as usize];
        let first = offset / PAGE;
        for (&number, page) in self.pages.range(first..(offset + len).div_ceil(PAGE)) {
            let start = (number * PAGE).max(offset);
            let end = ((number + 1) * PAGE).min(offset + len);
            let from = (start - number * PAGE) as usize..(end - number * PAGE) as usize;
            bytes[(start - offset) as usize..(end - offset) as usize].copy_from_slice(&page[from]);
        }
        bytes
    }

    /// Takes over page `number` of `from`, whatever the lengths.
    pub(crate) fn copy_page(&mut self, number: u64, from: &Pages) {
        self.misplace_page(number, from, number);
    }

    /// Takes over page `number` of `from` as page `onto`, whatever the lengths.
    pub(crate) fn misplace_page(&mut self, number: u64, from: &Pages, onto: u64) {
        let pages = Arc::make_mut(&mut self.pages);
        match from.pages.get(&number) {
            Some(page) => drop(pages.insert(onto, page.clone())),
            None => drop(pages.remove(&onto)),
        }
    }

    /// Takes over one sector, counted from the start of the file, of `from`.
    pub(crate) fn copy_sector(&mut self, sector: u64, from: &Pages) {
        let (number, within) = (sector * SECTOR / PAGE, (sector * SECTOR % PAGE) as usize);
        let range = within..within + SECTOR as usize;
        let pages = Arc::make_mut(&mut self.pages);
        let page = pages.entry(number).or_insert_with(|| Arc::new([0; PAGE as usize]));
        match from.pages.get(&number) {
            Some(source) => Arc::make_mut(page)[range.clone()].copy_from_slice(&source[range]),
            None => Arc::make_mut(page)[range].fill(0),
        }
    }

    /// Turns one bit over.
    pub(crate) fn flip(&mut self, offset: u64, bit: u8) {
        let byte = self.read(offset, 1)[0] ^ (1 << (bit % 8));
        self.write(offset, &[byte]);
    }

    /// The pages that a range of bytes touches.
    pub(crate) fn touched(offset: u64, len: u64) -> std::ops::Range<u64> {
        offset / PAGE..(offset + len).div_ceil(PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gibibyte_of_zeros_costs_nothing_and_clones_share() {
        let mut pages = Pages::zeros(1 << 30);
        pages.write(PAGE - 2, b"abcd");
        let before = pages.clone();
        pages.write(PAGE, b"XY");
        assert_eq!(before.read(PAGE - 2, 4), b"abcd");
        assert_eq!(pages.read(PAGE - 2, 4), b"abXY");
        assert_eq!(pages.pages.len(), 2);
        assert_eq!(pages.read((1 << 30) - 3, 3), [0; 3]);
        assert!(!before.is_shared(&pages) && before.is_shared(&before.clone()));
        assert!(!pages.is_zero() && Pages::zeros(1 << 30).is_zero());
    }

    #[test]
    fn what_a_cut_took_reads_as_zeros_when_it_grows_again() {
        let mut pages = Pages::zeros(3 * PAGE);
        pages.write(0, &[7; 3 * PAGE as usize]);
        pages.resize(10);
        pages.resize(3 * PAGE);
        assert_eq!(pages.read(0, 10), [7; 10]);
        assert!(pages.read(10, 3 * PAGE - 10).iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_sector_is_taken_over_alone() {
        let (mut old, mut new) = (Pages::zeros(PAGE), Pages::zeros(PAGE));
        old.write(0, &[1; PAGE as usize]);
        new.write(0, &[2; PAGE as usize]);
        old.copy_sector(3, &new);
        let bytes = old.read(0, PAGE);
        assert!(bytes[3 * 512..4 * 512].iter().all(|&byte| byte == 2));
        assert_eq!(bytes.iter().filter(|&&byte| byte == 2).count(), 512);
    }
}
