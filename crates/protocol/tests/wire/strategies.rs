//! What proptest makes of the wire.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use protocol::header::SendMessageRequestHeader;
use protocol::{ExtFields, Language, RemotingCommand, RequestCode, SerializeType};

/// Text with what is troublesome in it: quotes, escapes, separators, letters beyond ASCII.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9_%|-]{0,12}",
        "(\\PC|[\"\\\\/\u{0}-\u{1f}\u{7f}\u{2028}😀]){0,12}",
        "([A-Z_]{1,8}\u{1}[ -~]{1,12}\u{2}){0,5}",
    ]
}

/// One of the two forms.
pub(crate) fn serialize_type() -> impl Strategy<Value = SerializeType> {
    prop_oneof![Just(SerializeType::Json), Just(SerializeType::RocketMq)]
}

/// A send header whose numbers are often odd.
pub(crate) fn send_header() -> impl Strategy<Value = SendMessageRequestHeader> {
    let names = (text(), text(), text(), text());
    let numbers = (any::<i32>(), -1..16i32, any::<i32>(), any::<i64>(), any::<i32>());
    let rest = (
        0..20i32,
        any::<bool>(),
        option::of(any::<i32>()),
        any::<bool>(),
        option::of("[a-z-]{1,9}"),
    );
    (names, numbers, rest).prop_map(|(names, numbers, rest)| SendMessageRequestHeader {
        producer_group: names.0,
        topic: names.1,
        default_topic: names.2,
        properties: names.3,
        default_topic_queue_nums: numbers.0,
        queue_id: numbers.1,
        sys_flag: numbers.2,
        born_timestamp: numbers.3,
        flag: numbers.4,
        reconsume_times: rest.0,
        unit_mode: rest.1,
        max_reconsume_times: rest.2,
        batch: rest.3,
        broker_name: rest.4,
    })
}

/// A send, in either form, now and then with a stranger among its fields.
pub(crate) fn send() -> impl Strategy<Value = RemotingCommand> {
    let codes = prop_oneof![
        Just(RequestCode::SEND_MESSAGE),
        Just(RequestCode::SEND_MESSAGE_V2),
        Just(RequestCode::SEND_BATCH_MESSAGE),
    ];
    let stranger = option::weighted(0.1, (text(), text()));
    let frame = (any::<i32>(), 0..4i32, serialize_type());
    (codes, send_header(), frame, stranger).prop_map(|(code, header, frame, stranger)| {
        let mut command = RemotingCommand::request(code, &header);
        (command.opaque, command.flag, command.serialize_type) = frame;
        if let Some((name, value)) = stranger {
            command.ext_fields.insert(name, value);
        }
        command
    })
}

/// Any command that both forms can say: 16-bit code and version, no empty remark.
pub(crate) fn command() -> impl Strategy<Value = RemotingCommand> {
    let numbers = (any::<i16>(), 0..14u8, any::<i16>(), any::<i32>(), any::<i32>());
    let fields = vec((text(), text()), 0..8);
    let remark = option::of(text().prop_filter("an empty one is none", |text| !text.is_empty()));
    (numbers, remark, fields, vec(any::<u8>(), 0..40), serialize_type()).prop_map(
        |(numbers, remark, fields, body, serialize_type)| RemotingCommand {
            code: i32::from(numbers.0),
            language: Language(numbers.1),
            version: i32::from(numbers.2),
            opaque: numbers.3,
            flag: numbers.4,
            remark,
            ext_fields: fields.into_iter().collect::<ExtFields>(),
            body: Bytes::from(body),
            serialize_type,
        },
    )
}
