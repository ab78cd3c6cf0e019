//! The promises of [`Net`] while both ends are there.

use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::disk::refused;
use crate::{Clock, Listener, Net, Runtime, Stream};

/// Long enough for anything here on a busy machine; nothing waits for it when all is well.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// After this long a write that is not done counts as held back.
const HELD_BACK: Duration = Duration::from_millis(200);
/// More than any kernel buffers for a peer that does not read.
const BUFFERED_MAX: usize = 256 << 20;

pub(super) async fn suite(runtime: &Runtime) {
    addresses_agree(&runtime.net).await;
    a_port_is_taken_once(&runtime.net).await;
    nobody_answers_at_a_dead_port(&runtime.net).await;
    accept_can_be_cancelled(&runtime.net, &runtime.clock).await;
    a_mebibyte_comes_back_as_it_went(runtime).await;
    vectored_parts_arrive_in_order(&runtime.net).await;
    a_peer_that_does_not_read_holds_the_writer_back(&runtime.net, &runtime.clock).await;
}

pub(super) async fn listen(net: &Net) -> Listener {
    net.listen("127.0.0.1:0").await.expect("listen on a free port")
}

/// Both ends of a new connection: who connected, who accepted.
pub(super) async fn pair(net: &Net) -> (Stream, Stream) {
    let listener = listen(net).await;
    let address = listener.local_addr().to_string();
    let (connected, accepted) = tokio::join!(net.connect(&address, PATIENCE), listener.accept());
    (connected.expect("connect"), accepted.expect("accept"))
}

async fn addresses_agree(net: &Net) {
    let listener = listen(net).await;
    let address = listener.local_addr();
    assert_ne!(address.port(), 0, "a listener without a port");
    let connect = async { net.connect(&address.to_string(), PATIENCE).await };
    let (connected, accepted) = tokio::join!(connect, listener.accept());
    let (connected, accepted) = (connected.expect("connect"), accepted.expect("accept"));
    assert_eq!(connected.peer_addr(), address);
    assert_eq!(accepted.local_addr(), address);
    assert_eq!(accepted.peer_addr(), connected.local_addr());
}

async fn a_port_is_taken_once(net: &Net) {
    let listener = listen(net).await;
    let address = listener.local_addr().to_string();
    let second = net.listen(&address).await.map(|_| "a second listener").unwrap_err();
    assert_eq!(second.kind(), ErrorKind::AddrInUse);
    assert!(second.to_string().contains(&address), "does not name {address}: {second}");
    drop(listener);
    drop(net.listen(&address).await.expect("listen where nobody does any more"));
    let nonsense = net.listen("no port").await.map(|_| "a listener");
    refused(nonsense, "listen on nonsense");
}

async fn nobody_answers_at_a_dead_port(net: &Net) {
    let listener = listen(net).await;
    let address = listener.local_addr().to_string();
    drop(listener);
    let error = net.connect(&address, PATIENCE).await.map(|_| "a stream").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&address), "does not name {address}: {error}");
}

async fn accept_can_be_cancelled(net: &Net, clock: &Clock) {
    let listener = listen(net).await;
    let cancelled = clock.timeout(Duration::from_millis(5), listener.accept()).await;
    assert!(cancelled.is_err(), "somebody connected");
    let address = listener.local_addr().to_string();
    let (connected, accepted) = tokio::join!(net.connect(&address, PATIENCE), listener.accept());
    connected.expect("connect");
    accepted.expect("accept after a cancelled accept");
}

async fn a_mebibyte_comes_back_as_it_went(runtime: &Runtime) {
    let (near, far) = pair(&runtime.net).await;
    let echo = runtime.tasks.spawn("suite-echo", async move {
        let (mut from, mut to) = tokio::io::split(far);
        tokio::io::copy(&mut from, &mut to).await.expect("echo");
        to.shutdown().await.expect("shut down");
    });
    let mut sent = vec![0; 1 << 20];
    runtime.rng.stream("echo").fill(&mut sent);
    let (mut from, mut to) = tokio::io::split(near);
    let write = async {
        to.write_all(&sent).await.expect("write");
        to.flush().await.expect("flush");
        to.shutdown().await.expect("shut down");
    };
    let mut received = Vec::new();
    let (read, ()) = tokio::join!(from.read_to_end(&mut received), write);
    read.expect("read to the end");
    assert!(received == sent, "the echo differs: {} of {} bytes", received.len(), sent.len());
    echo.join().await;
}

async fn vectored_parts_arrive_in_order(net: &Net) {
    let (mut near, mut far) = pair(net).await;
    let (head, body, tail) = (vec![1; 7], vec![2; 100_000], vec![3; 5]);
    let all = [head.clone(), body.clone(), tail.clone()].concat();
    let write = async {
        let mut parts = [IoSlice::new(&head), IoSlice::new(&body), IoSlice::new(&tail)];
        let mut left = &mut parts[..];
        while !left.is_empty() {
            let count = near.write_vectored(left).await.expect("write");
            assert!(count > 0, "a write of nothing");
            IoSlice::advance_slices(&mut left, count);
        }
        near.flush().await.expect("flush");
    };
    let mut received = vec![0; all.len()];
    let (read, ()) = tokio::join!(far.read_exact(&mut received), write);
    read.expect("read");
    assert!(received == all, "the parts arrived otherwise than they left");
}

async fn a_peer_that_does_not_read_holds_the_writer_back(net: &Net, clock: &Clock) {
    let (mut near, mut far) = pair(net).await;
    let chunk = vec![7; 64 * 1024];
    let mut written = 0;
    while let Ok(count) = clock.timeout(HELD_BACK, near.write(&chunk)).await {
        written += count.expect("write");
        assert!(written < BUFFERED_MAX, "{written} bytes went to a peer that reads none");
    }
    assert!(written > 0, "nothing was taken at all");
    // What was taken arrives, and the writer goes on when there is room again.
    let finish = async {
        near.write_all(b"the end").await.expect("write when there is room");
        near.shutdown().await.expect("shut down");
    };
    let (count, ()) = tokio::join!(count_to_the_end(&mut far), finish);
    assert_eq!(count.expect("read"), written + 7, "bytes were lost or doubled");
}

async fn count_to_the_end(stream: &mut Stream) -> io::Result<usize> {
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(total),
            count => total += count,
        }
    }
}
