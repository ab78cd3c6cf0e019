//! The fast path says what the ordinary path says, or nothing.

use crate::recorded::{conversations, unfold};
use crate::strategies::{command, send, serialize_type, text};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use protocol::fast::{
    SendReply, SendRequest, SendView, encode_send_reply, encode_send_request, peek,
    send_reply_view, send_view,
};
use protocol::frame::{Frame, next_frame};
use protocol::header::{SendMessageRequestHeader, SendMessageResponseHeader};
use protocol::{RemotingCommand, RequestCode, ResponseCode, SerializeType};

fn frame_of(command: &RemotingCommand) -> Frame {
    let mut bytes = BytesMut::new();
    command.encode(&mut bytes);
    next_frame(&mut bytes).expect("sound").expect("complete")
}

fn json(header: &str) -> Frame {
    Frame {
        serialize_type: SerializeType::Json,
        header: Bytes::copy_from_slice(header.as_bytes()),
        body: Bytes::new(),
    }
}

/// The ordinary path's word, in the fast path's terms.
fn agrees(view: &SendView<'_>, frame: &Frame) -> Result<(), TestCaseError> {
    let command = frame.decode().expect("what the fast path sees, the ordinary one decodes");
    let header: SendMessageRequestHeader = command.header().expect("and finds complete");
    prop_assert_eq!(view.code, command.code);
    prop_assert_eq!(view.opaque, command.opaque);
    prop_assert_eq!(view.flag, command.flag);
    prop_assert_eq!(view.group, header.producer_group.as_bytes());
    prop_assert_eq!(view.topic, header.topic.as_bytes());
    prop_assert_eq!(view.default_topic, header.default_topic.as_bytes());
    prop_assert_eq!(view.default_topic_queue_nums, header.default_topic_queue_nums);
    prop_assert_eq!(view.queue_id, header.queue_id);
    prop_assert_eq!(view.sys_flag, header.sys_flag);
    prop_assert_eq!(i128::from(view.born_timestamp), i128::from(header.born_timestamp));
    prop_assert_eq!(view.message_flag, header.flag);
    prop_assert_eq!(view.properties, header.properties.as_bytes());
    prop_assert_eq!(view.reconsume_times, header.reconsume_times);
    prop_assert_eq!(view.unit_mode, header.unit_mode);
    prop_assert_eq!(view.max_reconsume_times, header.max_reconsume_times);
    let batch = header.batch || command.request_code() == RequestCode::SEND_BATCH_MESSAGE;
    prop_assert_eq!(view.batch, batch);
    let peeked = peek(frame).expect("a usual send is a usual command");
    prop_assert_eq!((peeked.code, peeked.opaque), (command.code, command.opaque));
    prop_assert!(!command.is_response());
    Ok(())
}

#[test]
fn every_recorded_send_is_seen_as_the_ordinary_path_decodes_it() {
    let (mut seen, mut signed) = (0, 0);
    for exchange in conversations() {
        let is_send = ["REQ SEND_MESSAGE(", "REQ SEND_MESSAGE_V2(", "REQ SEND_BATCH_MESSAGE("]
            .iter()
            .any(|label| exchange.label.starts_with(label));
        // Captured frames of the binary form were written down as JSON with white space.
        let frame = frame_of(&json(&exchange.header).decode().expect("sound"));
        let as_sent = json(&exchange.header);
        let mut scratch = Vec::new();
        if !is_send {
            assert_eq!(send_view(&as_sent, &mut scratch), None);
        } else if exchange.header.contains("Signature") {
            assert_eq!(send_view(&as_sent, &mut scratch), None);
            signed += 1;
        } else {
            let frame = if exchange.header.contains("\"_bin\"") { frame } else { as_sent };
            let view = send_view(&frame, &mut scratch).expect("real sends are usual");
            agrees(&view, &frame).expect("agreement");
            seen += 1;
        }
    }
    assert!(seen >= 30 && signed >= 1, "{seen} {signed}");
}

#[test]
fn what_is_unusual_is_left_to_the_ordinary_path() {
    let usual = &unfold(
        r#"{"code":310,"extFields":{"a":"g","b":"t","c":"d","d":"4","e":"0","f":"0","g":"1",
        "h":"0","i":"k\u0001v","j":"0","k":"false"},"flag":0,"language":"JAVA","opaque":1,
        "version":409}"#,
    );
    let mut scratch = Vec::new();
    let view_of = |text: &str, scratch: &mut Vec<u8>| send_view(&json(text), scratch).is_some();
    assert!(view_of(usual, &mut scratch));
    assert!(view_of(&format!("{usual}\n"), &mut scratch));
    let unusual = [
        ("\"a\":\"g\"", "\"a\":\"g\",\"a\":\"g\""),
        ("\"opaque\":1", "\"opaque\":1,\"opaque\":2"),
        ("\"extFields\":{", "\"extFields\":{},\"extFields\":{"),
        ("\"b\":\"t\"", "\"b\":\"\\u0074\""),
        ("\"b\":\"t\"", "\"b\":null"),
        ("\"b\":\"t\",", ""),
        ("\"b\":\"t\"", "\"topic\":\"t\""),
        ("\"a\":\"g\"", "\"a\":\"g\",\"AccessKey\":\"x\""),
        ("\"e\":\"0\"", "\"e\":\"4294967296\""),
        ("\"e\":\"0\"", "\"e\":1.0"),
        ("\"e\":\"0\"", "\"e\":01"),
        ("\"g\":\"1\"", "\"g\":\"-1\""),
        ("\"k\":\"false\"", "\"k\":\"yes\""),
        ("\\u0001", "\\n"),
        ("\\u0001", "\\q"),
        ("\\u0001", "\u{1}"),
        ("\\u0001", "\\u000"),
        ("\"flag\":0", "\"flag\":1"),
        ("\"flag\":0", "\"flag\":\"0\""),
        ("\"code\":310", "\"code\":10"),
        ("\"code\":310", "\"code\":11"),
        ("\"version\":409", "\"version\":\"x\""),
        ("\"version\":409", "\"version\":409,\"more\":1"),
        ("\"version\":409}", "\"version\":409} x"),
        ("\"version\":409}", "\"version\":409"),
        ("\"flag\"", " \"flag\""),
    ];
    for (part, instead) in unusual {
        assert!(usual.contains(part));
        let text = usual.replace(part, instead);
        assert!(!view_of(&text, &mut scratch), "{text}");
    }
}

#[test]
fn a_reply_that_says_not_stored_is_left_to_the_ordinary_path() {
    let request = RemotingCommand::request_without_header(RequestCode::SEND_MESSAGE_V2);
    let refused = RemotingCommand::response_to(&request, ResponseCode::SYSTEM_BUSY)
        .with_remark("[OVERLOAD]\n");
    let frame = frame_of(&refused);
    assert_eq!(send_reply_view(&frame), None);
    assert_eq!(peek(&frame).expect("usual").code, 2);
    let bare = RemotingCommand::response_to(&request, ResponseCode::SUCCESS);
    assert_eq!(send_reply_view(&frame_of(&bare)), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_view_agrees_with_the_ordinary_decode(command in send()) {
        let frame = frame_of(&command);
        let mut scratch = vec![7; 3];
        if let Some(view) = send_view(&frame, &mut scratch) {
            agrees(&view, &frame)?;
        }
    }

    #[test]
    fn a_send_of_plain_names_and_encoded_properties_is_always_seen(
        topic in "[a-zA-Z0-9_%|-]{1,20}",
        properties in "([A-Z_]{1,8}\u{1}([ -!#-\\[\\]-~]|中){1,12}\u{2}){0,5}",
        opaque in any::<i32>(),
        kind in serialize_type(),
    ) {
        let header = SendMessageRequestHeader {
            topic: topic.clone(), properties, born_timestamp: 1_795_166_224_227, queue_id: -1,
            ..SendMessageRequestHeader::default()
        };
        for code in [RequestCode::SEND_MESSAGE, RequestCode::SEND_MESSAGE_V2] {
            let mut command = RemotingCommand::request(code, &header);
            (command.opaque, command.serialize_type) = (opaque, kind);
            let frame = frame_of(&command);
            let mut scratch = Vec::new();
            let view = send_view(&frame, &mut scratch).expect("nothing about it is unusual");
            agrees(&view, &frame)?;
        }
    }

    #[test]
    fn peek_agrees_on_any_command(command in command()) {
        if let Some(peeked) = peek(&frame_of(&command)) {
            prop_assert_eq!(peeked.code, command.code);
            prop_assert_eq!(peeked.opaque, command.opaque);
            prop_assert_eq!(peeked.flag, command.flag);
        }
    }

    #[test]
    fn a_fast_reply_is_what_the_ordinary_path_would_have_said(
        opaque in any::<i32>(), stored in 0..4usize, queue_id in 0..i32::MAX.unsigned_abs(),
        queue_offset in 0..1u64 << 62, region in text(), trace_on in any::<bool>(),
        kind in serialize_type(), message_id in "([0-9A-F]{32},?){1,3}",
    ) {
        let stored = [
            ResponseCode::SUCCESS,
            ResponseCode::FLUSH_DISK_TIMEOUT,
            ResponseCode::SLAVE_NOT_AVAILABLE,
            ResponseCode::FLUSH_SLAVE_TIMEOUT,
        ][stored];
        let reply = SendReply {
            opaque, serialize_type: kind, code: stored, message_id: &message_id, queue_id,
            queue_offset, region: &region, trace_on,
        };
        let mut bytes = BytesMut::from(&b"before"[..]);
        encode_send_reply(&reply, &mut bytes);

        let mut request = RemotingCommand::request_without_header(RequestCode::SEND_MESSAGE_V2);
        (request.opaque, request.serialize_type) = (opaque, kind);
        let header = SendMessageResponseHeader {
            msg_id: message_id.clone(), queue_id: i32::try_from(queue_id).expect("positive"),
            queue_offset: i64::try_from(queue_offset).expect("positive"), transaction_id: None,
            region: Some(region.clone()), trace_on: Some(trace_on),
        };
        let ordinary = RemotingCommand::response_to(&request, stored).with_header(&header);
        let mut wanted = BytesMut::from(&b"before"[..]);
        ordinary.encode(&mut wanted);
        prop_assert_eq!(&bytes, &wanted);

        let frame = frame_of(&ordinary);
        let view = send_reply_view(&frame);
        prop_assert!(view.is_none_or(|view| view == (opaque, stored, queue_id, queue_offset)));
        let plain = region.bytes().all(|byte| byte >= b' ');
        prop_assert!(view.is_some() || !plain || queue_offset >= 1_000_000_000_000_000_000);
    }

    #[test]
    fn a_fast_request_is_what_the_ordinary_path_would_have_said(
        names in (text(), text(), text(), text(), text()),
        numbers in any::<[i32; 6]>(),
        born in 0..1u64 << 62, oneway in any::<bool>(), batch in any::<bool>(),
        kind in serialize_type(), body in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let request = SendRequest {
            opaque: numbers[0], oneway, serialize_type: kind, group: &names.0, topic: &names.1,
            default_topic: &names.2, default_topic_queue_nums: numbers[1], queue_id: numbers[2],
            sys_flag: numbers[3], born_timestamp: born, message_flag: numbers[4],
            properties: &names.3, reconsume_times: numbers[5], batch, broker_name: &names.4,
            body: &body,
        };
        let mut bytes = BytesMut::new();
        encode_send_request(&request, &mut bytes);

        let code =
            if batch { RequestCode::SEND_BATCH_MESSAGE } else { RequestCode::SEND_MESSAGE_V2 };
        let header = SendMessageRequestHeader {
            producer_group: names.0.clone(), topic: names.1.clone(),
            default_topic: names.2.clone(), default_topic_queue_nums: numbers[1],
            queue_id: numbers[2], sys_flag: numbers[3],
            born_timestamp: i64::try_from(born).expect("positive"), flag: numbers[4],
            properties: names.3.clone(), reconsume_times: numbers[5], unit_mode: false,
            max_reconsume_times: None, batch, broker_name: Some(names.4.clone()),
        };
        let mut ordinary = RemotingCommand::request(code, &header).with_body(body.clone());
        (ordinary.opaque, ordinary.serialize_type) = (numbers[0], kind);
        let ordinary = if oneway { ordinary.into_oneway() } else { ordinary };
        let mut wanted = BytesMut::new();
        ordinary.encode(&mut wanted);
        prop_assert_eq!(bytes, wanted);
    }
}
