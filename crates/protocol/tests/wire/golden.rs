//! Bytes of live captures (reference protocol.md §10).

use bytes::{Bytes, BytesMut};
use protocol::body::{
    HeartbeatData, MessageModel, QueueData, RegisterBrokerBody, ResetOffsetBody, TopicRouteData,
};
use protocol::frame::next_frame;
use protocol::header::GetRouteInfoRequestHeader;
use protocol::{RemotingCommand, RequestCode, ResponseCode, SerializeType};

use crate::recorded::unfold;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_hexdigit)
        .map(|d| (d as char).to_digit(16))
        .map(|d| d.expect("a digit") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

const ROUTE_REQUEST: &str = "0000002a 01000026 0069 00 0199 00000000 00000000 00000000 00000011 \
                             0005 746f706963 00000006 546f70696341";

#[test]
fn a_binary_route_request_is_the_captured_frame_byte_by_byte() {
    let header =
        GetRouteInfoRequestHeader { topic: "TopicA".to_owned(), accept_standard_json_only: None };
    let mut request = RemotingCommand::request(RequestCode::GET_ROUTEINFO_BY_TOPIC, &header);
    request.serialize_type = SerializeType::RocketMq;
    let mut bytes = BytesMut::new();
    request.encode(&mut bytes);
    assert_eq!(bytes, hex(ROUTE_REQUEST));

    let frame = next_frame(&mut bytes).expect("sound").expect("complete");
    let command = frame.decode().expect("sound");
    assert_eq!(command, request);
    assert_eq!(command.header::<GetRouteInfoRequestHeader>(), Ok(header));
}

#[test]
fn a_reply_is_in_kind_and_compact_with_texts_for_fields() {
    let mut request = RemotingCommand::request_without_header(RequestCode::HEART_BEAT);
    request.opaque = -7;
    let reply = RemotingCommand::response_to(&request, ResponseCode::TOPIC_NOT_EXIST)
        .with_remark("no \"x\"\u{1}\n中")
        .with_body("b");
    let mut bytes = BytesMut::new();
    reply.encode(&mut bytes);
    let header = &unfold(
        r#"{"code":17,"extFields":{},"flag":1,"language":"JAVA","opaque":-7,
        "remark":"no \"x\"\u0001\n中","version":409}"#,
    );
    let mut wanted = u32::try_from(header.len() + 5).expect("short").to_be_bytes().to_vec();
    wanted.extend(u32::try_from(header.len()).expect("short").to_be_bytes());
    wanted.extend(header.bytes().chain(*b"b"));
    assert_eq!(bytes, wanted);
}

#[test]
fn the_captured_heartbeat_reads_as_it_says() {
    let text = &unfold(
        r#"{"clientID":"192.0.2.2@22936#756839156375",
        "consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET",
        "consumeType":"CONSUME_PASSIVELY","groupName":"CG_ord1","messageModel":"CLUSTERING",
        "subscriptionDataSet":[{"classFilterMode":false,"codeSet":[2598919,2598920],
        "expressionType":"TAG","subString":"TagA || TagB","subVersion":1795166233730,
        "tagsSet":["TagA","TagB"],"topic":"TopicA"}],"unitMode":false}],
        "producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}]}"#,
    );
    let heartbeat = HeartbeatData::decode(text.as_bytes()).expect("sound");
    assert_eq!(heartbeat.producer_data_set[0].group_name, "CLIENT_INNER_PRODUCER");
    let consumer = &heartbeat.consumer_data_set[0];
    assert_eq!(consumer.message_model, MessageModel::Clustering);
    assert_eq!(consumer.subscription_data_set[0].sub_version, 1_795_166_233_730);
    assert_eq!(std::str::from_utf8(&heartbeat.encode()), Ok(text.as_str()));
}

#[test]
fn a_heartbeat_in_the_manner_of_cpp_means_the_same() {
    let text = &unfold(
        r#"{"clientID":"c","consumerDataSet":[{"groupName":"g","consumeType":1,"messageModel":0,
        "consumeFromWhere":4,"subscriptionDataSet":[{"topic":"t","subString":"a",
        "subVersion":"12","codeSet":[97],"tagsSet":["a"],"x":null,"expressionType":null}]}]}"#,
    );
    let text = format!("{text}\n");
    let heartbeat = HeartbeatData::decode(text.as_bytes()).expect("sound");
    let consumer = &heartbeat.consumer_data_set[0];
    assert_eq!(consumer.message_model, MessageModel::Broadcasting);
    let subscription = &consumer.subscription_data_set[0];
    assert_eq!((subscription.sub_version, subscription.expression_type.as_str()), (12, "TAG"));
    let named = String::from_utf8(heartbeat.encode().to_vec()).expect("UTF-8");
    assert!(named.contains("CONSUME_PASSIVELY") && named.contains("CONSUME_FROM_FIRST_OFFSET"));
}

#[test]
fn a_route_is_written_as_captured_and_read_with_bare_keys_too() {
    let text = &unfold(
        r#"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:20911"},"brokerName":"broker-a",
        "cluster":"DefaultCluster"}],"filterServerTable":{},
        "queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,
        "writeQueueNums":4}]}"#,
    );
    let route = TopicRouteData::decode(text.as_bytes()).expect("sound");
    let queues = QueueData { perm: 6, write_queue_nums: 4, ..route.queue_datas[0].clone() };
    assert_eq!(route.queue_datas, [queues]);
    assert_eq!(std::str::from_utf8(&route.encode()), Ok(text.as_str()));
    let bare = TopicRouteData::decode(text.replace("\"0\"", "0").as_bytes()).expect("sound");
    assert_eq!(bare, route);
}

#[test]
fn a_reset_body_has_objects_as_keys_and_a_list_for_cpp() {
    let text = r#"{"offsetTable":{{"brokerName":"broker-a","queueId":3,"topic":"TopicA"}:0}}"#;
    let body = ResetOffsetBody::decode(text.as_bytes()).expect("sound");
    assert_eq!(std::str::from_utf8(&body.encode()), Ok(text));
    let list =
        r#"{"offsetTable":[{"brokerName":"broker-a","offset":0,"queueId":3,"topic":"TopicA"}]}"#;
    assert_eq!(std::str::from_utf8(&body.encode_for_cpp()), Ok(list));
    ResetOffsetBody::decode(list.as_bytes()).expect_err("Java refuses the list, and so do we");
}

#[test]
fn a_compressed_registration_of_five_or_six_fields_reads_and_its_checksum_has_no_sign() {
    let json = &unfold(
        r#"{"filterServerList":["f"],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,
        "timestamp":2},"topicConfigTable":{"T":{"perm":6,"readQueueNums":4,"topicName":"T",
        "topicFilterType":"SINGLE_TAG","writeQueueNums":8}}}}"#,
    );
    let body = RegisterBrokerBody::decode(json.as_bytes()).expect("sound");
    let compressed = body.encode_compressed();
    assert_eq!(RegisterBrokerBody::decode_compressed(&compressed).expect("sound"), body);
    for cut in 0..compressed.len() {
        RegisterBrokerBody::decode_compressed(&compressed[..cut]).expect_err("cut off");
    }

    let mut plain = Vec::new();
    for part in ["{}", "", "T 4 8 6 SINGLE_TAG {\"+k\":\"v w\"}", "[]"] {
        let length = if part.is_empty() { 1 } else { part.len() };
        plain.extend(u32::try_from(length).expect("short").to_be_bytes());
        plain.extend(part.bytes());
    }
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut zlib, &plain).expect("a Vec takes it");
    let six = RegisterBrokerBody::decode_compressed(&zlib.finish().expect("done")).expect("sound");
    let topic = &six.topic_config_serialize_wrapper.topic_config_table["T"];
    assert_eq!(topic.attributes["+k"], "v w");
    assert_eq!((topic.read_queue_nums, topic.write_queue_nums), (4, 8));

    // CRC32("123456789") is 0xCBF43926.
    assert_eq!(RegisterBrokerBody::crc32(b"123456789"), 0x4BF4_3926);
}

#[test]
fn frames_that_cannot_be_are_refused_at_their_prefix() {
    let refused = [
        "00000003 00000000",
        "00000000",
        "ffffffff",
        "80000000",
        "01000000",
        "00fffffd 00000000",
        "00000005 02000000",
        "00000005 00000002",
        "00000004 00ffffff",
    ];
    for prefix in refused {
        let mut bytes = BytesMut::from(hex(prefix).as_slice());
        next_frame(&mut bytes).expect_err(prefix);
    }
    for incomplete in
        ["", "0000", "00000005", "00000005 000000", "00fffffc 00000001", "00000005 00000001"]
    {
        let mut bytes = BytesMut::from(hex(incomplete).as_slice());
        assert_eq!(next_frame(&mut bytes), Ok(None), "{incomplete}");
        assert!(bytes.capacity() < 64, "no room is made for what is announced");
    }
    let mut bytes = BytesMut::from(hex("00000004 00000000 aa").as_slice());
    let frame = next_frame(&mut bytes).expect("sound").expect("complete");
    assert_eq!((frame.header, frame.body), (Bytes::new(), Bytes::new()));
    assert_eq!(bytes, [0xAA][..]);
}

#[test]
fn a_header_that_fits_no_frame_becomes_an_error_that_does() {
    let request = RemotingCommand::request_without_header(RequestCode::HEART_BEAT);
    let mut reply = RemotingCommand::response_to(&request, ResponseCode::SUCCESS);
    reply.ext_fields.insert("k", "\u{1}".repeat(3 << 20));
    let mut bytes = BytesMut::new();
    reply.encode(&mut bytes);
    let frame = next_frame(&mut bytes).expect("sound").expect("complete");
    let said = frame.decode().expect("sound");
    assert_eq!(said.response_code(), ResponseCode::SYSTEM_ERROR);
    assert!(said.remark.is_some() && said.ext_fields.is_empty());
}
