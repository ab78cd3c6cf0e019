//! Any bytes are a value or an error: frames, headers of both forms, and bodies.
//!
//! The first byte of an input chooses the decoder, so that one corpus serves all. Beyond not
//! crashing, three things are held: what decodes can be said again and means the same, the fast
//! path says what the ordinary path says, and no frame is larger than the bound.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use protocol::body::{
    CheckClientRequestBody, ClusterInfo, ConsumeStats, HeartbeatData, LockBatchRequestBody,
    RegisterBrokerBody, ResetOffsetBody, SubscriptionGroupConfig, TopicRouteData,
};
use protocol::fast::{peek, send_reply_view, send_view};
use protocol::frame::{FRAME_SIZE_MAX, Frame, next_frame};
use protocol::header::{PullMessageRequestHeader, SendMessageRequestHeader};
use protocol::{RemotingCommand, SerializeType};

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    match choice {
        0 => stream(rest),
        1 => header(SerializeType::Json, rest),
        2 => header(SerializeType::RocketMq, rest),
        3 => bodies(rest),
        4 => registration(rest),
        _ => {}
    }
});

fn stream(bytes: &[u8]) {
    let mut buffer = BytesMut::from(bytes);
    while let Ok(Some(frame)) = next_frame(&mut buffer) {
        assert!(frame.header.len() + frame.body.len() + 8 <= FRAME_SIZE_MAX);
        look(&frame);
    }
}

fn header(serialize_type: SerializeType, bytes: &[u8]) {
    let header = Bytes::copy_from_slice(bytes);
    look(&Frame { serialize_type, header, body: Bytes::new() });
}

fn look(frame: &Frame) {
    let decoded = frame.decode();
    let mut scratch = Vec::new();
    let view = send_view(frame, &mut scratch);
    let reply = send_reply_view(frame);
    let Ok(command) = decoded else {
        assert!(view.is_none() && reply.is_none(), "the fast path took what is no command");
        return;
    };
    if let Some(peeked) = peek(frame) {
        assert_eq!(
            (peeked.code, peeked.opaque, peeked.flag),
            (command.code, command.opaque, command.flag)
        );
    }
    if let Some((opaque, code, _, _)) = reply {
        assert_eq!((opaque, code.0), (command.opaque, command.code));
    }
    if let Some(view) = view {
        let header: SendMessageRequestHeader = command.header().expect("seen, so complete");
        assert_eq!(view.group, header.producer_group.as_bytes());
        assert_eq!(view.topic, header.topic.as_bytes());
        assert_eq!(view.properties, header.properties.as_bytes());
        assert_eq!((view.queue_id, view.sys_flag), (header.queue_id, header.sys_flag));
    }
    let _ = command.header::<SendMessageRequestHeader>();
    let _ = command.header::<PullMessageRequestHeader>();
    said_again(&command);
}

fn said_again(command: &RemotingCommand) {
    let mut bytes = BytesMut::new();
    command.encode(&mut bytes);
    let again = next_frame(&mut bytes).expect("sound").expect("complete");
    let again = again.decode().expect("our own words");
    assert_eq!(again.ext_fields, command.ext_fields);
    assert_eq!((again.opaque, again.flag), (command.opaque, command.flag));
    assert_eq!((again.remark, again.body), (command.remark.clone(), command.body.clone()));
}

fn bodies(bytes: &[u8]) {
    macro_rules! again {
        ($($kind:ty),*) => {$(
            if let Ok(body) = <$kind>::decode(bytes) {
                assert_eq!(<$kind>::decode(&body.encode()).expect("our own words"), body);
            }
        )*};
    }
    again!(
        HeartbeatData,
        TopicRouteData,
        ClusterInfo,
        LockBatchRequestBody,
        CheckClientRequestBody,
        RegisterBrokerBody,
        SubscriptionGroupConfig,
        ConsumeStats,
        ResetOffsetBody
    );
}

fn registration(bytes: &[u8]) {
    if let Ok(body) = RegisterBrokerBody::decode_compressed(bytes) {
        let _ = RegisterBrokerBody::decode_compressed(&body.encode_compressed());
    }
}
