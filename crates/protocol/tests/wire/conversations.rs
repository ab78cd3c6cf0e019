//! Every header that real clients and servers sent is understood, and said again.

use std::collections::BTreeMap;

use crate::recorded::{Exchange, conversations};
use bytes::{Bytes, BytesMut};
use protocol::body::*;
use protocol::frame::{Frame, next_frame};
use protocol::header::*;
use protocol::{CommandHeader, ExtFields, RemotingCommand, RequestCode, SerializeType};

fn frame(header: &str) -> Frame {
    Frame {
        serialize_type: SerializeType::Json,
        header: Bytes::copy_from_slice(header.as_bytes()),
        body: Bytes::from_static(b"body"),
    }
}

fn again(command: &RemotingCommand) -> RemotingCommand {
    let mut bytes = BytesMut::new();
    command.encode(&mut bytes);
    let frame = next_frame(&mut bytes).expect("sound").expect("complete");
    assert!(bytes.is_empty(), "the frame is all there is");
    frame.decode().expect("what was encoded decodes")
}

/// An independent reading of a header: whatever JSON value stands there, as its text.
fn fields_by_hand(header: &str) -> BTreeMap<String, String> {
    let value: serde_json::Value = serde_json::from_str(header).expect("recorded headers are JSON");
    let Some(fields) = value["extFields"].as_object() else { return BTreeMap::new() };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

#[test]
fn every_recorded_header_decodes_to_what_it_says_and_encodes_again_in_both_forms() {
    let all = conversations();
    assert!(all.len() > 2_900, "only {} exchanges were found", all.len());
    for exchange in &all {
        let command = frame(&exchange.header).decode().expect("a recorded header decodes");
        let value: serde_json::Value = serde_json::from_str(&exchange.header).expect("JSON");
        assert_eq!(Some(i64::from(command.code)), value["code"].as_i64());
        assert_eq!(Some(i64::from(command.opaque)), value["opaque"].as_i64());
        assert_eq!(Some(i64::from(command.flag)), value["flag"].as_i64());
        assert_eq!(Some(i64::from(command.version)), value["version"].as_i64());
        assert_eq!(command.remark.as_deref().unwrap_or(""), value["remark"].as_str().unwrap_or(""));
        assert_eq!(command.is_response(), !exchange.is_request());
        let fields: BTreeMap<String, String> =
            command.ext_fields.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(fields, fields_by_hand(&exchange.header));

        assert_eq!(again(&command), command);
        let binary = RemotingCommand { serialize_type: SerializeType::RocketMq, ..command };
        assert_eq!(again(&binary), binary);
    }
}

/// Decodes the typed header, writes it, and sees that nothing it knows was lost or changed.
fn typed<H: CommandHeader>(exchange: &Exchange, beside: &[&str]) -> bool {
    let command = frame(&exchange.header).decode().expect("a recorded header decodes");
    let header: H = command.header().unwrap_or_else(|error| panic!("{error}: {exchange:?}"));
    let mut written = ExtFields::new();
    let code = RequestCode(command.code);
    header.encode_for(code, &mut written);
    for (name, value) in command.ext_fields.iter() {
        let known = written.get(name);
        let is_beside = beside.contains(&name) || EVERYWHERE.contains(&name);
        assert!(known == Some(value) || (known.is_none() && is_beside), "{name} of {exchange:?}");
    }
    true
}

/// Fields of hooks, which no header has.
const EVERYWHERE: [&str; 6] =
    ["AccessKey", "Signature", "SecurityToken", "OnsChannel", "ReqT", "lo"];

fn request(exchange: &Exchange) -> bool {
    let command = frame(&exchange.header).decode().expect("decodes");
    match command.request_code() {
        RequestCode::SEND_MESSAGE
        | RequestCode::SEND_MESSAGE_V2
        | RequestCode::SEND_BATCH_MESSAGE
        | RequestCode::SEND_REPLY_MESSAGE_V2 => typed::<SendMessageRequestHeader>(exchange, &[]),
        RequestCode::PUSH_REPLY_MESSAGE_TO_CLIENT => typed::<SendMessageRequestHeader>(
            exchange,
            &["bornHost", "storeHost", "storeTimestamp"],
        ),
        RequestCode::PULL_MESSAGE | RequestCode::LITE_PULL_MESSAGE => {
            typed::<PullMessageRequestHeader>(exchange, &["requestSource", "proxyFrowardClientId"])
        }
        RequestCode::QUERY_CONSUMER_OFFSET => {
            typed::<QueryConsumerOffsetRequestHeader>(exchange, &[])
        }
        RequestCode::UPDATE_CONSUMER_OFFSET => {
            typed::<UpdateConsumerOffsetRequestHeader>(exchange, &[])
        }
        RequestCode::SEARCH_OFFSET_BY_TIMESTAMP => {
            typed::<SearchOffsetRequestHeader>(exchange, &[])
        }
        RequestCode::GET_MAX_OFFSET => typed::<GetMaxOffsetRequestHeader>(exchange, &[]),
        RequestCode::GET_MIN_OFFSET => typed::<GetMinOffsetRequestHeader>(exchange, &[]),
        RequestCode::GET_EARLIEST_MSG_STORETIME => {
            typed::<GetEarliestMsgStoreTimeRequestHeader>(exchange, &[])
        }
        RequestCode::UNREGISTER_CLIENT => typed::<UnregisterClientRequestHeader>(exchange, &[]),
        RequestCode::GET_CONSUMER_LIST_BY_GROUP => {
            typed::<GetConsumerListByGroupRequestHeader>(exchange, &[])
        }
        RequestCode::NOTIFY_CONSUMER_IDS_CHANGED => {
            typed::<NotifyConsumerIdsChangedRequestHeader>(exchange, &[])
        }
        RequestCode::CONSUMER_SEND_MSG_BACK => {
            typed::<ConsumerSendMsgBackRequestHeader>(exchange, &[])
        }
        RequestCode::END_TRANSACTION => typed::<EndTransactionRequestHeader>(exchange, &[]),
        RequestCode::CHECK_TRANSACTION_STATE => {
            typed::<CheckTransactionStateRequestHeader>(exchange, &[])
        }
        RequestCode::QUERY_MESSAGE => typed::<QueryMessageRequestHeader>(exchange, &[]),
        RequestCode::VIEW_MESSAGE_BY_ID => typed::<ViewMessageRequestHeader>(exchange, &[]),
        RequestCode::UPDATE_AND_CREATE_TOPIC => typed::<CreateTopicRequestHeader>(exchange, &[]),
        RequestCode::DELETE_TOPIC_IN_BROKER => typed::<DeleteTopicRequestHeader>(exchange, &[]),
        RequestCode::GET_TOPIC_STATS_INFO | RequestCode::GET_TOPIC_CONFIG => {
            typed::<TopicRequestHeader>(exchange, &[])
        }
        RequestCode::GET_ROUTEINFO_BY_TOPIC => typed::<GetRouteInfoRequestHeader>(exchange, &[]),
        RequestCode::PUT_KV_CONFIG => typed::<PutKvConfigRequestHeader>(exchange, &[]),
        RequestCode::GET_KV_CONFIG => typed::<GetKvConfigRequestHeader>(exchange, &[]),
        RequestCode::DELETE_KV_CONFIG => typed::<DeleteKvConfigRequestHeader>(exchange, &[]),
        RequestCode::DELETE_TOPIC_IN_NAMESRV => {
            typed::<DeleteTopicInNamesrvRequestHeader>(exchange, &[])
        }
        RequestCode::WIPE_WRITE_PERM_OF_BROKER | RequestCode::ADD_WRITE_PERM_OF_BROKER => {
            typed::<WipeWritePermRequestHeader>(exchange, &[])
        }
        RequestCode::INVOKE_BROKER_TO_RESET_OFFSET | RequestCode::RESET_CONSUMER_CLIENT_OFFSET => {
            typed::<ResetOffsetRequestHeader>(exchange, &[])
        }
        _ => false,
    }
}

#[test]
fn typed_request_headers_lose_nothing_that_was_recorded() {
    let all = conversations();
    let known = all.iter().filter(|exchange| exchange.is_request() && request(exchange)).count();
    assert!(known > 1_000, "only {known} requests have a typed header");
}

#[test]
fn typed_response_headers_lose_nothing_that_was_recorded() {
    let mut known = 0;
    for exchange in conversations().iter().filter(|exchange| exchange.header.contains("{\"")) {
        let is = |name: &str| exchange.answers(name) && exchange.label.contains("SUCCESS");
        let seen = if is("SEND_MESSAGE_V2") || is("SEND_BATCH_MESSAGE") {
            typed::<SendMessageResponseHeader>(exchange, &[])
        } else if is("PULL_MESSAGE") || exchange.label == "RSP PULL_NOT_FOUND to PULL_MESSAGE" {
            typed::<PullMessageResponseHeader>(exchange, &[])
        } else if is("QUERY_CONSUMER_OFFSET") {
            typed::<QueryConsumerOffsetResponseHeader>(exchange, &[])
        } else if is("SEARCH_OFFSET_BY_TIMESTAMP") {
            typed::<SearchOffsetResponseHeader>(exchange, &[])
        } else if is("GET_MAX_OFFSET") {
            typed::<GetMaxOffsetResponseHeader>(exchange, &[])
        } else if is("GET_MIN_OFFSET") {
            typed::<GetMinOffsetResponseHeader>(exchange, &[])
        } else if is("GET_EARLIEST_MSG_STORETIME") {
            typed::<GetEarliestMsgStoreTimeResponseHeader>(exchange, &[])
        } else if is("QUERY_MESSAGE") {
            typed::<QueryMessageResponseHeader>(exchange, &[])
        } else if is("GET_KV_CONFIG") {
            typed::<GetKvConfigResponseHeader>(exchange, &[])
        } else if is("WIPE_WRITE_PERM_OF_BROKER") {
            typed::<WipeWritePermResponseHeader>(exchange, &[])
        } else {
            is("ADD_WRITE_PERM_OF_BROKER") && typed::<AddWritePermResponseHeader>(exchange, &[])
        };
        known += usize::from(seen);
    }
    assert!(known > 250, "only {known} responses have a typed header");
}

/// What a body says once read and written again, next to what it said.
fn said_again(exchange: &Exchange, text: &str) -> Option<Bytes> {
    macro_rules! again {
        ($kind:ty) => {
            <$kind>::decode(text.as_bytes()).map(|body| body.encode())
        };
    }
    let starts = |name: &str| exchange.label.starts_with(&format!("REQ {name}("));
    let answers = |name: &str| exchange.answers(name);
    let body = if starts("HEART_BEAT") {
        again!(HeartbeatData)
    } else if starts("LOCK_BATCH_MQ") {
        again!(LockBatchRequestBody)
    } else if starts("UNLOCK_BATCH_MQ") {
        again!(UnlockBatchRequestBody)
    } else if starts("CHECK_CLIENT_CONFIG") {
        again!(CheckClientRequestBody)
    } else if starts("UPDATE_AND_CREATE_SUBSCRIPTIONGROUP") {
        again!(SubscriptionGroupConfig)
    } else if starts("RESET_CONSUMER_CLIENT_OFFSET") || answers("INVOKE_BROKER_TO_RESET_OFFSET") {
        again!(ResetOffsetBody)
    } else if answers("GET_ROUTEINFO_BY_TOPIC") {
        again!(TopicRouteData)
    } else if answers("GET_BROKER_CLUSTER_INFO") {
        again!(ClusterInfo)
    } else if answers("GET_CONSUMER_LIST_BY_GROUP") {
        again!(GetConsumerListByGroupResponseBody)
    } else if answers("LOCK_BATCH_MQ") {
        again!(LockBatchResponseBody)
    } else if answers("GET_ALL_TOPIC_LIST_FROM_NAMESERVER")
        || answers("GET_SYSTEM_TOPIC_LIST_FROM_BROKER")
    {
        again!(TopicList)
    } else if answers("QUERY_TOPIC_CONSUME_BY_WHO") {
        again!(GroupList)
    } else if answers("GET_BROKER_RUNTIME_INFO") {
        again!(KvTable)
    } else if answers("GET_CONSUMER_CONNECTION_LIST") {
        again!(ConsumerConnection)
    } else if answers("GET_TOPIC_STATS_INFO") {
        again!(TopicStatsTable)
    } else if answers("GET_CONSUME_STATS") {
        again!(ConsumeStats)
    } else if answers("GET_ALL_TOPIC_CONFIG") {
        again!(TopicConfigSerializeWrapper)
    } else if answers("GET_ALL_SUBSCRIPTIONGROUP_CONFIG") {
        again!(SubscriptionGroupWrapper)
    } else {
        return None;
    };
    Some(body.unwrap_or_else(|error| panic!("{error}: {exchange:?}")))
}

/// JSON as a value, with object keys as texts and lists in a fixed order: sets have none.
fn canonical(text: &str) -> serde_json::Value {
    fn sort(value: &mut serde_json::Value) {
        if let Some(items) = value.as_array_mut() {
            items.iter_mut().for_each(sort);
            items.sort_by_key(ToString::to_string);
        } else if let Some(members) = value.as_object_mut() {
            members.values_mut().for_each(sort);
        }
    }
    let mut value = serde_json::from_str(&quote_keys(text)).expect("JSON once its keys are quoted");
    sort(&mut value);
    value
}

/// Quotes numeric and object keys by a plain text search that knows the recorded bodies only.
fn quote_keys(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', ',']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 && rest[digits..].starts_with(':') {
            out.push_str(&format!("\"{}\"", &rest[..digits]));
            rest = &rest[digits..];
        } else if rest.starts_with("{\"brokerName\"") && !before.ends_with("[{") {
            let key = &rest[..=rest.find('}').expect("a key's end")];
            let is_key = rest[key.len()..].starts_with(':');
            if is_key {
                out.push_str(&serde_json::Value::from(key).to_string());
                rest = &rest[key.len()..];
            }
        }
    }
    out + rest
}

/// Every member of `said` is in `again`, with the same value.
fn holds(again: &serde_json::Value, said: &serde_json::Value, path: &str) {
    match (again, said) {
        (serde_json::Value::Object(again), serde_json::Value::Object(said)) => {
            for (name, value) in said {
                if NOT_MODELLED.contains(&name.as_str()) {
                    continue;
                }
                let path = format!("{path}.{name}");
                match again.get(name) {
                    Some(found) => holds(found, value, &path),
                    None => assert!(says_nothing(value), "{path} is lost"),
                }
            }
        }
        (serde_json::Value::Array(again), serde_json::Value::Array(said)) => {
            assert_eq!(again.len(), said.len(), "{path}");
            for (again, said) in again.iter().zip(said) {
                holds(again, said, path);
            }
        }
        (again, said) => assert_eq!(again, said, "{path}"),
    }
}

/// Members that are dropped on purpose.
const NOT_MODELLED: [&str; 3] = ["groupRetryPolicy", "onlyThisBroker", "enableActingMaster"];

/// Members that mean this may be left out: their absence means the same.
fn says_nothing(value: &serde_json::Value) -> bool {
    *value == serde_json::json!({}) || *value == false || *value == 0 || value.is_null()
}

#[test]
fn recorded_bodies_are_read_and_said_again_without_loss() {
    let mut known = BTreeMap::<String, usize>::new();
    for exchange in conversations() {
        let Some(text) = &exchange.text else { continue };
        if let Some(written) = said_again(&exchange, text) {
            let written = std::str::from_utf8(&written).expect("UTF-8");
            holds(&canonical(written), &canonical(text), &exchange.label);
            *known.entry(exchange.label).or_default() += 1;
        }
    }
    assert!(known.values().sum::<usize>() > 500 && known.len() >= 17, "{known:#?}");
}
