//! The promises of [`Net`] about how a connection ends.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::net::{PATIENCE, listen, pair};
use crate::{Clock, Net, Runtime};

pub(super) async fn suite(runtime: &Runtime) {
    a_half_closed_stream_still_hears(&runtime.net).await;
    a_dropped_stream_ends_its_peer(&runtime.net).await;
    writing_to_a_peer_that_is_gone_fails(&runtime.net, &runtime.clock).await;
    a_closed_listener_leaves_its_connections(&runtime.net).await;
}

async fn a_half_closed_stream_still_hears(net: &Net) {
    let (mut near, mut far) = pair(net).await;
    near.write_all(b"question").await.expect("write");
    near.shutdown().await.expect("shut down");
    let mut question = Vec::new();
    far.read_to_end(&mut question).await.expect("read the rest, then the end");
    assert_eq!(question, b"question");
    far.write_all(b"answer").await.expect("answer a half-closed peer");
    far.shutdown().await.expect("shut down");
    let mut answer = Vec::new();
    near.read_to_end(&mut answer).await.expect("hear the answer");
    assert_eq!(answer, b"answer");
    assert!(near.write_all(b"more").await.is_err(), "wrote after shutting down");
}

async fn a_dropped_stream_ends_its_peer(net: &Net) {
    let (mut near, far) = pair(net).await;
    drop(far);
    let mut buffer = [0; 16];
    match near.read(&mut buffer).await {
        Ok(count) => assert_eq!(count, 0, "a dropped peer sent something"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
}

async fn writing_to_a_peer_that_is_gone_fails(net: &Net, clock: &Clock) {
    let (mut near, far) = pair(net).await;
    drop(far);
    let mut tries = 0;
    // The first write may still be taken: only its answer says that nobody is there.
    let error = loop {
        match near.write_all(b"is anybody there?").await {
            Err(error) => break error,
            Ok(()) => clock.sleep(Duration::from_millis(10)).await,
        }
        tries += 1;
        assert!(tries < 1000, "a peer that is gone takes everything");
    };
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(kinds.contains(&error.kind()), "{error}");
}

async fn a_closed_listener_leaves_its_connections(net: &Net) {
    let listener = listen(net).await;
    let address = listener.local_addr().to_string();
    let (connected, accepted) = tokio::join!(net.connect(&address, PATIENCE), listener.accept());
    let (mut near, mut far) = (connected.expect("connect"), accepted.expect("accept"));
    drop(listener);
    near.write_all(b"still").await.expect("write");
    let mut heard = [0; 5];
    far.read_exact(&mut heard).await.expect("read");
    assert_eq!(&heard, b"still");
}
