//! Every modelled body class reads what Java prints of it, and fastjson's odd cases.

use crate::recorded::{unfold, unpack_text};
use bytes::Bytes;
use protocol::body::*;
use protocol::frame::Frame;
use protocol::{BodyError, Language, SerializeType};

/// Reads a body of that class and writes it again; `None` for a class that is not modelled.
fn said_again(class: &str, text: &str) -> Option<Result<Bytes, BodyError>> {
    macro_rules! table {
        ($($name:literal $kind:ty),* $(,)?) => {
            match class {
                $($name => Some(<$kind>::decode(text.as_bytes()).map(|body| body.encode())),)*
                _ => None,
            }
        };
    }
    table! {
        "DataVersion" DataVersion,
        "TopicConfig" TopicConfig,
        "ConsumeStats" ConsumeStats,
        "TopicStatsTable" TopicStatsTable,
        "CheckClientRequestBody" CheckClientRequestBody,
        "ClusterInfo" ClusterInfo,
        "Connection" Connection,
        "ConsumerConnection" ConsumerConnection,
        "GroupList" GroupList,
        "KVTable" KvTable,
        "LockBatchRequestBody" LockBatchRequestBody,
        "LockBatchResponseBody" LockBatchResponseBody,
        "UnlockBatchRequestBody" UnlockBatchRequestBody,
        "ProducerConnection" ProducerConnection,
        "RegisterBrokerBody" RegisterBrokerBody,
        "ResetOffsetBody" ResetOffsetBody,
        "SubscriptionGroupWrapper" SubscriptionGroupWrapper,
        "TopicConfigSerializeWrapper" TopicConfigSerializeWrapper,
        "TopicList" TopicList,
        "HeartbeatData" HeartbeatData,
        "SubscriptionData" SubscriptionData,
        "BrokerData" BrokerData,
        "QueueData" QueueData,
        "TopicRouteData" TopicRouteData,
        "SubscriptionGroupConfig" SubscriptionGroupConfig,
    }
}

fn classes_known(packed: &[u8]) -> usize {
    let text = unpack_text(packed);
    let mut known = 0;
    for (class, body) in text.lines().filter_map(|line| line.split_once(' ')) {
        let Some(written) = said_again(class, body) else { continue };
        let written = written.unwrap_or_else(|error| panic!("{class}: {error}"));
        // What was written reads as itself: nothing is lost a second time.
        let text = std::str::from_utf8(&written).expect("UTF-8");
        let again = said_again(class, text).expect("known").expect("our own words");
        assert_eq!(again, written, "{class}");
        // Every text "s" and every number 2 of the original is still there.
        for sign in ["\"s\"", "2"] {
            assert!(text.contains(sign) || !body.contains(sign), "{class}: {text}");
        }
        known += 1;
    }
    known
}

#[test]
fn every_modelled_class_of_both_releases_reads_what_java_prints() {
    assert_eq!(classes_known(include_bytes!("../data/bodies-4.9.8.txt.gz")), 25);
    assert_eq!(classes_known(include_bytes!("../data/bodies-5.3.3.txt.gz")), 25);
}

#[test]
fn the_odd_json_that_java_accepts_is_accepted_and_what_it_rejects_is_rejected() {
    let text = unpack_text(include_bytes!("../data/fastjson-cases.txt.gz"));
    let (mut known, mut refused) = (0, Vec::new());
    for (class, body) in text.lines().filter_map(|line| line.split_once(' ')) {
        if class == "RemotingCommand" {
            let header = Bytes::copy_from_slice(body.as_bytes());
            let frame = Frame { serialize_type: SerializeType::Json, header, body: Bytes::new() };
            let command = frame.decode().unwrap_or_else(|error| panic!("{body}: {error}"));
            assert!(command.is_response() && command.opaque == 5);
            known += 1;
        } else if let Some(written) = said_again(class, body) {
            known += 1;
            if written.is_err() {
                refused.push(body.to_owned());
            }
        }
    }
    assert!(known >= 28, "{known}");
    assert_eq!(
        refused,
        [r#"{"offsetTable":[{"brokerName":"b","queueId":0,"topic":"t","offset":5}]}"#]
    );
}

#[test]
fn object_keys_read_alike_raw_and_as_texts() {
    let raw = &unfold(
        r#"{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"minOffset":2,
        "maxOffset":"3"}}}"#,
    );
    let text = &unfold(
        r#"{"offsetTable":{"{\"brokerName\":\"b\",\"queueId\":0,\"topic\":\"t\"}":{"minOffset":2,
        "maxOffset":3}}}"#,
    );
    let raw = TopicStatsTable::decode(raw.as_bytes()).expect("sound");
    assert_eq!(raw, TopicStatsTable::decode(text.as_bytes()).expect("sound"));
    let (queue, offsets) = raw.offset_table.first_key_value().expect("one");
    assert_eq!((queue.topic.as_str(), queue.broker_name.as_str(), queue.queue_id), ("t", "b", 0));
    assert_eq!((offsets.min_offset, offsets.max_offset), (2, 3));
}

#[test]
fn header_numbers_in_any_dress_and_languages_by_name_or_number_are_understood() {
    let cases = [
        (r#"{"code":"0","flag":"1","opaque":"5","language":12}"#, Language::RUST),
        (r#"{"code":0,"flag":1,"opaque":5,"language":"NOSUCH"}"#, Language::OTHER),
        (r#"{"code":0,"flag":1,"opaque":5,"extFields":null,"remark":null}"#, Language::JAVA),
    ];
    for (text, language) in cases {
        let header = Bytes::copy_from_slice(text.as_bytes());
        let frame = Frame { serialize_type: SerializeType::Json, header, body: Bytes::new() };
        let command = frame.decode().expect("sound");
        assert_eq!((command.flag, command.opaque, command.language), (1, 5, language));
    }
    let text = "{\"code\":310,\"extFields\":{\"d\":4,\"k\":false,\"g\":1795167289438,\"x\":null,\
                \"y\":{\"z\":[1]},\"w\":1.5,\"v\":18446744073709551615}}\n";
    let header = Bytes::copy_from_slice(text.as_bytes());
    let frame = Frame { serialize_type: SerializeType::Json, header, body: Bytes::new() };
    let fields = frame.decode().expect("sound").ext_fields;
    let wanted = [
        ("d", "4"),
        ("k", "false"),
        ("g", "1795167289438"),
        ("y", "{\"z\":[1]}"),
        ("w", "1.5"),
        ("v", "18446744073709551615"),
    ];
    assert_eq!(fields.iter().collect::<Vec<_>>(), wanted);
}
