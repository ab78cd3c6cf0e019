//! The files of a disk, and how to find one's way among them.

use std::collections::BTreeMap;

use bytes::Bytes;

/// The files of a node: path → content. Directories are not in it.
pub type DiskImage = BTreeMap<String, Bytes>;

/// One queue of a topic, on a disk.
pub type QueueKey = (String, u32);

/// The numbered files whose directory's path satisfies `wanted`, by number.
pub(super) fn segments<'a>(
    image: &'a DiskImage,
    wanted: impl Fn(&[&str]) -> bool + 'a,
) -> impl Iterator<Item = (Vec<&'a str>, u64, &'a Bytes)> {
    image.iter().filter_map(move |(path, bytes)| {
        let mut parts: Vec<&str> = path.split('/').collect();
        let name = parts.pop()?;
        let is_number = name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit());
        let number = name.parse().ok().filter(|_| is_number)?;
        wanted(&parts).then_some((parts, number, bytes))
    })
}

/// A big-endian number of `N` bytes at `at`, if it is there.
pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let digits = bytes.get(at..at.checked_add(N)?)?;
    Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
