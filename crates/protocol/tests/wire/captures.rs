//! The byte streams of real connections split into frames, whatever pieces they arrive in.

use std::collections::BTreeMap;

use crate::recorded::unpack;
use bytes::BytesMut;
use protocol::fast::{peek, send_reply_view, send_view};
use protocol::frame::next_frame;
use protocol::header::{SendMessageRequestHeader, SendMessageResponseHeader};
use protocol::{RemotingCommand, RequestCode, SerializeType};

/// One direction of a connection: its ports, and its bytes in order.
type Streams = BTreeMap<(u16, u16), Vec<u8>>;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_le_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Reads a little-endian pcap of Ethernet, IPv4 and TCP; orders segments by sequence number.
fn streams(pcap: &[u8]) -> Streams {
    let mut segments = BTreeMap::<(u16, u16), BTreeMap<u32, &[u8]>>::new();
    let mut rest = &pcap[24..];
    while rest.len() >= 16 {
        let length = u32_le_at(rest, 8);
        let packet = &rest[16..16 + length];
        rest = &rest[16 + length..];
        let ip = &packet[14..14 + 2 + usize::from(u16_at(packet, 16)) - 2];
        let tcp = &ip[usize::from(ip[0] & 15) * 4..];
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        let sequence = u32::from_be_bytes(tcp[4..8].try_into().expect("four bytes"));
        if !payload.is_empty() {
            let ports = (u16_at(tcp, 0), u16_at(tcp, 2));
            segments.entry(ports).or_default().entry(sequence).or_insert(payload);
        }
    }
    let join = |parts: BTreeMap<u32, &[u8]>| parts.into_values().flatten().copied().collect();
    segments.into_iter().map(|(ports, parts)| (ports, join(parts))).collect()
}

fn captures() -> Vec<Vec<u8>> {
    let files: [&[u8]; 2] = [
        include_bytes!("../data/capture-5.3.3-clients.pcap.gz"),
        include_bytes!("../data/capture-acl-binary-ali-ons.pcap.gz"),
    ];
    files.into_iter().flat_map(|file| streams(&unpack(file)).into_values()).collect()
}

fn commands(stream: &[u8], piece: usize) -> Vec<RemotingCommand> {
    let mut buffer = BytesMut::new();
    let mut all = Vec::new();
    for bytes in stream.chunks(piece) {
        buffer.extend_from_slice(bytes);
        while let Some(frame) = next_frame(&mut buffer).expect("real streams are sound") {
            all.push(frame.decode().expect("real headers are sound"));
        }
    }
    assert!(buffer.is_empty(), "{} bytes are left", buffer.len());
    all
}

#[test]
fn captured_streams_split_into_the_same_commands_in_any_pieces_and_encode_again() {
    let (mut json, mut binary) = (0, 0);
    for stream in captures() {
        let all = commands(&stream, usize::MAX);
        assert_eq!(all, commands(&stream, 1));
        assert_eq!(all, commands(&stream, 97));
        let mut again = BytesMut::new();
        for command in &all {
            match command.serialize_type {
                SerializeType::Json => json += 1,
                SerializeType::RocketMq => binary += 1,
            }
            command.encode(&mut again);
        }
        assert_eq!(commands(&again, usize::MAX), all);
    }
    assert!(json > 500 && binary > 5, "{json} JSON and {binary} binary headers were seen");
}

#[test]
fn binary_headers_encode_to_the_very_bytes_that_were_captured() {
    let mut compared = 0;
    for stream in captures() {
        let mut buffer = BytesMut::from(stream.as_slice());
        while let Some(frame) = next_frame(&mut buffer).expect("sound") {
            if frame.serialize_type == SerializeType::RocketMq {
                let mut again = BytesMut::new();
                frame.decode().expect("sound").encode(&mut again);
                let again = next_frame(&mut again).expect("sound").expect("complete");
                assert_eq!(again, frame);
                compared += 1;
            }
        }
    }
    assert!(compared > 5, "{compared}");
}

#[test]
fn the_fast_path_agrees_with_the_ordinary_one_on_every_captured_frame() {
    let (mut sends, mut signed, mut replies) = (0, 0, 0);
    for stream in captures() {
        let mut buffer = BytesMut::from(stream.as_slice());
        while let Some(frame) = next_frame(&mut buffer).expect("sound") {
            let command = frame.decode().expect("sound");
            let peeked = peek(&frame).expect("real headers are usual");
            assert_eq!(
                (peeked.code, peeked.opaque, peeked.flag),
                (command.code, command.opaque, command.flag)
            );
            let is_send = !command.is_response()
                && matches!(
                    command.request_code(),
                    RequestCode::SEND_MESSAGE_V2 | RequestCode::SEND_BATCH_MESSAGE
                );
            let mut scratch = Vec::new();
            let view = send_view(&frame, &mut scratch);
            if is_send && command.ext_fields.get("Signature").is_some() {
                assert_eq!(view, None);
                signed += 1;
            } else if is_send {
                let header: SendMessageRequestHeader = command.header().expect("sound");
                let view = view.expect("real sends are usual");
                assert_eq!(view.topic, header.topic.as_bytes());
                assert_eq!(view.properties, header.properties.as_bytes());
                sends += 1;
            } else {
                assert_eq!(view, None);
            }
            if let Some((opaque, code, queue_id, queue_offset)) = send_reply_view(&frame) {
                let header: SendMessageResponseHeader = command.header().expect("sound");
                assert_eq!((opaque, code.0), (command.opaque, command.code));
                assert_eq!(i64::from(queue_id), i64::from(header.queue_id));
                assert_eq!(queue_offset, u64::try_from(header.queue_offset).expect("positive"));
                replies += 1;
            }
        }
    }
    assert!(sends > 15 && signed >= 1 && replies > 15, "{sends} {signed} {replies}");
}
