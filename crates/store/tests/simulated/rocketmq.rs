//! A small store as RocketMQ 4.9 writes one, made byte by byte: no mark of hotfire's, a segment of
//! zeros prepared ahead, cleaned segments, fillers, an index, integer keys without quotes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use message::record::{Fields, MAGIC_BLANK, body_crc};
use message::{PhysicalOffset, QueueOffset, SysFlag, java_hash, tags_code};
use runtime::Disk;

/// The length of a segment; the first one that is left starts here, too.
pub(crate) const SEGMENT: u64 = 16 << 10;
/// The entries of a queue file, the slots and the entries of an IndexFile.
const QUEUE_ENTRIES: usize = 20;
pub(crate) const SLOTS: usize = 16;
const INDEX_ENTRIES: usize = 20;
const QUEUES: [(&str, u32); 3] = [("Orders", 0), ("Orders", 1), ("Bills", 0)];

/// The files of the store, by path.
pub(crate) struct Image {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Where each record stands, its length, and its queue and place.
    pub(crate) records: Vec<(u64, u64, (&'static str, u32), u64)>,
}

impl Image {
    /// A store with so many messages, of which the first segment was cleaned away.
    pub(crate) fn new(count: u64) -> Self {
        let mut image = Self { files: BTreeMap::new(), records: Vec::new() };
        let mut log: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let mut at = 0;
        let (mut places, mut keys) = (BTreeMap::new(), Vec::new());
        for number in 0..count {
            let queue = QUEUES[(number % 3) as usize];
            // Of the second queue the first messages were cleaned away with their file.
            let place = places.entry(queue).or_insert(if queue.1 == 1 { 25 } else { 0 });
            let mut record = record(number, queue, *place, 0);
            if at % SEGMENT + record.len() as u64 + 8 > SEGMENT {
                let left = SEGMENT - at % SEGMENT;
                let mut blank = (left as u32).to_be_bytes().to_vec();
                blank.extend(MAGIC_BLANK.to_be_bytes());
                put(&mut log, at, &blank);
                at += left;
            }
            record[28..36].copy_from_slice(&at.to_be_bytes());
            put(&mut log, at, &record);
            image.records.push((at, record.len() as u64, queue, *place));
            for key in [format!("uniq{number}"), format!("key{number}"), "all".to_owned()] {
                keys.push((java_hash(&format!("{}#{key}", queue.0)), at, time(number)));
            }
            *place += 1;
            at += record.len() as u64;
        }
        let last = at / SEGMENT * SEGMENT;
        log.insert(last + SEGMENT, vec![0; SEGMENT as usize]);
        log.remove(&0);
        for (base, bytes) in log {
            image.files.insert(format!("commitlog/{base:020}"), bytes);
        }
        image.add_queues(&places);
        image.add_index(&keys);
        let mut page = vec![0; 4096];
        for word in 0..2 {
            page[8 * word..8 * word + 8].copy_from_slice(&time(count - 1).to_be_bytes());
        }
        image.files.insert("checkpoint".into(), page);
        image.files.insert("lock".into(), b"lock".to_vec());
        let offsets = b"{\n\t\"offsetTable\":{\"Orders@g\":{0:7,1:4\n\t\t}\n\t}\n}".to_vec();
        image.files.insert("config/consumerOffset.json".into(), offsets.clone());
        image.files.insert("config/consumerOffset.json.bak".into(), offsets);
        image.records.retain(|(at, ..)| *at >= SEGMENT);
        image
    }

    fn add_queues(&mut self, places: &BTreeMap<(&'static str, u32), u64>) {
        for ((topic, queue_id), end) in places {
            let files = (*end as usize).div_ceil(QUEUE_ENTRIES);
            let mut bytes = vec![0; files * QUEUE_ENTRIES * 20];
            let first = if *queue_id == 1 { QUEUE_ENTRIES } else { 0 };
            let (filler, mut at) =
                ([&[0; 8][..], &[0x7f, 0xff, 0xff, 0xff], &[0; 8]].concat(), first);
            while *queue_id == 1 && at < 25 {
                bytes[at * 20..at * 20 + 20].copy_from_slice(&filler);
                at += 1;
            }
            let of_queue = |record: &&(u64, u64, (&str, u32), u64)| record.2 == (*topic, *queue_id);
            for (at, len, _, place) in self.records.iter().filter(of_queue) {
                let entry = &mut bytes[*place as usize * 20..][..20];
                entry[0..8].copy_from_slice(&at.to_be_bytes());
                entry[8..12].copy_from_slice(&(*len as u32).to_be_bytes());
                entry[12..20].copy_from_slice(&tags_code("TagA").to_be_bytes());
            }
            for (index, file) in bytes.chunks(QUEUE_ENTRIES * 20).enumerate() {
                let base = index * QUEUE_ENTRIES * 20;
                if base / 20 >= first {
                    let path = format!("consumequeue/{topic}/{queue_id}/{base:020}");
                    self.files.insert(path, file.to_vec());
                }
            }
        }
    }

    fn add_index(&mut self, keys: &[(i32, u64, u64)]) {
        for (index, keys) in keys.chunks(INDEX_ENTRIES - 1).enumerate() {
            let mut file = vec![0; 40 + SLOTS * 4 + INDEX_ENTRIES * 20];
            let (first, last) = (keys[0], keys[keys.len() - 1]);
            for (word, value) in [first.2, last.2, first.1, last.1].into_iter().enumerate() {
                file[8 * word..8 * word + 8].copy_from_slice(&value.to_be_bytes());
            }
            file[36..40].copy_from_slice(&(keys.len() as u32 + 1).to_be_bytes());
            for (number, (hash, at, time)) in (1_u32..).zip(keys) {
                let hash = hash.checked_abs().unwrap_or(0);
                let slot = 40 + hash as usize % SLOTS * 4;
                let entry = 40 + SLOTS * 4 + number as usize * 20;
                let seconds = ((time - first.2) / 1000) as u32;
                let previous: [u8; 4] = file[slot..slot + 4].try_into().unwrap();
                file[entry..entry + 4].copy_from_slice(&hash.to_be_bytes());
                file[entry + 4..entry + 12].copy_from_slice(&at.to_be_bytes());
                file[entry + 12..entry + 16].copy_from_slice(&seconds.to_be_bytes());
                file[entry + 16..entry + 20].copy_from_slice(&previous);
                file[slot..slot + 4].copy_from_slice(&number.to_be_bytes());
            }
            self.files
                .insert(format!("index/{:017}", 20_260_101_000_000_000_u64 + index as u64), file);
        }
    }

    /// Writes the files into `root`.
    pub(crate) async fn write(&self, disk: &Disk, root: &str) {
        for (path, bytes) in &self.files {
            let path = format!("{root}/{path}");
            disk.create_dir(path.rsplit_once('/').unwrap().0).await.unwrap();
            disk.write(&path, bytes).await.unwrap();
        }
    }

    /// The file of an offset of the log, and the byte in it.
    pub(crate) fn log_byte(&mut self, at: u64) -> &mut u8 {
        let base = at / SEGMENT * SEGMENT;
        let file = self.files.get_mut(&format!("commitlog/{base:020}")).unwrap();
        &mut file[(at - base) as usize]
    }

    /// The entry of a place.
    pub(crate) fn entry(&mut self, (topic, queue_id): (&str, u32), place: u64) -> &mut [u8] {
        let byte = place as usize * 20;
        let base = byte / (QUEUE_ENTRIES * 20) * QUEUE_ENTRIES * 20;
        let path = format!("consumequeue/{topic}/{queue_id}/{base:020}");
        &mut self.files.get_mut(&path).unwrap()[byte - base..][..20]
    }
}

fn time(number: u64) -> u64 {
    1_700_000_000_000 + number * 700
}

fn put(log: &mut BTreeMap<u64, Vec<u8>>, at: u64, bytes: &[u8]) {
    let file = log.entry(at / SEGMENT * SEGMENT).or_insert_with(|| vec![0; SEGMENT as usize]);
    file[(at % SEGMENT) as usize..][..bytes.len()].copy_from_slice(bytes);
}

fn record(number: u64, (topic, queue_id): (&str, u32), place: u64, at: u64) -> Vec<u8> {
    let host = SocketAddr::from(([10, 0, 0, 1], 10_911));
    let body = format!("message {number} ").repeat(1 + number as usize % 17);
    let properties = format!("KEYS\x01key{number} all\x02UNIQ_KEY\x01uniq{number}\x02TAGS\x01TagA");
    let fields = Fields {
        queue_id,
        flag: 0,
        queue_offset: QueueOffset(place),
        physical_offset: PhysicalOffset(at),
        sys_flag: SysFlag(0),
        born_timestamp: 1,
        born_host: host,
        store_timestamp: time(number),
        store_host: host,
        reconsume_times: 0,
        prepared_transaction_offset: PhysicalOffset(0),
        body_crc: body_crc(body.as_bytes()),
        body: body.as_bytes(),
        topic,
        properties: &[properties.as_bytes()],
    };
    fields.encode()
}
