//! Whether the device holds what a checkpoint vouches for.

use super::image::{DiskImage, segments};
use super::node::NodeDisk;

/// The first thing that `disk` shows below `durable_to` of its log, or in the queues for records
/// below it, and that the device does not hold. Entries that are struck are not judged: one that
/// was made anew need not be durable.
pub fn missing(
    disk: &NodeDisk,
    device: &DiskImage,
    durable_to: u64,
    is_struck: impl Fn((&str, u32), u64) -> bool,
) -> Option<String> {
    let is_log = |parts: &[&str]| parts.last() == Some(&"commitlog");
    let log = segments(&disk.image, is_log).find_map(|(parts, base, bytes)| {
        let len = durable_to.saturating_sub(base).min(bytes.len() as u64) as usize;
        let path = format!("{}/{base:020}", parts.join("/"));
        let there = device.get(&path).and_then(|there| there.get(..len));
        // A file that begins behind the mark need not be there.
        (len > 0 && there != bytes.get(..len)).then_some(path)
    });
    log.or_else(|| missing_entry(disk, device, durable_to, is_struck))
}

fn missing_entry(
    disk: &NodeDisk,
    device: &DiskImage,
    durable_to: u64,
    is_struck: impl Fn((&str, u32), u64) -> bool,
) -> Option<String> {
    let is_queue = |parts: &[&str]| parts.len() >= 3 && parts[parts.len() - 3] == "consumequeue";
    segments(&disk.image, is_queue).find_map(|(parts, base, bytes)| {
        let (topic, id) = (parts[parts.len() - 2], parts[parts.len() - 1].parse().ok()?);
        let queue = disk.queues.get(&(topic.to_owned(), id))?;
        let path = format!("{}/{base:020}", parts.join("/"));
        let there = device.get(&path);
        let of_file = |offset: u64| (base..base + bytes.len() as u64).contains(&(offset * 20));
        let vouched = queue.entries.iter().filter(|entry| entry.end() <= durable_to);
        let topic = parts[parts.len() - 2];
        let judged = vouched.filter(|entry| !is_struck((topic, id), entry.offset));
        let lost = judged.filter(|entry| of_file(entry.offset)).find(|entry| {
            let at = (entry.offset * 20 - base) as usize;
            there.and_then(|there| there.get(at..at + 20)) != bytes.get(at..at + 20)
        });
        lost.map(|entry| format!("entry {} in {path}", entry.offset))
    })
}
