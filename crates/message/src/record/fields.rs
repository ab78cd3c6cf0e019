//! Writing a record.

use std::net::{IpAddr, SocketAddr};

use super::layout::{FIXED_LEN, HEAD_LEN_MAX, MAGIC_V1, MAGIC_V2, TOPIC_V1_MAX};
use crate::offset::{PhysicalOffset, QueueOffset};
use crate::property;
use crate::sys_flag::SysFlag;

/// How many slices [`Fields::with_parts`] hands out at most without allocating.
const PARTS_MAX: usize = 16;
/// How many of them stand before the properties.
const PARTS_FIXED: usize = 5;

/// Everything a record holds, borrowed, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// The queue of the topic.
    pub queue_id: u32,
    /// The user's flag.
    pub flag: i32,
    /// The place in the queue; 0 for a half message.
    pub queue_offset: QueueOffset,
    /// The place in the log: the record's own address.
    pub physical_offset: PhysicalOffset,
    /// The system's flags; the two host bits are set from the hosts whatever stands here.
    pub sys_flag: SysFlag,
    /// When the producer made it, in ms.
    pub born_timestamp: u64,
    /// Who made it.
    pub born_host: SocketAddr,
    /// When the broker stored it, in ms.
    pub store_timestamp: u64,
    /// The broker's advertised address.
    pub store_host: SocketAddr,
    /// How often it was handed back.
    pub reconsume_times: u32,
    /// Of a committed transaction: where its half message stands.
    pub prepared_transaction_offset: PhysicalOffset,
    /// [`super::body_crc`] of the body.
    pub body_crc: u32,
    /// The payload.
    pub body: &'a [u8],
    /// The topic, at most 32 767 bytes; above 127 bytes the record is V2.
    pub topic: &'a str,
    /// The properties string in parts that follow each other, at most [`property::LEN_MAX`] bytes
    /// together.
    pub properties: &'a [&'a [u8]],
}

impl Fields<'_> {
    /// The length of the record in bytes.
    pub fn encoded_len(&self) -> usize {
        let wide = |host: SocketAddr| if host.is_ipv6() { 12 } else { 0 };
        let v2 = usize::from(self.is_v2());
        let hosts = wide(self.born_host) + wide(self.store_host);
        FIXED_LEN + v2 + hosts + self.body.len() + self.topic.len() + self.properties_len()
    }

    /// The length of the properties string in bytes.
    pub fn properties_len(&self) -> usize {
        self.properties.iter().map(|part| part.len()).sum()
    }

    /// Hands the record to `f` as slices that follow each other: what stands before the body is
    /// made on the stack, everything else is borrowed. Does not allocate, unless the properties
    /// come in more than 11 parts.
    ///
    /// # Panics
    /// When the properties pass [`property::LEN_MAX`], or the topic or the whole what its length
    /// field holds: whoever accepts a message checks that first.
    pub fn with_parts<R>(&self, f: impl FnOnce(&[&[u8]]) -> R) -> R {
        let head = self.head();
        let topic_len = u16::try_from(self.topic.len()).ok().filter(|len| *len <= 32_767);
        let topic_len = topic_len.expect("a topic's length was checked").to_be_bytes();
        let topic_len = if self.is_v2() { &topic_len[..] } else { &topic_len[1..] };
        let properties_len = self.properties_len();
        assert!(properties_len <= property::LEN_MAX, "a properties string's length was checked");
        let properties_len = (properties_len as u16).to_be_bytes();
        let fixed: [&[u8]; PARTS_FIXED] =
            [head.bytes(), self.body, topic_len, self.topic.as_bytes(), &properties_len];
        let count = PARTS_FIXED + self.properties.len();
        if count > PARTS_MAX {
            return f(&[&fixed, self.properties].concat());
        }
        let mut parts: [&[u8]; PARTS_MAX] = [&[]; PARTS_MAX];
        parts[..PARTS_FIXED].copy_from_slice(&fixed);
        parts[PARTS_FIXED..count].copy_from_slice(self.properties);
        f(&parts[..count])
    }

    /// The record in one piece.
    ///
    /// # Panics
    /// As [`Fields::with_parts`].
    pub fn encode(&self) -> Vec<u8> {
        self.with_parts(|parts| parts.concat())
    }

    fn is_v2(&self) -> bool {
        self.topic.len() > TOPIC_V1_MAX
    }

    fn head(&self) -> Head {
        let mut head = Head { bytes: [0; HEAD_LEN_MAX], len: 0 };
        let total = i32::try_from(self.encoded_len()).expect("a record's length was checked");
        let flag = self.sys_flag.with_hosts(self.born_host.is_ipv6(), self.store_host.is_ipv6());
        head.put(total.to_be_bytes());
        head.put(if self.is_v2() { MAGIC_V2 } else { MAGIC_V1 }.to_be_bytes());
        head.put(self.body_crc.to_be_bytes());
        head.put(self.queue_id.to_be_bytes());
        head.put(self.flag.to_be_bytes());
        head.put(self.queue_offset.0.to_be_bytes());
        head.put(self.physical_offset.0.to_be_bytes());
        head.put(flag.0.to_be_bytes());
        head.put(self.born_timestamp.to_be_bytes());
        head.put_host(self.born_host);
        head.put(self.store_timestamp.to_be_bytes());
        head.put_host(self.store_host);
        head.put(self.reconsume_times.to_be_bytes());
        head.put(self.prepared_transaction_offset.0.to_be_bytes());
        head.put((self.body.len() as u32).to_be_bytes());
        head
    }
}

/// What stands before the body, on the stack.
struct Head {
    bytes: [u8; HEAD_LEN_MAX],
    len: usize,
}

impl Head {
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&bytes);
        self.len += N;
    }

    fn put_host(&mut self, host: SocketAddr) {
        match host.ip() {
            IpAddr::V4(ip) => self.put(ip.octets()),
            IpAddr::V6(ip) => self.put(ip.octets()),
        }
        self.put(u32::from(host.port()).to_be_bytes());
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
