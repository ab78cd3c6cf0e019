//! S12: bytes that a released RocketMQ wrote are read as what they are.

use crate::disk::{DiskImage, NodeDisk, Stop};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// A record of a 4.9.8 broker, whole (internals.md 0): TopicA, queue 2, body "hello", tag TagA.
const RECORD: &str = "000000bbdaa320a73610a6860000000200000000000000000000000000000000\
    0000000000000000000001a1f83ebe757f00000100008896000001a1f83ebf167f000001000051af00000000\
    00000000000000000000000568656c6c6f06546f706963410055\
    4b455953016b31206b3202554e49515f4b45590143303030303230323742343546464432423237363344364437\
    3633303030303002434c5553544552\
    0164656661756c74436c757374657202544147530154616741";

/// Its entry in the queue: place 0, 0xbb bytes, the hash of TagA.
const ENTRY: &str = "0000000000000000000000bb000000000027a807";

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct GoldenBytes;

/// What S12 claims.
const CLAIM: Claim = Claim {
    id: "S12",
    sentence: "The recorded bytes of a released RocketMQ decode to the message that they were, and \
               what workloads send is stored in that very version of the format.",
    source: "internals.md 0, bytes of a real 4.9.8 broker",
    limits: "One record and its queue entry; the index is S3's. Of what was sent: the magic of \
             version 1 and hosts of IPv4, for topics up to 127 bytes.",
};

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

/// What is wrong with the decoder.
fn wrong(record: &str, entry: &str) -> Option<String> {
    let mut image = DiskImage::new();
    let mut log = bytes_of(record);
    log.resize(1024, 0);
    image.insert("store/commitlog/00000000000000000000".to_owned(), log.into());
    let queue = bytes_of(entry);
    image.insert("store/consumequeue/TopicA/2/00000000000000000000".to_owned(), queue.into());
    let disk = NodeDisk::new("golden", image);
    let Some(read) = disk.log.records.first() else { return Some("no record is read".into()) };
    let place = (read.topic.as_str(), read.queue_id, read.queue_offset, read.sys_flag);
    let times = (read.store_timestamp, read.tags_code, read.size(), read.crc_is_exact);
    let queue = disk.queues.get(&("TopicA".to_owned(), 2));
    let entries = queue.into_iter().flat_map(|queue| &queue.entries);
    let entries: Vec<_> = entries.map(|e| (e.address, e.size, e.tags_code)).collect();
    let is_right = place == ("TopicA", 2, 0, 0)
        && times == (0x1a1_f83e_bf16, 2_598_919, 0xbb, true)
        && entries == [(0, 0xbb, 2_598_919)]
        && read.is_sound()
        && (disk.log.end, &disk.log.stop, disk.log.residue) == (0xbb, &Stop::Clean, None);
    (!is_right).then(|| format!("the recorded bytes were read as {read:?} and {entries:?}"))
}

impl Invariant for GoldenBytes {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, _world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let wrong = wrong(RECORD, ENTRY);
        found.check(wrong.is_none(), [], || wrong.unwrap_or_default());
        for disk in disks {
            for record in disk.log.sound_prefix().iter().filter(|record| record.id.is_some()) {
                let is_first_version = record.bytes[4..8] == [0xDA, 0xA3, 0x20, 0xA7];
                let is_v4 = record.sys_flag & 0x30 == 0;
                found.check(is_first_version && is_v4, [], || {
                    format!("the record at {} is of another version", record.address)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, changed, disk, image};

    #[test]
    fn the_recorded_bytes_and_what_hotfire_writes_are_fine() {
        let mut run = Run::new(GoldenBytes, Flush::Sync);
        run.quiet(&[disk(&[Identity::new(1, 0, 0)])]);
        run.assert_green();
    }

    #[test]
    fn other_bytes_are_told_apart() {
        assert!(wrong(&RECORD.replacen("3610a686", "3610a687", 1), ENTRY).is_some());
        assert!(wrong(RECORD, &ENTRY.replacen("0027a807", "0027a808", 1)).is_some());
        assert!(wrong("", ENTRY).is_some());
    }

    #[test]
    fn a_record_of_another_version_is_caught() {
        let mut run = Run::new(GoldenBytes, Flush::Sync);
        // An IPv6 store host, it says: its twelve bytes are of the properties then.
        let other = changed(image(&[Identity::new(1, 0, 0)]), LOG, |bytes| {
            let body = bytes.split_off(56);
            bytes[39] |= 0x20;
            bytes[3] += 12;
            bytes.extend([&body[..8], &[0; 12][..], &body[8..]].concat());
            bytes.truncate(bytes.len() - 12);
        });
        assert_eq!(other.log.sound_prefix().len(), 1);
        run.quiet(&[other]);
        run.assert_red(&[]);
    }
}
