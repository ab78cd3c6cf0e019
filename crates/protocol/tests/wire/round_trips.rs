//! What is said is heard, whatever is said; and whatever is heard does no harm.

use std::collections::BTreeMap;

use crate::strategies::{command, send_header, serialize_type, text};
use bytes::{Bytes, BytesMut};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use protocol::body::*;
use protocol::fast::{peek, send_reply_view, send_view};
use protocol::frame::{FRAME_SIZE_MAX, Frame, next_frame};
use protocol::header::*;
use protocol::{CommandHeader, ExtFields, RemotingCommand, RequestCode};

fn frame_of(command: &RemotingCommand) -> Frame {
    let mut bytes = BytesMut::new();
    command.encode(&mut bytes);
    let frame = next_frame(&mut bytes).expect("sound").expect("complete");
    assert!(bytes.is_empty());
    frame
}

/// Whatever the frame holds, every reader of it comes back; what decodes can be said again.
fn read_everything(frame: &Frame) {
    let (mut scratch, ordinary) = (Vec::new(), frame.decode());
    if let Some(peeked) = peek(frame).filter(|_| ordinary.is_ok()) {
        let command = ordinary.as_ref().expect("just seen");
        let numbers = (command.code, command.opaque, command.flag);
        assert_eq!((peeked.code, peeked.opaque, peeked.flag), numbers);
    }
    assert!(send_view(frame, &mut scratch).is_none() || ordinary.is_ok());
    assert!(send_reply_view(frame).is_none() || ordinary.is_ok());
    if let Ok(command) = ordinary {
        let again = frame_of(&command).decode().expect("our own words");
        assert_eq!(again.ext_fields, command.ext_fields);
    }
}

fn read_every_body(bytes: &[u8]) {
    // What comes back is not of interest, only that it does.
    drop(HeartbeatData::decode(bytes));
    drop(TopicRouteData::decode(bytes));
    drop(ClusterInfo::decode(bytes));
    drop(LockBatchRequestBody::decode(bytes));
    drop(CheckClientRequestBody::decode(bytes));
    drop(RegisterBrokerBody::decode(bytes));
    drop(RegisterBrokerBody::decode_compressed(bytes));
    drop(SubscriptionGroupWrapper::decode(bytes));
    drop(TopicStatsTable::decode(bytes));
    drop(ResetOffsetBody::decode(bytes));
    drop(KvTable::decode(bytes));
}

fn header_again<H: CommandHeader + PartialEq + std::fmt::Debug>(header: &H) {
    let mut fields = ExtFields::new();
    header.encode(&mut fields);
    assert_eq!(H::decode(&fields).as_ref(), Ok(header));
}

proptest! {
    #[test]
    fn a_command_survives_its_frame_in_both_forms(command in command()) {
        prop_assert_eq!(frame_of(&command).decode().expect("sound"), command);
    }

    #[test]
    fn a_stream_of_frames_survives_any_cutting(
        commands in vec(command(), 1..4),
        piece in 1..60usize,
    ) {
        let mut stream = BytesMut::new();
        commands.iter().for_each(|command| command.encode(&mut stream));
        let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
        for bytes in stream.chunks(piece) {
            buffer.extend_from_slice(bytes);
            while let Some(frame) = next_frame(&mut buffer).expect("sound") {
                seen.push(frame.decode().expect("sound"));
            }
        }
        prop_assert_eq!(seen, commands);
    }

    #[test]
    fn a_head_and_a_body_apart_are_the_frame(command in command()) {
        let (mut whole, mut apart) = (BytesMut::new(), BytesMut::new());
        command.encode(&mut whole);
        command.encode_head(command.body.len(), &mut apart);
        apart.extend_from_slice(&command.body);
        prop_assert_eq!(whole, apart);
    }

    #[test]
    fn a_send_header_survives_short_and_long_names(header in send_header()) {
        for code in [RequestCode::SEND_MESSAGE, RequestCode::SEND_MESSAGE_V2] {
            let request = RemotingCommand::request(code, &header);
            let read: SendMessageRequestHeader = request.header().expect("complete");
            prop_assert_eq!(&read, &header);
        }
    }

    #[test]
    fn other_headers_survive(
        name in text(), other in text(), some in proptest::option::of(text()),
        small in any::<i32>(), great in any::<i64>(), flag in any::<bool>(),
    ) {
        header_again(&PullMessageRequestHeader {
            consumer_group: name.clone(), topic: other.clone(), queue_id: small,
            queue_offset: great, max_msg_nums: small, sys_flag: small, commit_offset: great,
            suspend_timeout_millis: great, subscription: some.clone(), sub_version: great,
            expression_type: some.clone(), max_msg_bytes: Some(small), broker_name: None,
        });
        header_again(&PullMessageResponseHeader {
            suggest_which_broker_id: great, next_begin_offset: great, min_offset: 0, max_offset: -1,
        });
        header_again(&RegisterBrokerRequestHeader {
            broker_name: name.clone(), broker_addr: other.clone(), cluster_name: name.clone(),
            ha_server_addr: other.clone(), broker_id: great, compressed: flag, body_crc32: small,
            heartbeat_timeout_millis: Some(great), enable_acting_master: None,
        });
        header_again(&EndTransactionRequestHeader {
            producer_group: name.clone(), tran_state_table_offset: great, commit_log_offset: great,
            commit_or_rollback: small, from_transaction_check: flag, msg_id: name,
            transaction_id: some.clone(), topic: some, broker_name: None,
        });
        header_again(&SendMessageResponseHeader {
            msg_id: other, queue_id: small, queue_offset: great, transaction_id: None,
            region: None, trace_on: Some(flag),
        });
    }

    #[test]
    fn a_missing_or_malformed_field_is_named(keep in 0..7usize) {
        let mut fields = ExtFields::new();
        let all = ["consumerGroup", "topic", "queueId", "commitOffset"];
        for (at, name) in all.into_iter().enumerate().filter(|(at, _)| *at != keep) {
            fields.insert(name, if at < 2 { "x" } else { "1" });
        }
        let decoded = UpdateConsumerOffsetRequestHeader::decode(&fields);
        match all.get(keep) {
            Some(name) => prop_assert!(decoded.expect_err("missing").to_string().contains(name)),
            None => prop_assert!(decoded.is_ok()),
        }
        fields.insert("queueId", "1x");
        prop_assert!(UpdateConsumerOffsetRequestHeader::decode(&fields).is_err());
    }

    #[test]
    fn bodies_survive(
        id in text(), groups in vec(text(), 0..4), tags in btree_set(text(), 0..4),
        addresses in btree_map(any::<i64>(), text(), 0..4), version in any::<i64>(),
        queues in vec((text(), text(), any::<u32>()), 0..4),
    ) {
        let subscription = SubscriptionData {
            code_set: tags.iter().map(|tag| message::java_hash(tag)).collect(),
            sub_version: version, tags_set: tags, topic: id.clone(), ..SubscriptionData::default()
        };
        let heartbeat = HeartbeatData {
            client_id: id.clone(),
            consumer_data_set: vec![ConsumerData {
                message_model: MessageModel::Broadcasting,
                consume_from_where: ConsumeFromWhere::Timestamp,
                subscription_data_set: vec![subscription],
                ..ConsumerData::default()
            }],
            producer_data_set: groups
                .iter()
                .map(|group| ProducerData { group_name: group.clone() })
                .collect(),
            ..HeartbeatData::default()
        };
        prop_assert_eq!(HeartbeatData::decode(&heartbeat.encode()).expect("sound"), heartbeat);
        let route = TopicRouteData {
            broker_datas: vec![BrokerData {
                broker_addrs: addresses,
                broker_name: id.clone(),
                cluster: id.clone(),
            }],
            order_topic_conf: groups.first().cloned(),
            ..TopicRouteData::default()
        };
        prop_assert_eq!(TopicRouteData::decode(&route.encode()).expect("sound"), route);
        let mq_set: Vec<message::MessageQueue> = queues.into_iter()
            .map(|(topic, broker_name, queue_id)| {
                message::MessageQueue { topic, broker_name, queue_id }
            })
            .collect();
        let reset = ResetOffsetBody {
            offset_table: mq_set.iter().map(|queue| (queue.clone(), version)).collect(),
        };
        prop_assert_eq!(ResetOffsetBody::decode(&reset.encode()).expect("sound"), reset);
        let lock = LockBatchRequestBody { client_id: id.clone(), consumer_group: id, mq_set };
        prop_assert_eq!(LockBatchRequestBody::decode(&lock.encode()).expect("sound"), lock);
    }

    #[test]
    fn a_registration_survives_both_forms(
        topics in vec(("[a-zA-Z0-9_%-]{1,12}", 0..99u32, 0..8u32), 0..9), counter in any::<i64>(),
    ) {
        let topic = |(topic_name, queues, perm): (String, u32, u32)| TopicConfig {
            perm, read_queue_nums: queues, write_queue_nums: queues + 1, topic_name,
            ..TopicConfig::default()
        };
        let topic_config_table: BTreeMap<String, TopicConfig> = topics
            .into_iter()
            .map(|fields| (fields.0.clone(), topic(fields)))
            .collect();
        let data_version = DataVersion { counter, state_version: 1, timestamp: 2 };
        let body = RegisterBrokerBody {
            filter_server_list: vec!["f".to_owned()],
            topic_config_serialize_wrapper: TopicConfigSerializeWrapper {
                data_version,
                topic_config_table,
            },
        };
        prop_assert_eq!(&RegisterBrokerBody::decode(&body.encode()).expect("sound"), &body);
        let compressed = body.encode_compressed();
        prop_assert_eq!(RegisterBrokerBody::decode_compressed(&compressed).expect("sound"), body);
    }

    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        let mut buffer = BytesMut::from(bytes.as_slice());
        while let Ok(Some(frame)) = next_frame(&mut buffer) {
            prop_assert!(frame.header.len() + frame.body.len() + 8 <= FRAME_SIZE_MAX);
            read_everything(&frame);
        }
        read_every_body(&bytes);
    }

    #[test]
    fn any_header_is_a_command_or_an_error(
        header in vec(any::<u8>(), 0..200), kind in serialize_type(),
    ) {
        let header = Bytes::from(header);
        read_everything(&Frame { serialize_type: kind, header, body: Bytes::new() });
    }

    #[test]
    fn any_damage_to_a_sound_header_or_body_is_survived(
        command in command(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let frame = frame_of(&command);
        let mut header = frame.header.to_vec();
        let at = at.index(header.len());
        header[at] = byte;
        read_everything(&Frame { header: Bytes::from(header.clone()), ..frame.clone() });
        header.truncate(cut.index(header.len()));
        read_everything(&Frame { header: Bytes::from(header), ..frame });
    }

    #[test]
    fn text_that_looks_like_json_is_survived(
        text in "([{}\\[\\]:,\"'\\\\0-9a\u{1} n-]|\\\\u[0-9a-d]{4}|中){0,60}",
    ) {
        read_every_body(text.as_bytes());
        let header = Bytes::copy_from_slice(text.as_bytes());
        read_everything(&Frame {
            serialize_type: protocol::SerializeType::Json, header, body: Bytes::new(),
        });
    }
}

#[test]
fn deep_nesting_is_refused_and_not_recursed_into() {
    for open in ["[", "{\"a\":", "{1:", "{{"] {
        let text = open.repeat(1 << 20);
        read_every_body(text.as_bytes());
        let header = Bytes::copy_from_slice(format!("{{\"x\":{text}").as_bytes());
        let kind = protocol::SerializeType::Json;
        let frame = Frame { serialize_type: kind, header, body: Bytes::new() };
        frame.decode().expect_err("endless");
    }
}

#[test]
fn more_fields_than_anyone_sends_are_refused_in_both_forms() {
    for kind in [protocol::SerializeType::Json, protocol::SerializeType::RocketMq] {
        for (count, accepted) in [(ExtFields::COUNT_MAX, true), (ExtFields::COUNT_MAX + 1, false)] {
            let mut command = RemotingCommand::request_without_header(RequestCode::HEART_BEAT);
            command.serialize_type = kind;
            command.ext_fields = (0..count).map(|at| (at.to_string(), "v")).collect();
            assert_eq!(frame_of(&command).decode().is_ok(), accepted);
        }
    }
}

#[test]
fn a_zlib_bomb_is_refused_at_the_frame_bound() {
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        std::io::Write::write_all(&mut zlib, &[0; 1 << 20]).expect("a Vec takes it");
    }
    let bomb = zlib.finish().expect("done");
    assert!(bomb.len() < 100_000);
    RegisterBrokerBody::decode_compressed(&bomb).expect_err("64 MiB");
}
