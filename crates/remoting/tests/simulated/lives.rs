//! How servers and pools begin, go on and end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::ground::{ADDRESS, ECHO, FOR_EVER, GATED, NEVER, ground, request};
use remoting::{Handles, RemotingError, Server, ServerConfig};
use runtime::{Boxed, Listener, ListenerBackend, Net, NetBackend, Stream};
use sim::fault;

#[test]
fn shutdown_answers_what_is_in_flight_and_refuses_what_comes() {
    for seed in 0..10 {
        let ground = ground(seed);
        ground.world.block_on(async {
            let server = Arc::new(ground.server(ServerConfig::default()).await);
            let client = ground.client();
            let connection = client.connection(ADDRESS).await.unwrap();
            let (sender, answered) = tokio::sync::oneshot::channel();
            ground.client_runtime().tasks.detach("ask", async move {
                let _ = sender.send(connection.request(request(GATED, "x"), FOR_EVER).await);
            });
            ground.world.sleep(Duration::from_secs(2)).await;
            let stopping = server.clone();
            let tasks = ground.server_runtime().tasks;
            let stopped = tasks.spawn("stop", async move { stopping.shutdown().await });
            ground.world.sleep(Duration::from_secs(1)).await;
            assert!(!stopped.is_done());
            ground.service.gate.stop();
            stopped.join().await;
            assert_eq!(server.connections(), 0);
            assert_eq!(answered.await.unwrap().unwrap().body, "x", "seed {seed}");
            let late = ground.client();
            let error = late.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap_err();
            assert!(matches!(error, RemotingError::Connect { .. }), "{error}");
        });
    }
}

#[test]
fn shutdown_ends_though_a_request_never_does() {
    let ground = ground(1);
    ground.world.block_on(async {
        let server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        client.oneway(ADDRESS, request(NEVER, "")).await.unwrap();
        ground.world.sleep(Duration::from_secs(1)).await;
        let begun = ground.world.elapsed();
        server.shutdown().await;
        let took = ground.world.elapsed() - begun;
        assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(4), "{took:?}");
        assert_eq!(ground.service.closed.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn shutdown_goes_on_as_soon_as_the_last_request_ends_though_nobody_awaits_it() {
    let ground = ground(1);
    ground.world.block_on(async {
        let server = Arc::new(ground.server(ServerConfig::default()).await);
        let client = ground.client();
        client.oneway(ADDRESS, request(GATED, "")).await.unwrap();
        ground.world.sleep(Duration::from_secs(1)).await;
        let stopping = server.clone();
        let tasks = ground.server_runtime().tasks;
        let stopped = tasks.spawn("stop", async move { stopping.shutdown().await });
        ground.world.sleep(Duration::from_secs(1)).await;
        let begun = ground.world.elapsed();
        ground.service.gate.stop();
        stopped.join().await;
        let took = ground.world.elapsed() - begun;
        assert!(took < Duration::from_secs(1), "{took:?} after the request had ended");
    });
}

#[test]
fn all_who_want_an_address_share_one_attempt_and_its_outcome() {
    let ground = ground(1);
    ground.world.block_on(async {
        let client = ground.client();
        let requests = |count: usize| (0..count).map(|_| request(ECHO, "x")).collect();
        fault::partition::both_ways(&ground.world, &ground.client_node, &ground.server_node);
        let begun = ground.world.elapsed();
        let outcomes = ground.all_at_once(&client, requests(20)).await;
        assert!(
            outcomes
                .iter()
                .all(|outcome| { matches!(outcome, Err(RemotingError::Connect { .. })) })
        );
        let took = ground.world.elapsed() - begun;
        assert!(took < Duration::from_secs(4), "twenty attempts, one after the other? {took:?}");
        fault::partition::heal_all(&ground.world);
        let server = ground.server(ServerConfig::default()).await;
        let outcomes = ground.all_at_once(&client, requests(20)).await;
        assert!(outcomes.iter().all(Result::is_ok));
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn who_gives_up_connecting_does_not_fail_the_others() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let slow = Duration::from_millis(500);
        fault::clog::both_ways(&ground.world, &ground.client_node, &ground.server_node, slow);
        let client = ground.client();
        let clock = ground.client_runtime().clock;
        let impatient = clock.timeout(Duration::from_millis(1), client.connection(ADDRESS));
        assert!(impatient.await.is_err());
        client.connection(ADDRESS).await.unwrap();
        ground.world.sleep(Duration::from_secs(2)).await;
        assert_eq!(ground.service.connections.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_restarted_server_is_reached_by_a_new_connection() {
    let ground = ground(1);
    ground.world.block_on(async {
        let _server = ground.server(ServerConfig::default()).await;
        let client = ground.client();
        client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        ground.world.restart(&ground.server_node);
        let _server = ground.server(ServerConfig::default()).await;
        ground.world.sleep(Duration::from_secs(1)).await;
        client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        assert_eq!(client.connections().len(), 1);
    });
}

#[test]
fn a_client_that_is_dropped_or_shut_down_leaves_no_connection() {
    let ground = ground(1);
    ground.world.block_on(async {
        let server = ground.server(ServerConfig::default()).await;
        let (dropped, shut) = (ground.client(), ground.client());
        for client in [&dropped, &shut] {
            client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        }
        assert_eq!(server.connections(), 2);
        drop(dropped);
        shut.shutdown().await;
        ground.world.sleep(Duration::from_secs(1)).await;
        assert_eq!(server.connections(), 0);
        let error = shut.connection(ADDRESS).await.unwrap_err();
        assert!(error.to_string().contains("shut down"), "{error}");
    });
}

/// A net whose listeners fail two accepts of three, as with too many open files.
struct Exhausted(Net);
struct ExhaustedListener(Listener, AtomicUsize);

impl NetBackend for Exhausted {
    fn listen<'a>(&'a self, address: &'a str) -> Boxed<'a, io::Result<Listener>> {
        Box::pin(async move {
            let listener = self.0.listen(address).await?;
            Ok(Listener::new(ExhaustedListener(listener, AtomicUsize::new(0))))
        })
    }

    fn connect<'a>(&'a self, address: &'a str, timeout: Duration) -> Boxed<'a, io::Result<Stream>> {
        Box::pin(self.0.connect(address, timeout))
    }
}

impl ListenerBackend for ExhaustedListener {
    fn accept(&self) -> Boxed<'_, io::Result<Stream>> {
        Box::pin(async {
            if self.1.fetch_add(1, Ordering::Relaxed) % 3 != 2 {
                return Err(io::Error::other("too many open files"));
            }
            self.0.accept().await
        })
    }

    fn local_addr(&self) -> SocketAddr {
        self.0.local_addr()
    }
}

#[test]
fn failing_accepts_do_not_end_the_accepting() {
    let ground = ground(1);
    ground.world.block_on(async {
        let runtime = ground.server_runtime();
        let handles =
            Handles { net: Net::new(Exhausted(runtime.net.clone())), ..(&runtime).into() };
        let service = ground.service.clone();
        let config = ServerConfig::default();
        let server = Server::start(handles, "0.0.0.0:10911", service, config).await.unwrap();
        for _ in 0..5 {
            let client = ground.client();
            client.request(ADDRESS, request(ECHO, "x"), FOR_EVER).await.unwrap();
        }
        server.shutdown().await;
    });
}
