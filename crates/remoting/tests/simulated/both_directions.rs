//! Requests and answers, in both directions of one connection, however the bytes are cut.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::ground::{ADDRESS, BACK, ECHO, FOR_EVER, GATED, NEVER, SLICE, SLICES, ground, request};
use bytes::BytesMut;
use protocol::frame::next_frame;
use protocol::{ResponseCode, SerializeType};
use remoting::{RemotingError, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn every_answer_meets_its_request_however_the_bytes_are_cut() {
    for seed in 0..40 {
        let ground = ground(seed);
        let draws = ground.world.stream("test");
        ground.world.shape_net(|shape| {
            shape.split_one_in = 1 + draws.below(3);
            shape.read_max = 1 + draws.below(5_000) as usize;
            shape.window = 1_000 + draws.below(60_000) as usize;
        });
        ground.world.block_on(async {
            let _server = ground.server(ServerConfig::default()).await;
            let client = ground.client();
            let bodies: Vec<Vec<u8>> = (0..30_u8)
                .map(|number| vec![number; draws.below(20_000) as usize * usize::from(number % 2)])
                .collect();
            let requests = bodies.iter().enumerate().map(|(number, body)| {
                let mut request = request(ECHO, body.clone());
                request.ext_fields.insert("number", number.to_string());
                if number % 3 == 0 {
                    request.serialize_type = SerializeType::RocketMq;
                }
                request
            });
            let outcomes = ground.all_at_once(&client, requests.collect()).await;
            for (number, (outcome, body)) in outcomes.into_iter().zip(&bodies).enumerate() {
                let answer = outcome.unwrap();
                assert_eq!(answer.body, body[..], "seed {seed}");
                assert_eq!(answer.ext_fields.get("number"), Some(&*number.to_string()));
                assert_eq!(answer.serialize_type == SerializeType::RocketMq, number % 3 == 0);
            }
            assert_eq!(ground.service.connections.lock().unwrap().len(), 1, "one is shared");
        });
    }
}

#[test]
fn slices_of_a_body_arrive_as_one_body() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let answer = client.request(ADDRESS, request(SLICES, "100"), FOR_EVER).await.unwrap();
        assert_eq!(answer.body, vec![5; 100 * SLICE]);
    });
}

#[test]
fn the_server_asks_the_client_over_the_connection_it_was_asked_on() {
    for seed in 0..10 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _server = ground.server(ServerConfig::default()).await;
            let client = ground.client();
            // Both sides count opaques from the same number, so they overlap.
            let bodies: Vec<_> = (0..20).map(|number| format!("question {number}")).collect();
            let requests = bodies.iter().map(|body| request(BACK, body.clone())).collect();
            for (outcome, body) in ground.all_at_once(&client, requests).await.iter().zip(bodies) {
                assert_eq!(outcome.as_ref().unwrap().body, body);
            }
            assert_eq!(ground.service.connections.lock().unwrap().len(), 1);
        });
    }
}

#[test]
fn a_client_without_service_says_that_it_serves_nothing() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let handles = remoting::Handles::from(&ground.client_runtime());
        let client = remoting::Client::new(handles, None, remoting::ClientConfig::default());
        let answer = client.request(ADDRESS, request(BACK, "?"), FOR_EVER).await.unwrap();
        assert_eq!(answer.response_code(), ResponseCode::REQUEST_CODE_NOT_SUPPORTED);
        assert_eq!(answer.remark.as_deref(), Some(" request type 9001 not supported"));
    });
}

#[test]
fn an_answer_passed_on_goes_out_in_the_form_it_was_asked_for() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let mut asked = request(BACK, "?");
        asked.serialize_type = SerializeType::RocketMq;
        let answer = client.request(ADDRESS, asked, FOR_EVER).await.unwrap();
        // The client answered the server in JSON.
        assert_eq!(answer.serialize_type, SerializeType::RocketMq);
    });
}

#[test]
fn oneway_requests_arrive_and_are_not_answered() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let net = ground.client_runtime().net;
        let mut stream = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
        let mut bytes = BytesMut::new();
        for _ in 0..10 {
            request(ECHO, "oneway").into_oneway().encode(&mut bytes);
        }
        stream.write_all(&bytes).await.unwrap();
        ground.world.sleep(Duration::from_secs(5)).await;
        assert_eq!(ground.service.served.load(Ordering::Relaxed), 10);
        let mut last = BytesMut::new();
        request(ECHO, "last").encode(&mut last);
        stream.write_all(&last).await.unwrap();
        let mut back = BytesMut::new();
        let frame = loop {
            stream.read_buf(&mut back).await.unwrap();
            if let Some(frame) = next_frame(&mut back).unwrap() {
                break frame;
            }
        };
        assert_eq!(frame.body, "last");
        let client = ground.client();
        client.oneway(ADDRESS, request(ECHO, "pooled")).await.unwrap();
        ground.world.sleep(Duration::from_secs(5)).await;
        assert_eq!(ground.service.served.load(Ordering::Relaxed), 12);
    });
}

#[test]
fn a_deadline_passes_alone_and_the_late_answer_is_dropped() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let connection = client.connection(ADDRESS).await.unwrap();
        let begun = ground.world.elapsed();
        let timeout = Duration::from_secs(3);
        let outcome = connection.request(request(GATED, "late"), timeout).await;
        let error = outcome.unwrap_err();
        assert!(matches!(error, RemotingError::Timeout { .. }) && error.is_unknown(), "{error}");
        let waited = ground.world.elapsed() - begun;
        assert!(waited >= timeout && waited < timeout * 2, "{waited:?}");
        ground.service.gate.stop();
        let answer = connection.request(request(ECHO, "next"), FOR_EVER).await.unwrap();
        assert_eq!(answer.body, "next");
        ground.world.sleep(Duration::from_secs(1)).await;
        assert!(!connection.is_closed());
    });
}

#[test]
fn who_gives_up_waiting_leaves_nothing_behind() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let handles = remoting::Handles::from(&ground.client_runtime());
        let config = remoting::ClientConfig { pending_max: 3, ..Default::default() };
        let client = remoting::Client::new(handles, None, config);
        let connection = client.connection(ADDRESS).await.unwrap();
        let asking = |times: usize| {
            let (connection, clock) = (connection.clone(), ground.client_runtime().clock);
            async move {
                for _ in 0..times {
                    let asked = connection.request(request(NEVER, ""), FOR_EVER);
                    // Dropped while it waits.
                    assert!(clock.timeout(Duration::from_millis(1), asked).await.is_err());
                }
            }
        };
        asking(10).await;
        let held: Vec<_> = (0..3)
            .map(|_| {
                let connection = connection.clone();
                ground.client_runtime().tasks.spawn("hold", async move {
                    let _ = connection.request(request(NEVER, ""), FOR_EVER).await;
                })
            })
            .collect();
        ground.world.sleep(Duration::from_secs(1)).await;
        let error = connection.request(request(ECHO, ""), FOR_EVER).await.unwrap_err();
        assert!(matches!(error, RemotingError::TooManyRequests { awaited: 3, .. }), "{error}");
        assert!(!error.is_unknown());
        held.iter().for_each(|task| task.cancel());
        ground.world.sleep(Duration::from_secs(1)).await;
        connection.request(request(ECHO, ""), FOR_EVER).await.unwrap();
    });
}
