//! The stored record, against bytes that a real 4.9.8 broker wrote and against any bytes at all.

use std::net::SocketAddr;

use bytes::Bytes;
use message::record::{
    Fields, MAGIC_BLANK, MAGIC_V1, MAGIC_V2, RecordError, View, body_crc, decode_all, views,
};
use message::{PhysicalOffset, QueueOffset, SysFlag};
use proptest::prelude::*;

/// A whole record as captured: TopicA, queue 2, body "hello", keys "k1 k2", tag TagA.
const CAPTURED: &str = "000000bbdaa320a73610a6860000000200000000000000000000000000000000\
    0000000000000000000001a1f83ebe757f00000100008896000001a1f83ebf167f000001000051af00000000\
    00000000000000000000000568656c6c6f06546f706963410055\
    4b455953016b31206b3202554e49515f4b45590143303030303230323742343546464432423237363344364437\
    3633303030303002434c5553544552\
    0164656661756c74436c757374657202544147530154616741";

/// The first record of a fresh store, as far as it was noted: its head, its body and its tail. The
/// values of UNIQ_KEY and of what stood before TAGS were not; 32 and 38 letters stand for them.
const FIRST_HEAD: &str = "000000dbdaa320a77036e992000000000000000000000000000000000000000000000000\
    00000000000001a1f8480cbc7f0000010000976c000001a1f8480d057f00000100002a9f\
    0000000000000000000000000000000668656c6c6f3006546f706963410074636f6c6f720172656402";

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let text = |pair: &[u8]| String::from_utf8(pair.to_vec()).unwrap();
    digits.chunks(2).map(|pair| u8::from_str_radix(&text(pair), 16).unwrap()).collect()
}

fn host(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn fields<'a>(topic: &'a str, body: &'a [u8], properties: &'a [&'a [u8]]) -> Fields<'a> {
    Fields {
        queue_id: 2,
        flag: 0,
        queue_offset: QueueOffset(0),
        physical_offset: PhysicalOffset(0),
        sys_flag: SysFlag(0),
        born_timestamp: 0x1a1_f83e_be75,
        born_host: host("127.0.0.1:34966"),
        store_timestamp: 0x1a1_f83e_bf16,
        store_host: host("127.0.0.1:20911"),
        reconsume_times: 0,
        prepared_transaction_offset: PhysicalOffset(0),
        body_crc: body_crc(body),
        body,
        topic,
        properties,
    }
}

#[test]
fn a_record_equals_the_captured_one_byte_for_byte() {
    let captured = bytes_of(CAPTURED);
    assert_eq!(captured.len(), 0xbb);
    let unique = &captured[captured.len() - 85 + 11..][..41];
    let parts: [&[u8]; 4] =
        [b"KEYS\x01k1 k2\x02", unique, b"\x02CLUSTER\x01defaultCluster", b"\x02TAGS\x01TagA"];
    let fields = fields("TopicA", b"hello", &parts);
    assert_eq!(fields.encoded_len(), captured.len());
    assert_eq!(fields.encode(), captured);
    let view = View::parse(&captured).unwrap();
    assert!(view.crc_holds());
    assert_eq!(view.body_crc, 0x3610_a686);
    assert_eq!(view.property("KEYS"), Some(&b"k1 k2"[..]));
    assert_eq!(view.property("TAGS"), Some(&b"TagA"[..]));
    assert_eq!((view.topic, view.queue_id, view.born_host), ("TopicA", 2, fields.born_host));
}

#[test]
fn the_first_record_of_a_fresh_store_is_written_and_read() {
    let rest = format!("KEYS\x01k0\x02UNIQ_KEY\x01{:U<32}\x02CLUSTER\x01{:c<38}", "", "");
    let tail = "\x02TAGS\x01TagA";
    let parts = [b"color\x01red\x02", rest.as_bytes(), tail.as_bytes()];
    let mut fields = fields("TopicA", b"hello0", &parts);
    fields.queue_id = 0;
    fields.born_timestamp = 0x1a1_f848_0cbc;
    fields.born_host = host("127.0.0.1:38764");
    fields.store_timestamp = 0x1a1_f848_0d05;
    fields.store_host = host("127.0.0.1:10911");
    assert_eq!(fields.body_crc, 0x7036_e992);
    let encoded = fields.encode();
    let expected = [&bytes_of(FIRST_HEAD)[..], rest.as_bytes(), tail.as_bytes()].concat();
    assert_eq!(encoded, expected);
    assert_eq!(encoded.len(), 0xdb);
    assert_eq!(View::parse(&encoded).unwrap().property("color"), Some(&b"red"[..]));
}

#[test]
fn the_body_stands_where_the_view_says_and_is_not_copied() {
    let captured = Bytes::from(bytes_of(CAPTURED));
    let two = Bytes::from([&captured[..], &captured[..]].concat());
    let messages = decode_all(two.clone()).unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], messages[1]);
    let second = &messages[1].message.body;
    assert_eq!(second.as_ptr(), two[captured.len() + 88..].as_ptr());
    assert_eq!(messages[1].offset_message_id(), "7F000001000051AF0000000000000000");
    assert_eq!(messages[1].message_id(), "C00002027B45FFD2B2763D6D76300000");
    assert_eq!(messages[1].message.tags(), Some("TagA"));
    assert_eq!(views(&two).map(|found| found.unwrap().1.len()).collect::<Vec<_>>(), [187, 187]);
}

#[test]
fn what_is_no_record_is_named() {
    let captured = bytes_of(CAPTURED);
    let short = View::parse(&captured[..100]);
    assert_eq!(short, Err(RecordError::Short { needed: 187, have: 100 }));
    assert_eq!(View::parse(&captured[..3]), Err(RecordError::Short { needed: 4, have: 3 }));
    assert_eq!(View::parse(&[0; 400]), Err(RecordError::Magic(0)));
    let blank = [&77u32.to_be_bytes()[..], &MAGIC_BLANK.to_be_bytes()].concat();
    assert_eq!(View::parse(&blank), Err(RecordError::Blank { len: 77 }));
    let with = |at: usize, byte: u8| {
        let mut bytes = captured.clone();
        bytes[at] = byte;
        View::parse(&bytes).map(|view| view.store_size)
    };
    assert_eq!(
        with(0, 0x80),
        Err(length("record", i64::from(0x8000_00bb_u32 as i32), 0x8000_00bb))
    );
    assert_eq!(with(3, 90), Err(length("record", 90, 90)));
    assert_eq!(with(84, 0xff), Err(length("body", i64::from(0xff00_0005_u32 as i32), 187)));
    assert_eq!(with(93, 0xff), Err(length("topic", -1, 187)));
    assert_eq!(with(100, 0x80), Err(length("properties", -32_768 + 0x55, 187)));
    assert_eq!(with(101, 0x54), Err(length("record", 187, 186)));
    assert_eq!(with(53, 1), Err(RecordError::Port(0x1_8896)));
    assert_eq!(with(94, 0xff), Err(RecordError::Topic));
    // The IPv6 bit moves every later field.
    assert!(with(39, 0x10).is_err());
}

fn length(field: &'static str, len: i64, total: u32) -> RecordError {
    RecordError::Length { field, len, total }
}

#[test]
fn a_flipped_bit_of_the_body_is_noticed_and_an_empty_body_has_no_checksum() {
    let mut bytes = bytes_of(CAPTURED);
    bytes[90] ^= 4;
    assert!(!View::parse(&bytes).unwrap().crc_holds());
    let empty = Fields { body_crc: 7, ..fields("t", b"", &[]) }.encode();
    assert!(View::parse(&empty).unwrap().crc_holds());
}

#[test]
fn properties_in_many_parts_are_written_whole() {
    let parts: Vec<&[u8]> = vec![b"a\x01b\x02"; 30];
    let encoded = fields("t", b"x", &parts).encode();
    assert_eq!(View::parse(&encoded).unwrap().properties, parts.concat());
}

#[test]
fn the_head_is_handed_out_without_a_copy_of_the_body() {
    let body = b"hello";
    fields("t", body, &[b"a\x01b"]).with_parts(|parts| {
        assert!(parts.iter().any(|part| part.as_ptr() == body.as_ptr()));
    });
}

prop_compose! {
    fn any_record()(
        numbers: (u32, i32, u64, u64, u32, u64, u64, u32, u64),
        born: (std::net::IpAddr, u16),
        store: (std::net::IpAddr, u16),
        body: Vec<u8>,
        topic in "[a-z]{0,20}|[a-z]{126,129}|[a-z]{200,300}",
        properties: Vec<u8>,
        cut in 0usize..100,
    ) -> Vec<u8> {
        let at = cut.min(properties.len());
        Fields {
            queue_id: numbers.0,
            flag: numbers.1,
            queue_offset: QueueOffset(numbers.2),
            physical_offset: PhysicalOffset(numbers.3),
            sys_flag: SysFlag(numbers.4),
            born_timestamp: numbers.5,
            born_host: born.into(),
            store_timestamp: numbers.6,
            store_host: store.into(),
            reconsume_times: numbers.7,
            prepared_transaction_offset: PhysicalOffset(numbers.8),
            body_crc: body_crc(&body),
            body: &body,
            topic: &topic,
            properties: &[&properties[..at], &properties[at..]],
        }
        .encode()
    }
}

/// The fields of a view again, to be written.
fn rewritten(view: &View<'_>) -> Vec<u8> {
    Fields {
        queue_id: view.queue_id,
        flag: view.flag,
        queue_offset: view.queue_offset,
        physical_offset: view.physical_offset,
        sys_flag: view.sys_flag,
        born_timestamp: view.born_timestamp,
        born_host: view.born_host,
        store_timestamp: view.store_timestamp,
        store_host: view.store_host,
        reconsume_times: view.reconsume_times,
        prepared_transaction_offset: view.prepared_transaction_offset,
        body_crc: view.body_crc,
        body: view.body,
        topic: view.topic,
        properties: &[view.properties],
    }
    .encode()
}

proptest! {
    #[test]
    fn what_is_written_is_read_and_written_again(record in any_record(), behind: Vec<u8>) {
        let followed = [&record[..], &behind].concat();
        let view = View::parse(&followed).unwrap();
        prop_assert_eq!(view.store_size as usize, record.len());
        prop_assert_eq!(view.magic, if view.topic.len() > 127 { MAGIC_V2 } else { MAGIC_V1 });
        prop_assert!(view.crc_holds());
        prop_assert_eq!(rewritten(&view), record);
    }

    #[test]
    fn every_truncation_is_short(record in any_record(), cut: prop::sample::Index) {
        let have = cut.index(record.len());
        let parsed = View::parse(&record[..have]);
        prop_assert!(matches!(parsed, Err(RecordError::Short { .. })), "{:?}", parsed);
    }

    #[test]
    fn parsing_any_bytes_is_total(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = View::parse(&bytes);
        let _ = decode_all(Bytes::from(bytes));
    }

    #[test]
    fn parsing_a_damaged_record_is_total_and_stays_within(
        record in any_record(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = record;
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(view) = View::parse(&bytes) {
            let end = bytes.as_ptr_range().end;
            prop_assert!(view.store_size as usize <= bytes.len());
            prop_assert!(view.properties.as_ptr_range().end <= end);
            prop_assert!(view.body.as_ptr_range().end <= end);
        }
    }
}
