//! The compressed form of a registration (reference protocol.md §3.4), in a zlib stream:
//!
//! ```text
//! i32 length · DataVersion JSON
//! i32 count · count × (i32 length · "name readQ writeQ perm filterType[ attributes JSON]")
//! i32 length · filter server JSON
//! [5.x: i32 count · count × (i32 length · queue mapping JSON)], ignored here
//! ```

use std::collections::BTreeMap;
use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::body::data_version::DataVersion;
use crate::body::error::BodyError;
use crate::body::json;
use crate::body::topic_config::{TopicConfig, TopicConfigSerializeWrapper};
use crate::frame::FRAME_SIZE_MAX;

pub(crate) fn encode(topics: &TopicConfigSerializeWrapper, filter_servers: &[String]) -> Bytes {
    let mut plain = Vec::new();
    put(&topics.data_version.encode(), &mut plain);
    plain.extend(length(topics.topic_config_table.len()));
    for topic in topics.topic_config_table.values() {
        let TopicConfig { topic_name, read_queue_nums, write_queue_nums, perm, .. } = topic;
        let kind = &topic.topic_filter_type;
        let text = format!("{topic_name} {read_queue_nums} {write_queue_nums} {perm} {kind}");
        put(text.as_bytes(), &mut plain);
    }
    put(&json::write(&filter_servers), &mut plain);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    let written = zlib.write_all(&plain).and_then(|()| zlib.finish());
    Bytes::from(written.expect("a Vec takes whatever is written"))
}

fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).expect("a registration is far below 4 GiB").to_be_bytes()
}

fn put(bytes: &[u8], to: &mut Vec<u8>) {
    to.extend(length(bytes.len()));
    to.extend(bytes);
}

pub(crate) fn decode(from: &[u8]) -> Result<(TopicConfigSerializeWrapper, Vec<String>), BodyError> {
    let mut plain = Vec::new();
    let bound = FRAME_SIZE_MAX as u64 + 1;
    let inflated = ZlibDecoder::new(from).take(bound).read_to_end(&mut plain);
    if inflated.is_err() || plain.len() > FRAME_SIZE_MAX {
        return Err(BodyError::Compressed("zlib stream"));
    }
    let mut rest = plain.as_slice();
    let data_version = DataVersion::decode(take(&mut rest, "data version")?)?;
    let mut topic_config_table = BTreeMap::new();
    for _ in 0..take_count(&mut rest, "topic count")? {
        let topic = topic(take(&mut rest, "topic")?).ok_or(BodyError::Compressed("topic"))?;
        topic_config_table.insert(topic.topic_name.clone(), topic);
    }
    let filter_servers = json::read(take(&mut rest, "filter servers")?, "filter server list")?;
    Ok((TopicConfigSerializeWrapper { data_version, topic_config_table }, filter_servers))
}

fn take_count(from: &mut &[u8], part: &'static str) -> Result<usize, BodyError> {
    let (count, rest) = from.split_first_chunk().ok_or(BodyError::Compressed(part))?;
    *from = rest;
    usize::try_from(i32::from_be_bytes(*count)).map_err(|_| BodyError::Compressed(part))
}

fn take<'a>(from: &mut &'a [u8], part: &'static str) -> Result<&'a [u8], BodyError> {
    let count = take_count(from, part)?;
    let (taken, rest) = from.split_at_checked(count).ok_or(BodyError::Compressed(part))?;
    *from = rest;
    Ok(taken)
}

/// A topic of five fields, or of six whose last one is JSON.
fn topic(text: &[u8]) -> Option<TopicConfig> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.splitn(6, ' ');
    Some(TopicConfig {
        topic_name: fields.next()?.to_owned(),
        read_queue_nums: fields.next()?.parse().ok()?,
        write_queue_nums: fields.next()?.parse().ok()?,
        perm: fields.next()?.parse().ok()?,
        topic_filter_type: fields.next()?.to_owned(),
        attributes: match fields.next() {
            Some(attributes) => json::read(attributes.as_bytes(), "attributes").ok()?,
            None => BTreeMap::new(),
        },
        ..TopicConfig::default()
    })
}
