//! Reading a record in place.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;

use super::error::RecordError;
use super::layout::{FIXED_LEN, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, body_crc};
use crate::ext::MessageExt;
use crate::message::Message;
use crate::offset::{PhysicalOffset, QueueOffset};
use crate::property::Properties;
use crate::sys_flag::SysFlag;

/// One record, borrowed from the bytes it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View<'a> {
    /// The length of the record, in bytes.
    pub store_size: u32,
    /// [`MAGIC_V1`] or [`MAGIC_V2`].
    pub magic: u32,
    /// The checksum of the body, as stored.
    pub body_crc: u32,
    /// The queue of the topic.
    pub queue_id: u32,
    /// The user's flag.
    pub flag: i32,
    /// The place in the queue.
    pub queue_offset: QueueOffset,
    /// The place in the log that the record says it has.
    pub physical_offset: PhysicalOffset,
    /// The system's flags.
    pub sys_flag: SysFlag,
    /// When the producer made it, in ms.
    pub born_timestamp: u64,
    /// Who made it.
    pub born_host: SocketAddr,
    /// When the broker stored it, in ms.
    pub store_timestamp: u64,
    /// The broker that stored it.
    pub store_host: SocketAddr,
    /// How often it was handed back.
    pub reconsume_times: u32,
    /// Of a committed transaction: where its half message stands.
    pub prepared_transaction_offset: PhysicalOffset,
    /// The payload as stored.
    pub body: &'a [u8],
    /// Where the body starts, from the record's start.
    pub body_at: usize,
    /// The topic.
    pub topic: &'a str,
    /// The properties string; see [`crate::property::find`].
    pub properties: &'a [u8],
}

impl<'a> View<'a> {
    /// Parses the record that `bytes` begin with; bytes behind it are not looked at. Total: every
    /// length is checked, and together they make up the record's size exactly. The checksum is not
    /// checked: see [`View::crc_holds`]. Does not allocate.
    ///
    /// # Errors
    /// What the bytes are instead of a record.
    pub fn parse(bytes: &'a [u8]) -> Result<View<'a>, RecordError> {
        let mut cursor = Cursor { bytes, at: 0, total: u32::MAX };
        let total = cursor.u32()?;
        let magic = cursor.u32()?;
        match magic {
            MAGIC_V1 | MAGIC_V2 => {}
            MAGIC_BLANK => return Err(RecordError::Blank { len: total }),
            other => return Err(RecordError::Magic(other)),
        }
        let size = usize::try_from(total as i32).unwrap_or(0);
        if size < FIXED_LEN {
            return Err(cursor.length("record", i64::from(total as i32), total));
        }
        let Some(record) = bytes.get(..size) else {
            return Err(RecordError::Short { needed: size, have: bytes.len() });
        };
        (cursor.bytes, cursor.total) = (record, total);
        cursor.fields(magic)
    }

    /// Whether the body is the one the checksum was made of. An empty body has no checksum.
    pub fn crc_holds(&self) -> bool {
        self.body.is_empty() || body_crc(self.body) == self.body_crc
    }

    /// The value of a property; the last one wins.
    pub fn property(&self, name: &str) -> Option<&'a [u8]> {
        crate::property::find(self.properties, name)
    }

    /// The record with every field owned; the body is a slice of `record`, which holds at least
    /// this record and was what it was parsed from.
    pub fn to_ext(&self, record: &Bytes) -> MessageExt {
        MessageExt {
            message: Message {
                topic: self.topic.to_owned(),
                flag: self.flag,
                properties: Properties::from_raw(self.properties),
                body: record.slice(self.body_at..self.body_at + self.body.len()),
            },
            queue_id: self.queue_id,
            queue_offset: self.queue_offset,
            physical_offset: self.physical_offset,
            store_size: self.store_size,
            body_crc: self.body_crc,
            sys_flag: self.sys_flag,
            born_timestamp: self.born_timestamp,
            born_host: self.born_host,
            store_timestamp: self.store_timestamp,
            store_host: self.store_host,
            reconsume_times: self.reconsume_times,
            prepared_transaction_offset: self.prepared_transaction_offset,
        }
    }
}

/// A walk through the bytes of one record that never leaves them.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    total: u32,
}

impl<'a> Cursor<'a> {
    /// The fields behind the magic, up to the record's last byte.
    fn fields(mut self, magic: u32) -> Result<View<'a>, RecordError> {
        let body_crc = self.u32()?;
        let queue_id = self.u32()?;
        let flag = self.u32()? as i32;
        let queue_offset = QueueOffset(self.u64()?);
        let physical_offset = PhysicalOffset(self.u64()?);
        let sys_flag = SysFlag(self.u32()?);
        let born_timestamp = self.u64()?;
        let born_host = self.host(sys_flag.has_born_host_v6())?;
        let store_timestamp = self.u64()?;
        let store_host = self.host(sys_flag.has_store_host_v6())?;
        let reconsume_times = self.u32()?;
        let prepared_transaction_offset = PhysicalOffset(self.u64()?);
        let body_len = i64::from(self.u32()? as i32);
        let body_at = self.at;
        let body = self.slice("body", body_len)?;
        let topic_len = match magic {
            MAGIC_V2 => i64::from(self.u16()? as i16),
            _ => i64::from(self.array::<1>()?[0] as i8),
        };
        let topic = self.slice("topic", topic_len)?;
        let topic = std::str::from_utf8(topic).map_err(|_| RecordError::Topic)?;
        let properties_len = i64::from(self.u16()? as i16);
        let properties = self.slice("properties", properties_len)?;
        if self.at != self.bytes.len() {
            return Err(self.length("record", i64::from(self.total), self.at as u32));
        }
        Ok(View {
            store_size: self.total,
            magic,
            body_crc,
            queue_id,
            flag,
            queue_offset,
            physical_offset,
            sys_flag,
            born_timestamp,
            born_host,
            store_timestamp,
            store_host,
            reconsume_times,
            prepared_transaction_offset,
            body,
            body_at,
            topic,
            properties,
        })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(self.ended(self.at + N)),
        }
    }

    /// The bytes end within a field: more are needed, unless all of the record is there.
    fn ended(&self, needed: usize) -> RecordError {
        match self.total {
            u32::MAX => RecordError::Short { needed, have: self.bytes.len() },
            total => self.length("record", i64::from(total), total),
        }
    }

    fn length(&self, field: &'static str, len: i64, total: u32) -> RecordError {
        RecordError::Length { field, len, total }
    }

    fn u16(&mut self) -> Result<u16, RecordError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, RecordError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn slice(&mut self, field: &'static str, len: i64) -> Result<&'a [u8], RecordError> {
        let wrong = RecordError::Length { field, len, total: self.total };
        let Ok(len) = usize::try_from(len) else { return Err(wrong) };
        let bytes: &'a [u8] = self.bytes;
        let found = bytes.get(self.at..).and_then(|rest| rest.get(..len)).ok_or(wrong)?;
        self.at += len;
        Ok(found)
    }

    fn host(&mut self, v6: bool) -> Result<SocketAddr, RecordError> {
        let ip = match v6 {
            true => Ipv6Addr::from(self.array::<16>()?).into(),
            false => Ipv4Addr::from(self.array::<4>()?).into(),
        };
        let port = self.u32()?;
        let port = u16::try_from(port).map_err(|_| RecordError::Port(port))?;
        Ok(SocketAddr::new(ip, port))
    }
}
