//! Everything has a bound: requests, bytes, connections, silence.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::ground::{ADDRESS, ECHO, FOR_EVER, GATED, NEVER, SLICE, SLICES, ground, request};
use bytes::BytesMut;
use protocol::ResponseCode;
use protocol::frame::next_frame;
use remoting::{RemotingError, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn above_the_bound_of_a_connection_requests_are_answered_busy() {
    for seed in 0..10 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let config = ServerConfig { requests_in_flight_max: 8, ..ServerConfig::default() };
            let _server = ground.server(config).await;
            let client = ground.client();
            let gate = ground.service.gate.clone();
            let control = ground.world.control();
            ground.world.spawn_on(&ground.world.node("bystander"), async move {
                control.sleep(Duration::from_secs(30)).await;
                gate.stop();
            });
            let requests = (0..20).map(|_| request(GATED, "x")).collect();
            let outcomes = ground.all_at_once(&client, requests).await;
            let busy: Vec<_> = outcomes
                .iter()
                .map(|outcome| outcome.as_ref().unwrap())
                .filter(|answer| answer.response_code() == ResponseCode::SYSTEM_BUSY)
                .collect();
            assert_eq!(busy.len(), 12);
            for answer in busy {
                let remark = answer.remark.as_deref().unwrap();
                assert!(remark.starts_with("[OVERLOAD]8 requests of this connection"), "{remark}");
            }
            client.request(ADDRESS, request(ECHO, "after"), FOR_EVER).await.unwrap();
        });
    }
}

#[test]
fn above_the_bound_of_the_server_other_connections_are_answered_busy_too() {
    let ground = ground(1);
    ground.world.block_on(async {
        let config = ServerConfig { requests_in_flight_total_max: 2, ..ServerConfig::default() };
        let _server = ground.server(config).await;
        let (one, other) = (ground.client(), ground.client());
        one.connection(ADDRESS).await.unwrap();
        for _ in 0..2 {
            one.oneway(ADDRESS, request(GATED, "x")).await.unwrap();
        }
        ground.world.sleep(Duration::from_secs(1)).await;
        let answer = other.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        assert_eq!(answer.response_code(), ResponseCode::SYSTEM_BUSY);
        ground.service.gate.stop();
        ground.world.sleep(Duration::from_secs(1)).await;
        let answer = other.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        assert_eq!(answer.response_code(), ResponseCode::SUCCESS);
    });
}

#[test]
fn a_peer_that_does_not_read_is_not_read_from() {
    const BOUND: usize = 256 << 10;
    const IN_FLIGHT: usize = 16;
    let ground = ground(1);
    ground.world.block_on(async {
        let config = ServerConfig {
            outbound_bytes_max: BOUND,
            requests_in_flight_max: IN_FLIGHT,
            // Small reads, so that one of them does not bring too many requests.
            read_bytes_max: 4 << 10,
            ..ServerConfig::default()
        };
        let _server = ground.server(config).await;
        let mut stream =
            ground.client_runtime().net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
        const REQUESTS: usize = 4_000;
        let mut bytes = BytesMut::new();
        for _ in 0..REQUESTS {
            request(SLICES, "2").encode(&mut bytes);
        }
        // Both windows fill: this never ends as long as nobody reads.
        let writing = stream.write_all(&bytes);
        let clock = ground.client_runtime().clock;
        assert!(clock.timeout(Duration::from_secs(60), writing).await.is_err());
        let server_side = ground.service.connections.lock().unwrap()[0].clone();
        let queued = server_side.queued_bytes();
        // One round may start as many as are allowed in flight, above the bound.
        assert!(queued <= BOUND + 2 * IN_FLIGHT * 2 * SLICE + (64 << 10), "{queued} bytes wait");
        let served = ground.service.served.load(Ordering::Relaxed);
        assert!(served < REQUESTS / 2, "{served} requests were served");
        // Once it reads, all that was owed comes.
        let mut back = BytesMut::new();
        let mut whole = 0;
        while whole < served {
            stream.read_buf(&mut back).await.unwrap();
            while let Some(frame) = next_frame(&mut back).unwrap() {
                whole += 1;
                let busy = frame.decode().unwrap().response_code() == ResponseCode::SYSTEM_BUSY;
                assert!(busy || frame.body.len() == 2 * SLICE);
            }
        }
    });
}

#[test]
fn a_caller_is_told_when_too_much_waits_to_leave() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let handles = remoting::Handles::from(&ground.client_runtime());
        let config = remoting::ClientConfig { outbound_bytes_max: 1 << 20, ..Default::default() };
        let client = remoting::Client::new(handles, None, config);
        let connection = client.connection(ADDRESS).await.unwrap();
        ground.world.pause(&ground.server_node);
        let error = (0..1_000)
            .find_map(|_| connection.oneway(request(ECHO, vec![1; 100 << 10])).err())
            .expect("a megabyte is less than a hundred");
        assert!(matches!(error, RemotingError::TooManyRequests { .. }), "{error}");
        assert!(connection.queued_bytes() < 2 << 20);
        ground.world.resume(&ground.server_node);
        ground.world.sleep(Duration::from_secs(30)).await;
        connection.request(request(ECHO, "fine"), FOR_EVER).await.unwrap();
    });
}

#[test]
fn one_connection_too_many_is_closed_and_the_others_stay() {
    let ground = ground(1);
    ground.world.block_on(async {
        let config = ServerConfig { connections_max: 2, ..ServerConfig::default() };
        let server = ground.server(config).await;
        let clients = [ground.client(), ground.client()];
        for client in &clients {
            client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        }
        let third = ground.client();
        third.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap_err();
        for client in &clients {
            client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        }
        clients[0].shutdown().await;
        ground.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(server.connections(), 1);
        third.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
    });
}

#[test]
fn silence_closes_a_connection_and_traffic_keeps_it() {
    let ground = ground(1);
    ground.world.block_on(async {
        let server = ground.server(ServerConfig::default()).await;
        let net = ground.client_runtime().net;
        let _silent = net.connect(ADDRESS, Duration::from_secs(3)).await.unwrap();
        let client = ground.client();
        for _ in 0..20 {
            client.request(ADDRESS, request(ECHO, "alive"), FOR_EVER).await.unwrap();
            ground.world.sleep(Duration::from_secs(30)).await;
            let gone = ground.world.elapsed() > Duration::from_secs(125);
            assert!(!gone || server.connections() == 1);
        }
        assert_eq!(ground.service.connections.lock().unwrap().len(), 2);
        ground.world.sleep(Duration::from_secs(125)).await;
        assert_eq!(server.connections(), 0);
        assert_eq!(ground.service.closed.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_connection_that_waits_for_an_answer_ends_when_idle() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        let error = client.request(ADDRESS, request(NEVER, ""), FOR_EVER).await.unwrap_err();
        assert!(error.to_string().contains("idle"), "{error}");
    });
}
