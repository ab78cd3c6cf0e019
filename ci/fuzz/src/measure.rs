//! What one call of the hot paths costs, in ns: `cargo run --profile measure --bin measure`.

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use protocol::fast::{
    SendReply, SendRequest, encode_send_reply, encode_send_request, peek, send_reply_view,
    send_view,
};
use protocol::frame::{Frame, next_frame};
use protocol::{ResponseCode, SerializeType};

/// As a 4.9.8 Java producer sent it.
const SEND: &[u8] = include_bytes!("../seeds/header_send_json");
/// As a broker answered it.
const REPLY: &[u8] = include_bytes!("../seeds/header_reply_json");
/// A send in the binary form.
const BINARY: &[u8] = include_bytes!("../seeds/header_send_binary");

fn frame(serialize_type: SerializeType, seed: &'static [u8]) -> Frame {
    Frame { serialize_type, header: Bytes::from_static(&seed[1..]), body: Bytes::new() }
}

/// The best of many short rounds: what the machine can do when nobody else wants it. An argument
/// of the program picks the lines that contain it.
fn measure(name: &str, mut call: impl FnMut()) {
    if std::env::args().nth(1).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    const CALLS: u32 = 200;
    let best = (0..3_000)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            start.elapsed()
        })
        .min();
    println!("{:>6} ns  {name}", best.unwrap_or_default().as_nanos() / u128::from(CALLS));
}

fn main() {
    let send = frame(SerializeType::Json, SEND);
    let reply = frame(SerializeType::Json, REPLY);
    let binary = frame(SerializeType::RocketMq, BINARY);
    let mut scratch = Vec::new();
    println!("send header of {} bytes, reply header of {}", send.header.len(), reply.header.len());
    measure("send_view, JSON", || {
        black_box(send_view(black_box(&send), &mut scratch).is_some());
    });
    measure("send_view, ROCKETMQ", || {
        black_box(send_view(black_box(&binary), &mut scratch).is_some());
    });
    measure("peek, JSON", || {
        black_box(peek(black_box(&send)));
    });
    measure("decode, JSON (the ordinary path)", || drop(black_box(send.decode())));
    measure("decode, ROCKETMQ (the ordinary path)", || drop(black_box(binary.decode())));
    measure("send_reply_view, JSON", || {
        black_box(send_reply_view(black_box(&reply)));
    });

    let mut to = BytesMut::with_capacity(4096);
    for serialize_type in [SerializeType::Json, SerializeType::RocketMq] {
        measure(&format!("encode_send_reply, {serialize_type:?}"), || {
            to.clear();
            encode_send_reply(&stored(serialize_type), &mut to);
            black_box(&to);
        });
        measure(&format!("encode_send_request, {serialize_type:?}, 100 bytes"), || {
            to.clear();
            encode_send_request(&request(serialize_type), &mut to);
            black_box(&to);
        });
    }
    let mut stream = BytesMut::new();
    encode_send_request(&request(SerializeType::Json), &mut stream);
    let one = stream.freeze();
    let mut buffer = BytesMut::with_capacity(1 << 16);
    measure("next_frame, with the copy into the buffer", || {
        buffer.extend_from_slice(&one);
        drop(black_box(next_frame(&mut buffer)));
    });
}

fn stored(serialize_type: SerializeType) -> SendReply<'static> {
    SendReply {
        opaque: 123_456,
        serialize_type,
        code: ResponseCode::SUCCESS,
        message_id: "7F000001000051AF0000000000000000",
        queue_id: 2,
        queue_offset: 123_456_789,
        region: "DefaultRegion",
        trace_on: true,
    }
}

fn request(serialize_type: SerializeType) -> SendRequest<'static> {
    SendRequest {
        opaque: 123_456,
        oneway: false,
        serialize_type,
        group: "PG1",
        topic: "TopicA",
        default_topic: "TBW102",
        default_topic_queue_nums: 4,
        queue_id: 2,
        sys_flag: 0,
        born_timestamp: 1_795_166_223_989,
        message_flag: 0,
        properties: "KEYS\u{1}k1 k2\u{2}UNIQ_KEY\u{1}C000020257B45FFD2B2763D6D6730000\u{2}WAIT\u{1}true",
        reconsume_times: 0,
        batch: false,
        broker_name: "broker-a",
        body: &[7; 100],
    }
}
