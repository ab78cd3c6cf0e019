//! The CommitLog: records one behind the other through files that follow each other.

use bytes::Bytes;
use message::PhysicalOffset;

use super::crc;
use super::image::{DiskImage, number, segments};
use super::properties::{keys, pairs, tags_code, value};
use crate::digest::Digest;
use crate::identity::{self, Identity};

const MAGIC_V1: u64 = 0xDAA3_20A7;
const MAGIC_V2: u64 = 0xDAA3_20AB;
const MAGIC_BLANK: u64 = 0xCBD4_3194;

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub address: u64,
    /// Where it says that it stands.
    pub stated_address: u64,
    /// All its bytes.
    pub bytes: Bytes,
    /// Whether its body has the checksum that it says.
    pub crc_holds: bool,
    /// Whether the checksum that it says is its body's, also when the body is empty.
    pub crc_is_exact: bool,
    /// Whether no byte of its properties is zero; one that is was never written.
    pub properties_whole: bool,
    /// The topic.
    pub topic: String,
    /// The queue of the topic.
    pub queue_id: u32,
    /// Its place in the queue, as it says.
    pub queue_offset: u64,
    /// The system's flags.
    pub sys_flag: u32,
    /// When it was stored, by the node's clock.
    pub store_timestamp: u64,
    /// Who it is; `None` for what the system itself wrote.
    pub id: Option<Identity>,
    /// What it holds; `None` when the body is compressed.
    pub digest: Option<Digest>,
    /// What its queue entry must hold as its tag's code.
    pub tags_code: i64,
    /// The keys by which it is to be found; a rolled-back record has none.
    pub keys: Vec<Vec<u8>>,
}

impl Record {
    /// The record that these bytes are and nothing more, at `address`.
    pub(super) fn of(bytes: &Bytes, address: u64) -> Option<Self> {
        let magic = number::<4>(bytes, 4)?;
        read_record(bytes, bytes.len() as u64, magic, address).ok()
    }

    /// The length of the record.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The bytes of the log that it takes.
    pub fn span(&self) -> std::ops::Range<u64> {
        self.address..self.address + self.size()
    }

    /// The length of its body, if its hosts are of four bytes, as all are in a simulation.
    pub fn body_len(&self) -> u64 {
        let len = self.bytes.get(84..).and_then(|rest| rest.first_chunk());
        len.map_or(0, |len| u64::from(u32::from_be_bytes(*len)))
    }

    /// Whether it belongs into its queue: prepared and rolled-back records do not.
    pub fn is_queued(&self) -> bool {
        !matches!(self.sys_flag & 0xc, 0x4 | 0xc)
    }

    /// Whether its body and its address are what it says and its properties were all written.
    pub fn is_sound(&self) -> bool {
        self.crc_holds && self.properties_whole && self.stated_address == self.address
    }
}

/// Why the scan ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At zeros, or where the files end.
    Clean,
    /// At bytes that are neither a record nor zeros.
    Damaged {
        /// What is wrong.
        why: String,
    },
}

/// What fills the end of a file that the log went on behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blank {
    /// Where it begins.
    pub address: u64,
    /// The length that it says it has.
    pub stated: u64,
    /// The bytes from there to the file's end.
    pub left: u64,
    /// Whether only zeros stand behind its head.
    pub is_clean: bool,
}

/// What a CommitLog holds.
#[derive(Clone, Debug)]
pub struct LogScan {
    /// Where the first file starts.
    pub start: u64,
    /// Where the next record would go.
    pub end: u64,
    /// The records, by address.
    pub records: Vec<Record>,
    /// What ends its files.
    pub blanks: Vec<Blank>,
    /// Why the scan ended at `end`.
    pub stop: Stop,
    /// Where the first byte behind `end` stands that is not zero.
    pub residue: Option<u64>,
}

impl LogScan {
    /// Reads the log of a disk. No log at all is an empty one that starts at 0.
    pub fn of(image: &DiskImage) -> Self {
        let mut files: Vec<(u64, &Bytes)> =
            segments(image, |parts| parts.last() == Some(&"commitlog"))
                .map(|(_, base, bytes)| (base, bytes))
                .collect();
        files.sort_by_key(|(base, _)| *base);
        let start = files.first().map_or(0, |(base, _)| *base);
        let (records, blanks) = (Vec::new(), Vec::new());
        let mut scan =
            Self { start, end: start, records, blanks, stop: Stop::Clean, residue: None };
        let mut next = start;
        for (base, bytes) in &files {
            if *base != next {
                scan.stop = Stop::Damaged { why: format!("no file starts at {next}") };
                break;
            }
            next = base + bytes.len() as u64;
            if !scan.read_file(*base, bytes) {
                break;
            }
        }
        scan.residue = scan.find_residue(&files);
        scan
    }

    /// The records up to the first that is not sound: what a recovery can rely on.
    pub fn sound_prefix(&self) -> &[Record] {
        let sound = self.records.iter().take_while(|record| record.is_sound()).count();
        &self.records[..sound]
    }

    /// The record that stands at `address`.
    pub fn at(&self, address: u64) -> Option<&Record> {
        let found = self.records.binary_search_by_key(&address, |record| record.address);
        found.ok().map(|at| &self.records[at])
    }

    /// The record of a message: at `address` if that is known, else wherever it stands.
    pub fn record_of(&self, id: Identity, address: Option<PhysicalOffset>) -> Option<&Record> {
        match address {
            Some(address) => self.at(address.0).filter(|record| record.id == Some(id)),
            None => self.records.iter().find(|record| record.id == Some(id)),
        }
    }

    /// Reads one file; false when the log ends in it.
    fn read_file(&mut self, base: u64, file: &Bytes) -> bool {
        let mut at = 0;
        while at < file.len() {
            self.end = base + at as u64;
            let rest = file.slice(at..);
            match (number::<4>(&rest, 0), number::<4>(&rest, 4)) {
                (Some(stated), Some(MAGIC_BLANK)) => {
                    let (left, is_clean) = (rest.len() as u64, rest[8..].iter().all(|b| *b == 0));
                    self.blanks.push(Blank { address: self.end, stated, left, is_clean });
                    break;
                }
                (Some(0), Some(0)) | (None, _) | (_, None) => return false,
                (Some(size), Some(magic)) => match read_record(&rest, size, magic, self.end) {
                    Ok(record) => {
                        at += record.bytes.len();
                        self.records.push(record);
                    }
                    Err(why) => {
                        self.stop = Stop::Damaged { why };
                        return false;
                    }
                },
            }
        }
        self.end = base + file.len() as u64;
        true
    }

    fn find_residue(&self, files: &[(u64, &Bytes)]) -> Option<u64> {
        files.iter().find_map(|(base, bytes)| {
            let skip = (self.end.saturating_sub(*base)).min(bytes.len() as u64) as usize;
            let at = bytes[skip..].iter().position(|byte| *byte != 0)?;
            Some(base + (skip + at) as u64)
        })
    }
}

fn read_record(rest: &Bytes, size: u64, magic: u64, address: u64) -> Result<Record, String> {
    let topic_len_len = match magic {
        MAGIC_V1 => 1,
        MAGIC_V2 => 2,
        other => return Err(format!("0x{other:08x} is no magic")),
    };
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > rest.len() {
        return Err(format!("a record of {size} bytes passes the file's end"));
    }
    let bytes = rest.slice(..size);
    fields(bytes, topic_len_len, address).ok_or_else(|| format!("lengths within {size} disagree"))
}

/// The fields of a record whose bytes are exactly `bytes`; `None` when lengths disagree.
fn fields(bytes: Bytes, topic_len_len: usize, address: u64) -> Option<Record> {
    let sys_flag = number::<4>(&bytes, 36)? as u32;
    let host = |bit: u32| if sys_flag & bit == 0 { 8 } else { 20 };
    let store_time_at = 48 + host(0x10);
    let body_len_at = store_time_at + 8 + host(0x20) + 12;
    let body_at = body_len_at + 4;
    let body_end = body_at + number::<4>(&bytes, body_len_at)? as usize;
    let body = bytes.get(body_at..body_end)?;
    let topic_at = body_end + topic_len_len;
    let topic_len = match topic_len_len {
        1 => number::<1>(&bytes, body_end)?,
        _ => number::<2>(&bytes, body_end)?,
    };
    let topic_end = topic_at + topic_len as usize;
    let topic = std::str::from_utf8(bytes.get(topic_at..topic_end)?).ok()?.to_owned();
    let properties_end = topic_end + 2 + number::<2>(&bytes, topic_end)? as usize;
    let properties = bytes.get(topic_end + 2..properties_end)?;
    if properties_end != bytes.len() {
        return None;
    }
    let flag = number::<4>(&bytes, 16)? as u32 as i32;
    let digest = (sys_flag & 1 == 0).then(|| Digest::of_parts(flag, body, pairs(properties)));
    let crc_is_exact = number::<4>(&bytes, 8)? == u64::from(crc::of_body(body));
    Some(Record {
        address,
        stated_address: number::<8>(&bytes, 28)?,
        crc_holds: body.is_empty() || crc_is_exact,
        crc_is_exact,
        properties_whole: !properties.contains(&0),
        topic,
        queue_id: number::<4>(&bytes, 12)? as u32,
        queue_offset: number::<8>(&bytes, 20)?,
        sys_flag,
        store_timestamp: number::<8>(&bytes, store_time_at)?,
        id: value(properties, identity::PROPERTY).and_then(Identity::parse),
        digest,
        tags_code: tags_code(properties),
        keys: if sys_flag & 0xc == 0xc { Vec::new() } else { keys(properties) },
        bytes: bytes.clone(),
    })
}
