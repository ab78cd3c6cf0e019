//! What a broker tells a name server of itself.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::body::error::BodyError;
use crate::body::json::json_body;
use crate::body::register_broker_zlib;
use crate::body::topic_config::TopicConfigSerializeWrapper;

/// The body of REGISTER_BROKER.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisterBrokerBody {
    /// A removed feature; empty.
    pub filter_server_list: Vec<String>,
    /// The broker's topics: all of them, or those that changed.
    pub topic_config_serialize_wrapper: TopicConfigSerializeWrapper,
}

json_body!(RegisterBrokerBody);

impl RegisterBrokerBody {
    /// The compressed form (`compressed=true` in the header), as 4.9 writes it: it says neither
    /// `order` nor `topicSysFlag` nor attributes of a topic.
    pub fn encode_compressed(&self) -> Bytes {
        let topics = &self.topic_config_serialize_wrapper;
        register_broker_zlib::encode(topics, &self.filter_server_list)
    }

    /// Reads the compressed form of 4.9 or 5.x.
    ///
    /// # Errors
    /// It is cut off, malformed, or inflates to more than a frame could carry.
    pub fn decode_compressed(from: &[u8]) -> Result<Self, BodyError> {
        let (topic_config_serialize_wrapper, filter_server_list) =
            register_broker_zlib::decode(from)?;
        Ok(Self { filter_server_list, topic_config_serialize_wrapper })
    }

    /// The `bodyCrc32` that goes with `body` as sent: CRC32 without its top bit.
    pub fn crc32(body: &[u8]) -> i32 {
        i32::try_from(crc32fast::hash(body) & 0x7FFF_FFFF).expect("31 bits fit")
    }
}
