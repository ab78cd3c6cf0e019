//! S3: by every key of the CommitLog its messages are found, and nothing else is.

use std::collections::BTreeSet;

use crate::disk::{IndexFile, IndexVouched, NodeDisk, Record, key_hash};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct IndexMirrorsTheLog;

/// What S3 claims.
const CLAIM: Claim = Claim {
    id: "S3",
    sentence: "The index has an entry for every key of every record, in the order of the log, and \
               each chain of a full file leads to all entries of its slot.",
    source: "RocketMQ a14cf634a5, #3613, and index files whose names a clock step put in disorder \
             (internals.md 15.1 #23, #24, #36)",
    limits: "After a start, only what the checkpoint vouches for, and entries without their slots, \
             which are made from them in memory. At the end, nodes that are down or whose log \
             failed are not judged, and the newest file's slots only when its header is up to \
             date. Nothing is judged on nodes whose disk rots.",
};

impl Invariant for IndexMirrorsTheLog {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        let rots = rots(world, recovery.node());
        if let Some(vouched) = recovery.after.index.vouched
            && recovery.end == RecoveryEnd::Started
            && !rots
        {
            check(&recovery.after, Some(vouched), found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            let is_up = world.ledger.down(&disk.node).is_none();
            let failed = world.ledger.failed_log(&disk.node).is_some();
            if is_up && !failed && !rots(world, &disk.node) {
                found.about(Some(&disk.node));
                check(disk, None, found);
                found.about(None);
            }
        }
    }
}

fn rots(world: &World<'_>, node: &str) -> bool {
    world.ledger.of(node).any(|entry| entry.fault.damage().is_some())
}

/// Checks all files, or those that a checkpoint vouches for.
fn check(disk: &NodeDisk, vouched: Option<IndexVouched>, found: &mut Found) {
    let index = &disk.index;
    found.check(index.damage.is_empty(), [], || format!("unreadable: {:?}", index.damage));
    let mut indexed = BTreeSet::new();
    let mut last = 0;
    let newest = index.files.last().map_or(0, |file| file.name);
    for file in &index.files {
        let limit = match vouched {
            Some(vouched) if file.name > vouched.file => break,
            Some(vouched) if file.name == vouched.file => vouched.count,
            _ => file.entries.len() as u64,
        };
        let sound = sound_entries(disk, file, (limit, last));
        let entries = &file.entries[1..sound as usize];
        indexed.extend(entries.iter().map(|entry| (entry.hash, entry.address)));
        last = entries.last().map_or(last, |entry| entry.address);
        let is_open = file.name == newest || vouched.is_some_and(|v| file.name == v.file);
        let is_whole = is_open || sound == file.entries.len() as u64;
        found.check(is_whole, [], || {
            format!("file {} is followed by another and ends at entry {sound}", file.name)
        });
        if !is_open || (vouched.is_none() && sound == file.count) {
            check_slots(file, sound, found);
        }
    }
    let mut lacking = None;
    for record in &disk.log.records {
        let is_vouched = vouched.is_none_or(|vouched| record.address < vouched.durable_to);
        if record.is_sound() && is_vouched && lacking.is_none() {
            let lacks =
                |key: &&Vec<u8>| !indexed.contains(&(key_hash(&record.topic, key), record.address));
            lacking = record.keys.iter().find(lacks).map(|key| (record, key));
            found.check(lacking.is_none(), [], || told(record));
        }
    }
}

fn told(record: &Record) -> String {
    let keys: Vec<_> = record.keys.iter().map(|key| String::from_utf8_lossy(key)).collect();
    format!(
        "the record at {} of {} (and perhaps later) is not found by all of {keys:?}",
        record.address, record.topic
    )
}

/// The number of the first entry, from 1 to `limit`, that is none of the log's: its record has no
/// such key, it is out of order, or it does not lead to the one before it in its slot. Entries of
/// records that are gone are believed.
fn sound_entries(disk: &NodeDisk, file: &IndexFile, (limit, last): (u64, u64)) -> u64 {
    let mut heads = vec![0; file.slots.len()];
    let mut last = last;
    for number in 1..limit.min(file.entries.len() as u64) {
        let entry = &file.entries[number as usize];
        let has_key = |record: &Record| {
            let hash_of = |key: &Vec<u8>| key_hash(&record.topic, key);
            let passed = record.store_timestamp.saturating_sub(file.begin_timestamp) / 1_000;
            record.keys.iter().any(|key| hash_of(key) == entry.hash) && passed == entry.seconds
        };
        let is_gone = entry.address < disk.log.start && entry.hash != 0;
        let head: &mut u64 = &mut heads[file.slot_of(entry.hash)];
        let is_sound = (is_gone || disk.log.at(entry.address).is_some_and(has_key))
            && entry.address >= last
            && entry.previous == *head;
        if !is_sound {
            return number;
        }
        (*head, last) = (number, entry.address);
    }
    limit.min(file.entries.len() as u64)
}

/// Each slot holds the newest entry below `end` of its chain, and the header counts them.
fn check_slots(file: &IndexFile, end: u64, found: &mut Found) {
    let mut heads = vec![0; file.slots.len()];
    for number in 1..end {
        heads[file.slot_of(file.entries[number as usize].hash)] = number;
    }
    let used = heads.iter().filter(|head| **head != 0).count() as u64;
    found.check(heads == file.slots, [], || {
        format!("the slots of file {} are {:?} and not {heads:?}", file.name, file.slots)
    });
    found.check((file.count, file.slots_used) == (end, used), [], || {
        format!(
            "file {} of {end} entries and {used} slots says {} and {}",
            file.name, file.count, file.slots_used
        )
    });
}

#[cfg(test)]
mod tests {
    use message::record::{Fields, body_crc};
    use message::{PhysicalOffset, QueueOffset, SysFlag};

    use super::*;
    use crate::disk::DiskImage;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run};

    const FIRST: &str = "store/index/20260101000000000";
    const SECOND: &str = "store/index/20260101000000001";

    /// Messages with a key of their own, from the twentieth on in a second file.
    fn image(count: u64) -> DiskImage {
        let (mut log, mut entries) = (vec![0; 8_192], Vec::new());
        let mut at = 0;
        for n in 0..count {
            let properties = format!("UNIQ_KEY\x01u{n}");
            let record = Fields {
                queue_id: 0,
                flag: 0,
                queue_offset: QueueOffset(n),
                physical_offset: PhysicalOffset(at),
                sys_flag: SysFlag(0),
                born_timestamp: 5,
                born_host: "127.0.0.1:4000".parse().expect("an address"),
                store_timestamp: 7_000 + 500 * n,
                store_host: "127.0.0.1:10911".parse().expect("an address"),
                reconsume_times: 0,
                prepared_transaction_offset: PhysicalOffset(0),
                body_crc: body_crc(b"b"),
                body: b"b",
                topic: "t",
                properties: &[properties.as_bytes()],
            }
            .encode();
            entries.push((key_hash("t", format!("u{n}").as_bytes()), at, 7_000 + 500 * n));
            log[at as usize..][..record.len()].copy_from_slice(&record);
            at += record.len() as u64;
        }
        let mut page = vec![0; 4_096];
        page[64..72].copy_from_slice(b"hotfire2");
        page[72..80].copy_from_slice(&at.to_be_bytes());
        page[88..96].copy_from_slice(&20_260_101_000_000_001u64.to_be_bytes());
        page[96..100].copy_from_slice(&7u32.to_be_bytes());
        let files = [(LOG, log), (FIRST, file(&entries[..19])), (SECOND, file(&entries[19..]))];
        let mut image: DiskImage =
            files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes.into())).collect();
        image.insert("store/checkpoint".into(), page.into());
        image
    }

    /// A file with these entries: hash, address, store time.
    fn file(entries: &[(u64, u64, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; 504];
        let begin = entries[0].2;
        bytes[0..8].copy_from_slice(&begin.to_be_bytes());
        let mut used = 0u32;
        for (number, (hash, address, time)) in (1u32..).zip(entries) {
            let slot = 40 + (*hash % 16) as usize * 4;
            let previous = bytes[slot..slot + 4].to_vec();
            used += u32::from(previous == [0; 4]);
            bytes[slot..slot + 4].copy_from_slice(&number.to_be_bytes());
            let seconds = ((time - begin) / 1_000) as u32;
            let hash = *hash as u32;
            let parts = [&hash.to_be_bytes()[..], &address.to_be_bytes(), &seconds.to_be_bytes()];
            let entry = [&parts.concat()[..], &previous].concat();
            bytes[104 + number as usize * 20..][..20].copy_from_slice(&entry);
        }
        bytes[32..36].copy_from_slice(&used.to_be_bytes());
        bytes[36..40].copy_from_slice(&(entries.len() as u32 + 1).to_be_bytes());
        bytes
    }

    fn changed(path: &str, change: impl FnOnce(&mut Vec<u8>)) -> NodeDisk {
        crate::testing::changed(image(25), path, change)
    }

    fn whole() -> NodeDisk {
        NodeDisk::new("n", image(25))
    }

    #[test]
    fn an_index_that_mirrors_its_log_is_fine() {
        let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
        run.restart(Fault::PowerLoss, whole(), whole());
        // What is not vouched for may lack, and slots are made in memory.
        let lagging = changed(SECOND, |bytes| bytes[32..104].fill(0));
        run.restart(Fault::PowerLoss, whole(), lagging.clone());
        run.quiet(&[whole()]);
        run.quiet(&[lagging]);
        run.assert_green();
    }

    #[test]
    fn entries_that_the_checkpoint_counts_and_that_are_lost_are_caught() {
        let lost = changed(SECOND, |bytes| bytes[104 + 6 * 20..].fill(0));
        let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
        run.restart(Fault::PowerLoss, whole(), lost.clone());
        run.assert_red(&[]);
        let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
        run.quiet(&[changed(SECOND, |bytes| bytes[32..].fill(0))]);
        run.assert_red(&[]);
        let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
        run.fault(Fault::BitRot { path: SECOND.into(), offset: 7, len: 1 });
        run.quiet(&[lost]);
        run.assert_no_violation();
    }

    #[test]
    fn slots_and_counts_of_a_full_file_are_compared() {
        // A slot that is not the newest entry, a header that counts slots twice.
        for at in [43, 35] {
            let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
            run.quiet(&[changed(FIRST, |bytes| bytes[at] ^= 31)]);
            run.assert_red(&[]);
        }
    }

    #[test]
    fn files_whose_names_are_not_in_the_order_of_the_log_are_caught() {
        let mut swapped = image(38);
        let (first, second) = (swapped[FIRST].clone(), swapped[SECOND].clone());
        swapped.insert(FIRST.into(), second);
        swapped.insert(SECOND.into(), first);
        let mut run = Run::new(IndexMirrorsTheLog, Flush::Sync);
        run.quiet(&[NodeDisk::new("n", swapped)]);
        run.assert_red(&[]);
    }
}
