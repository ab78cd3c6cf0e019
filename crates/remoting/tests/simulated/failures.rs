//! What breaks a connection, and that nobody waits for it in vain.

use std::time::Duration;

use crate::ground::{ADDRESS, ECHO, FOR_EVER, Ground, NEVER, SLICES, ground, request};
use bytes::BytesMut;
use remoting::{RemotingError, ServerConfig};
use sim::fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Fifty requests that nobody answers, and what strikes while they wait; how long it took until
/// all of them had failed.
async fn struck(ground: &Ground, strike: impl Future<Output = ()> + Send + 'static) -> Duration {
    let client = ground.client();
    let control = ground.world.control();
    ground.world.spawn_on(&ground.world.node("bystander"), async move {
        control.sleep(Duration::from_secs(5)).await;
        strike.await;
    });
    let requests = (0..50).map(|_| request(NEVER, "?")).collect();
    let outcomes = ground.all_at_once(&client, requests).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        let closed = matches!(error, RemotingError::Closed { sent: true, .. });
        assert!(closed && error.is_unknown(), "{error}");
    }
    ground.world.elapsed()
}

#[test]
fn a_reset_fails_every_pending_request_and_the_next_gets_a_new_connection() {
    for seed in 0..20 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _server = ground.server(ServerConfig::default()).await;
            let control = ground.world.control();
            let (one, other) = (ground.client_node.clone(), ground.server_node.clone());
            let took = struck(&ground, async move {
                fault::reset::between(&control, &one, &other);
            });
            assert!(took.await < Duration::from_secs(60));
            let client = ground.client();
            client.request(ADDRESS, request(ECHO, "again"), FOR_EVER).await.unwrap();
        });
    }
}

#[test]
fn the_death_of_the_server_process_fails_every_pending_request() {
    for seed in 0..20 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let _server = ground.server(ServerConfig::default()).await;
            let (control, server) = (ground.world.control(), ground.server_node.clone());
            let took = struck(&ground, async move { control.kill(&server) });
            assert!(took.await < Duration::from_secs(60));
        });
    }
}

#[test]
fn a_peer_that_lost_power_is_noticed_by_the_idle_limit_at_the_latest() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let (control, server) = (ground.world.control(), ground.server_node.clone());
        let took = struck(&ground, async move { control.power_fail(&server) });
        assert!(took.await < Duration::from_secs(130));
    });
}

#[test]
fn a_silent_peer_costs_one_timeout_and_not_one_per_request() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        client.request(ADDRESS, request(ECHO, "hello"), FOR_EVER).await.unwrap();
        ground.world.power_fail(&ground.server_node);
        let timeout = Duration::from_secs(3);
        let error = client.request(ADDRESS, request(ECHO, "?"), timeout).await.unwrap_err();
        assert!(error.is_unknown(), "{error}");
        let error = client.request(ADDRESS, request(ECHO, "?"), timeout).await.unwrap_err();
        // The half-open connection was given up, so this one certainly did not arrive.
        assert!(matches!(error, RemotingError::Connect { .. }), "{error}");
        assert!(!error.is_unknown());
    });
}

#[test]
fn nobody_listening_is_an_error_that_says_where() {
    let ground = ground(1);
    ground.world.block_on(async {
        let client = ground.client();
        let error = client.request(ADDRESS, request(ECHO, "?"), FOR_EVER).await.unwrap_err();
        assert!(error.to_string().contains(ADDRESS), "{error}");
        assert!(!error.is_unknown());
    });
}

/// Sends raw bytes; what comes back until the server closes the connection.
async fn spoken(ground: &Ground, bytes: &[u8]) -> Vec<u8> {
    let net = ground.client_runtime().net;
    let mut stream = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut back = Vec::new();
    // A reset is as good as an end.
    let _ = stream.read_to_end(&mut back).await;
    back
}

#[test]
fn garbage_closes_the_connection_and_only_that() {
    let mut unknown_type = BytesMut::new();
    request(ECHO, "x").encode(&mut unknown_type);
    unknown_type[4] = 9;
    let mut broken_header = BytesMut::new();
    request(ECHO, "x").encode(&mut broken_header);
    broken_header[8] = b'?';
    let cases: [&[u8]; 6] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc],
        &[0; 16],
        // A frame of 16 MiB and one byte is announced.
        &[1, 0, 0, 0xfd, 0, 0, 0, 10, 0],
        &unknown_type,
        &broken_header,
    ];
    let ground = ground(1);
    ground.world.block_on(async {
        let server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let connection = client.connection(ADDRESS).await.unwrap();
        for bytes in cases {
            let begun = ground.world.elapsed();
            assert_eq!(spoken(&ground, bytes).await, b"", "{bytes:?}");
            let took = ground.world.elapsed() - begun;
            assert!(took < Duration::from_secs(60), "closed at once, not when idle: {took:?}");
        }
        connection.request(request(ECHO, "still"), FOR_EVER).await.unwrap();
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn what_came_whole_before_the_garbage_is_served() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let mut bytes = BytesMut::new();
        request(ECHO, "x").into_oneway().encode(&mut bytes);
        bytes.extend_from_slice(&[0xff; 8]);
        spoken(&ground, &bytes).await;
        ground.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(ground.service.served.load(std::sync::atomic::Ordering::Relaxed), 1);
    });
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let net = ground.client_runtime().net;
        let mut stream = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
        let mut bytes = BytesMut::new();
        let mut stray = request(ECHO, "stray");
        stray.flag = 1;
        stray.encode(&mut bytes);
        request(ECHO, "real").encode(&mut bytes);
        stream.write_all(&bytes).await.unwrap();
        let mut back = BytesMut::new();
        let frame = loop {
            stream.read_buf(&mut back).await.unwrap();
            if let Some(frame) = protocol::frame::next_frame(&mut back).unwrap() {
                break frame;
            }
        };
        assert_eq!(frame.body, "real");
    });
}

#[test]
fn a_command_that_fits_no_frame_is_refused_before_it_leaves() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let large = request(ECHO, vec![0; 16 << 20]);
        let error = client.request(ADDRESS, large, FOR_EVER).await.unwrap_err();
        assert!(matches!(error, RemotingError::Protocol { .. }) && !error.is_unknown(), "{error}");
        // An answer of that size becomes an error that says so.
        let answer = client.request(ADDRESS, request(SLICES, "1024"), FOR_EVER).await;
        let answer = answer.unwrap();
        assert_eq!(answer.code, 1);
        assert!(answer.remark.unwrap().contains("exceeds the limit"));
        client.request(ADDRESS, request(ECHO, "fine"), FOR_EVER).await.unwrap();
    });
}
