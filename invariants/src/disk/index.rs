//! The IndexFiles: entries by key, in files that follow each other in the order of the log.

use std::collections::BTreeMap;

use super::image::{DiskImage, number};

/// The sizes that a file may have, as (slots, entries); both cannot be told from its length.
const SHAPES: [(u64, u64); 3] = [(16, 20), (160, 200), (5_000_000, 20_000_000)];
/// The length of a header.
const HEADER_LEN: u64 = 40;
/// The length of an entry.
const ENTRY_LEN: u64 = 20;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The hash of the key.
    pub hash: u64,
    /// Where the record stands in the log.
    pub address: u64,
    /// Seconds between the file's begin time and the record's.
    pub seconds: u64,
    /// The entry before it in its slot.
    pub previous: u64,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexFile {
    /// Its name, as a number.
    pub name: u64,
    /// When the first entry's record was stored, as it says.
    pub begin_timestamp: u64,
    /// How many slots it says have a chain.
    pub slots_used: u64,
    /// The number of the next entry, as it says.
    pub count: u64,
    /// Its slots.
    pub slots: Vec<u64>,
    /// All its entries, written or not; the first is never used.
    pub entries: Vec<IndexEntry>,
}

/// How much of the index a checkpoint vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexVouched {
    /// Records before it are indexed.
    pub durable_to: u64,
    /// The newest file that it speaks of; 0 for none.
    pub file: u64,
    /// The number of the first entry there that it does not speak of.
    pub count: u64,
}

/// What an index holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexScan {
    /// The files, oldest first.
    pub files: Vec<IndexFile>,
    /// Files that cannot be read, by path.
    pub damage: Vec<String>,
    /// What the checkpoint says, if it is one that does.
    pub vouched: Option<IndexVouched>,
}

impl IndexScan {
    /// Reads the index of a disk.
    pub fn of(image: &DiskImage) -> Self {
        let (mut files, mut damage) = (BTreeMap::new(), Vec::new());
        for (path, bytes) in image {
            let mut parts = path.rsplit('/');
            let (name, directory) = (parts.next().unwrap_or_default(), parts.next());
            let is_name = name.len() == 17 && name.bytes().all(|byte| byte.is_ascii_digit());
            if directory != Some("index") || !is_name {
                continue;
            }
            match name.parse().ok().and_then(|name| read(name, bytes)) {
                Some(file) => drop(files.insert(file.name, file)),
                None => damage.push(path.clone()),
            }
        }
        Self { files: files.into_values().collect(), damage, vouched: vouched(image) }
    }
}

impl IndexFile {
    /// The slot of a hash.
    pub fn slot_of(&self, hash: u64) -> usize {
        (hash % self.slots.len() as u64) as usize
    }
}

/// What is kept of a key: Java's hash of `topic#key` without its sign.
pub fn key_hash(topic: &str, key: &[u8]) -> u64 {
    let mix = |hash: i32, unit: u16| {
        hash.wrapping_shl(5).wrapping_sub(hash).wrapping_add(i32::from(unit))
    };
    let fold = |hash, part: &[u8]| match part.is_ascii() {
        // As good as all of them, and every key of a disk is hashed again and again.
        true => part.iter().fold(hash, |hash, byte| mix(hash, u16::from(*byte))),
        false => String::from_utf8_lossy(part).encode_utf16().fold(hash, mix),
    };
    let hash = [topic.as_bytes(), b"#", key].into_iter().fold(0, fold);
    if hash == i32::MIN { 0 } else { u64::from(hash.unsigned_abs()) }
}

fn read(name: u64, bytes: &[u8]) -> Option<IndexFile> {
    let len = |(slots, entries): &&(u64, u64)| HEADER_LEN + slots * 4 + entries * ENTRY_LEN;
    let (slots, entries) = SHAPES.iter().find(|shape| len(shape) == bytes.len() as u64)?;
    let entries_at = HEADER_LEN + slots * 4;
    let entry = |at: u64| {
        let at = (entries_at + at * ENTRY_LEN) as usize;
        Some(IndexEntry {
            hash: number::<4>(bytes, at)?,
            address: number::<8>(bytes, at + 4)?,
            seconds: number::<4>(bytes, at + 12)?,
            previous: number::<4>(bytes, at + 16)?,
        })
    };
    let slot = |at: u64| number::<4>(bytes, (HEADER_LEN + at * 4) as usize);
    Some(IndexFile {
        name,
        begin_timestamp: number::<8>(bytes, 0)?,
        slots_used: number::<4>(bytes, 32)?,
        count: number::<4>(bytes, 36)?,
        slots: (0..*slots).map(slot).collect::<Option<_>>()?,
        entries: (0..*entries).map(entry).collect::<Option<_>>()?,
    })
}

/// The mark in the checkpoint. Its checksum is not looked at: the file is replaced whole.
fn vouched(image: &DiskImage) -> Option<IndexVouched> {
    let is_it = |path: &str| path.rsplit('/').next() == Some("checkpoint");
    let (_, page) = image.iter().find(|(path, _)| is_it(path))?;
    if page.get(64..72)? != b"hotfire2" {
        return None;
    }
    let vouched = IndexVouched {
        durable_to: number::<8>(page, 72)?,
        file: number::<8>(page, 88)?,
        count: number::<4>(page, 96)?,
    };
    (vouched.count > 0).then_some(vouched)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_a_4_9_broker_stored() {
        assert_eq!(key_hash("TopicA", b"k0"), 1_903_240_650);
        // Units of UTF-16, not bytes; what is no UTF-8 is one unit, U+FFFD.
        let units = |key: u64| (0x74 * 31 + 0x23) * 31 + key;
        assert_eq!(key_hash("t", "é".as_bytes()), units(0xe9));
        assert_eq!(key_hash("t", &[0xff]), units(0xfffd));
    }

    #[test]
    fn what_has_no_known_length_is_damage() {
        let mut image = DiskImage::new();
        image.insert("store/index/20260101000000000".into(), vec![0; 504].into());
        image.insert("store/index/20260101000000001".into(), vec![0; 503].into());
        image.insert("store/index/notes".into(), vec![0; 3].into());
        let scan = IndexScan::of(&image);
        assert_eq!(scan.files.len(), 1);
        assert_eq!((scan.files[0].slots.len(), scan.files[0].entries.len()), (16, 20));
        assert_eq!(scan.damage, ["store/index/20260101000000001"]);
    }
}
