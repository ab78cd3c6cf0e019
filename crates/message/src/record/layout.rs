//! Where what stands, and the checksum.

/// The magic of a record whose topic length takes one byte.
pub const MAGIC_V1: u32 = 0xDAA3_20A7;
/// The magic of a record whose topic length takes two bytes (5.x).
pub const MAGIC_V2: u32 = 0xDAA3_20AB;
/// The magic of the blank at the end of a file, which no record fits into.
pub const MAGIC_BLANK: u32 = 0xCBD4_3194;

/// The longest topic of a V1 record, in bytes.
pub const TOPIC_V1_MAX: usize = 127;
/// The length of a V1 record with IPv4 hosts, without body, topic and properties.
pub const FIXED_LEN: usize = 91;
/// Where the queue offset stands, from the record's start.
pub const QUEUE_OFFSET_AT: usize = 20;
/// Where the physical offset stands, from the record's start.
pub const PHYSICAL_OFFSET_AT: usize = 28;

/// The bytes up to the body, with both hosts IPv6.
pub(super) const HEAD_LEN_MAX: usize = 112;

/// The checksum of a body as the record keeps it: CRC-32 without its highest bit, because Java's
/// int is signed. 0 for an empty body.
pub fn body_crc(body: &[u8]) -> u32 {
    crc32fast::hash(body) & 0x7fff_ffff
}
