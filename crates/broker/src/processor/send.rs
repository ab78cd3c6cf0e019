//! A send whose header is read and whose queue is known.

use std::net::SocketAddr;

use message::SysFlag;
use protocol::header::SendMessageRequestHeader;
use store::QueueHandle;

use crate::put::Put;

/// What a send is, once its header is read.
pub(crate) struct Send<'a> {
    pub(crate) header: &'a SendMessageRequestHeader,
    pub(crate) body: &'a [u8],
    pub(crate) born_host: SocketAddr,
    pub(crate) store_host: SocketAddr,
    pub(crate) queue: QueueHandle,
}

impl<'a> Send<'a> {
    /// One message of it, with these properties as they are stored.
    pub(crate) fn put(&'a self, flag: i32, body: &'a [u8], properties: &'a [u8]) -> Put<'a> {
        Put {
            queue: &self.queue,
            flag,
            sys_flag: SysFlag(self.header.sys_flag as u32),
            born_timestamp: u64::try_from(self.header.born_timestamp).unwrap_or(0),
            born_host: self.born_host,
            store_host: self.store_host,
            reconsume_times: u32::try_from(self.header.reconsume_times).unwrap_or(0),
            body,
            properties,
        }
    }
}
