//! Sends: stored as sent, or refused with the code that lets the client do the right thing.

use bytes::Bytes;
use message::Message;
use protocol::header::{
    CreateTopicRequestHeader, SendMessageRequestHeader, ViewMessageRequestHeader,
};
use protocol::{RemotingCommand, RequestCode, ResponseCode, SerializeType};
use store::FlushMode;

use crate::scene::{
    Pulled, SECOND, Sent, TOPIC, config, pull_header, run, send_header, send_request,
};

#[test]
fn what_is_sent_is_stored_byte_for_byte_and_found_by_its_id() {
    run(1, config(FlushMode::Async), async |scene| {
        let properties = "KEYS\u{1}k1 k2\u{2}WAIT\u{1}true\u{2}TAGS\u{1}TagA";
        // The first send creates the topic on the ordinary path, the second takes the fast one.
        for offset in 0..2 {
            let sent = scene.send_as(&send_header(properties), "hello").await;
            assert_eq!((sent.code, sent.queue_offset()), (ResponseCode::SUCCESS, offset));
            let header = sent.header.expect("it is stored");
            assert_eq!(header.region.as_deref(), Some("DefaultRegion"));
            assert_eq!(header.trace_on, Some(true));
            let (host, physical) = message::message_id::decode(&header.msg_id).expect("an id");
            assert_eq!(host.port(), 10911);

            let view = ViewMessageRequestHeader {
                offset: physical.0 as i64,
                ..ViewMessageRequestHeader::default()
            };
            let reply = scene.request(RequestCode::VIEW_MESSAGE_BY_ID, &view).await;
            let found = message::record::decode_all(reply.body).expect("a record").remove(0);
            assert_eq!(found.message.body, "hello");
            assert_eq!(found.message.topic, TOPIC);
            assert_eq!(found.born_timestamp, 1_795_167_264_267);
            assert_eq!(
                found.message.properties.encode(),
                "KEYS\u{1}k1 k2\u{2}TAGS\u{1}TagA\u{2}CLUSTER\u{1}DefaultCluster"
            );
        }
    });
}

#[test]
fn a_queue_left_to_the_broker_is_one_of_the_topics() {
    run(2, config(FlushMode::Async), async |scene| {
        let header = SendMessageRequestHeader { queue_id: -1, ..send_header("") };
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..64 {
            let sent = scene.send_as(&header, "x").await;
            seen.insert(sent.header.expect("it is stored").queue_id);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    });
}

#[test]
fn what_cannot_be_kept_as_what_it_is_is_refused_and_nothing_of_it_is_stored() {
    run(3, config(FlushMode::Async), async |scene| {
        assert_eq!(scene.send("first").await.code, ResponseCode::SUCCESS);
        let with = |properties: &str| send_header(properties);
        let refused = [
            (with("DELAY\u{1}3"), ResponseCode::MESSAGE_ILLEGAL, "delayed"),
            (with("TIMER_DELAY_SEC\u{1}3"), ResponseCode::MESSAGE_ILLEGAL, "delayed"),
            (with("TRAN_MSG\u{1}true"), ResponseCode::MESSAGE_ILLEGAL, "transactional"),
            (
                SendMessageRequestHeader { sys_flag: 4, ..with("") },
                ResponseCode::MESSAGE_ILLEGAL,
                "transactional",
            ),
            (
                SendMessageRequestHeader { queue_id: 9, ..with("") },
                ResponseCode::SYSTEM_ERROR,
                "queueId",
            ),
            (
                SendMessageRequestHeader { topic: "a b".into(), ..with("") },
                ResponseCode::SYSTEM_ERROR,
                "topic",
            ),
            (
                SendMessageRequestHeader { topic: "SCHEDULE_TOPIC_XXXX".into(), ..with("") },
                ResponseCode::NO_PERMISSION,
                "forbidden",
            ),
            (
                SendMessageRequestHeader {
                    topic: "Other".into(),
                    default_topic: "none".into(),
                    ..with("")
                },
                ResponseCode::TOPIC_NOT_EXIST,
                "not exist, apply first",
            ),
            (
                SendMessageRequestHeader { topic: "%RETRY%nobody".into(), ..with("") },
                ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST,
                "nobody",
            ),
            (with(&format!("a\u{1}{}", "x".repeat(32_800))), ResponseCode::MESSAGE_ILLEGAL, "32k"),
        ];
        for (header, code, word) in refused {
            let sent = scene.send_as(&header, "refused").await;
            assert_eq!(sent.code, code, "{}", sent.remark);
            assert!(sent.remark.contains(word), "{} lacks {word}", sent.remark);
        }
        let cached = scene.control.disk_image(&scene.broker).cache;
        let holds = |bytes: &Bytes| bytes.windows(7).any(|window| window == b"refused");
        assert!(!cached.values().any(holds), "a refused message is on the disk");
        assert_eq!(scene.send("second").await.queue_offset(), 1);
    });
}

#[test]
fn a_topic_without_write_permission_takes_nothing_more_from_now_on() {
    run(4, config(FlushMode::Async), async |scene| {
        assert_eq!(scene.send("a").await.code, ResponseCode::SUCCESS);
        assert_eq!(scene.send("b").await.code, ResponseCode::SUCCESS);
        let read_only = CreateTopicRequestHeader {
            topic: TOPIC.into(),
            read_queue_nums: 4,
            write_queue_nums: 4,
            perm: 4,
            topic_filter_type: "SINGLE_TAG".into(),
            ..CreateTopicRequestHeader::default()
        };
        let reply = scene.request(RequestCode::UPDATE_AND_CREATE_TOPIC, &read_only).await;
        assert_eq!(reply.response_code(), ResponseCode::SUCCESS);
        assert_eq!(scene.send("c").await.code, ResponseCode::NO_PERMISSION);
    });
}

#[test]
fn a_batch_goes_into_one_queue_with_consecutive_offsets() {
    run(5, config(FlushMode::Sync), async |scene| {
        let messages: Vec<Message> = (0..40)
            .map(|n| Message::new(TOPIC, vec![b'a' + (n % 26) as u8; 700]).with_tags("TagA"))
            .collect();
        let batch = SendMessageRequestHeader { batch: true, ..send_header("WAIT\u{1}true") };
        // 28 kB each, so that several do not fit the segment of 64 KiB that they start in.
        for round in 0..5 {
            let request = RemotingCommand::request(RequestCode::SEND_BATCH_MESSAGE, &batch)
                .with_body(message::batch::encode(&messages));
            let sent = Sent::of(scene.ask(request).await);
            assert_eq!((sent.code, sent.queue_offset()), (ResponseCode::SUCCESS, round * 40));
            let ids = sent.header.expect("it is stored").msg_id;
            assert_eq!(ids.split(',').count(), 40);
        }
        let mut from = 0;
        while from < 200 {
            let pulled = scene.pull(from).await;
            assert_eq!(pulled.code, ResponseCode::SUCCESS);
            for found in &pulled.messages {
                let sent = &messages[(from % 40) as usize];
                assert_eq!((found.queue_offset.0 as i64, &found.message.body), (from, &sent.body));
                assert_eq!(found.message.tags(), Some("TagA"));
                from += 1;
            }
        }
    });
}

#[test]
fn a_batch_that_is_no_batch_is_refused_whole() {
    run(6, config(FlushMode::Async), async |scene| {
        let whole = message::batch::encode(&[Message::new(TOPIC, "a"), Message::new(TOPIC, "b")]);
        let batch = SendMessageRequestHeader { batch: true, ..send_header("") };
        for body in [whole.slice(..whole.len() - 1), Bytes::new()] {
            let request =
                RemotingCommand::request(RequestCode::SEND_BATCH_MESSAGE, &batch).with_body(body);
            assert_eq!(Sent::of(scene.ask(request).await).code, ResponseCode::MESSAGE_ILLEGAL);
        }
        assert_eq!(scene.send("a").await.queue_offset(), 0);
    });
}

#[test]
fn a_oneway_send_is_stored_and_a_binary_header_is_answered_in_kind() {
    run(7, config(FlushMode::Async), async |scene| {
        assert_eq!(scene.send("made").await.code, ResponseCode::SUCCESS);
        let oneway = send_request(&send_header(""), "oneway").into_oneway();
        let remoting = scene.clone();
        // Nobody answers it: the request is given up after its 40 s, and the message is there.
        assert!(remoting.try_ask(oneway).await.is_none());
        let binary = RemotingCommand {
            serialize_type: SerializeType::RocketMq,
            ..send_request(&send_header(""), "binary")
        };
        let reply = scene.ask(binary).await;
        assert_eq!(reply.serialize_type, SerializeType::RocketMq);
        assert_eq!(Sent::of(reply).queue_offset(), 2);
        scene.control.sleep(SECOND).await;
        assert_eq!(scene.pull(0).await.bodies(), ["made", "oneway", "binary"]);
    });
}

#[test]
fn unknown_and_later_requests_are_answered_by_name() {
    run(8, config(FlushMode::Async), async |scene| {
        let unknown = scene.ask(RemotingCommand::request_without_header(RequestCode(9_999))).await;
        assert_eq!(unknown.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
        assert_eq!(unknown.remark.as_deref(), Some(" request type 9999 not supported"));
        for code in [RequestCode::CONSUMER_SEND_MSG_BACK, RequestCode::END_TRANSACTION] {
            let reply = scene.ask(RemotingCommand::request_without_header(code)).await;
            assert_eq!(reply.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
            assert!(reply.remark.expect("a reason").contains("not supported yet"));
        }
        let missing =
            scene.ask(RemotingCommand::request_without_header(RequestCode::PULL_MESSAGE)).await;
        assert_eq!(missing.response_code(), ResponseCode::SYSTEM_ERROR);
        assert_eq!(
            Pulled::of(
                scene
                    .request(RequestCode::PULL_MESSAGE, &{
                        let mut header = pull_header(0);
                        header.topic = "BenchmarkTest".into();
                        header
                    })
                    .await
            )
            .code,
            ResponseCode::PULL_NOT_FOUND
        );
    });
}
