//! What goes wrong between nodes, class by class.

use std::time::Duration;

use runtime::{Listener, Stream};
use sim::{Control, Latency, Node, World, fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Two nodes and a connection from the first to the second.
async fn connected(world: &Control) -> (Node, Node, Stream, Stream) {
    let (one, two) = (world.node("one"), world.node("two"));
    let (doors, there) = (world.runtime(&one), world.runtime(&two));
    let listener: Listener = there.net.listen("0.0.0.0:80").await.unwrap();
    let sent = doors.net.connect("two:80", Duration::from_secs(30)).await.unwrap();
    let received = listener.accept().await.unwrap();
    std::mem::forget(listener);
    (one, two, sent, received)
}

/// Sends so many bytes from one end to the other and says how long it took until all were there.
async fn carry(world: &Control, from: &mut Stream, to: &mut Stream, count: usize) -> Duration {
    let start = world.elapsed();
    let bytes = vec![7; count];
    let mut read = vec![0; count];
    let (sent, got) = tokio::join!(from.write_all(&bytes), to.read_exact(&mut read));
    sent.unwrap();
    got.unwrap();
    assert_eq!(bytes, read);
    world.elapsed() - start
}

#[test]
fn each_slowness_is_seen_and_ends_when_it_is_undone() {
    type Turn = fn(&Control, &Node, &Node, bool);
    let turns: [(&str, Turn); 4] = [
        ("latency", |world, one, two, on| {
            let (least, most) = (Duration::from_millis(800), Duration::from_secs(9));
            let tail = on.then_some(Latency::between(least, most));
            fault::latency::one_way(world, one, two, tail);
        }),
        ("loss", |world, one, two, on| {
            fault::loss::one_way(world, one, two, on.then_some(1));
        }),
        ("bandwidth", |world, one, two, on| {
            fault::bandwidth::one_way(world, one, two, on.then_some(10_000));
        }),
        ("slow reader", |world, _, two, on| {
            if on {
                fault::slow_reader::slow(world, two, 100, Duration::from_millis(10));
            } else {
                fault::slow_reader::usual(world, two);
            }
        }),
    ];
    for (name, turn) in turns {
        let world = World::new(11);
        world.block_on(async {
            let (one, two, mut from, mut to) = connected(&world).await;
            turn(&world, &one, &two, true);
            let slow = carry(&world, &mut from, &mut to, 10_000).await;
            assert!(slow >= Duration::from_millis(180), "{name}: {slow:?}");
            turn(&world, &one, &two, false);
            world.sleep(Duration::from_secs(30)).await;
            let usual = carry(&world, &mut from, &mut to, 1_000).await;
            assert!(usual < Duration::from_millis(700), "{name}: {usual:?}");
        });
    }
}

#[test]
fn split_bytes_arrive_whole_and_in_order() {
    let world = World::new(12);
    world.block_on(async {
        let (one, two, mut from, mut to) = connected(&world).await;
        fault::split::one_way(&world, &one, &two, Some(1));
        fault::slow_reader::slow(&world, &two, 3, Duration::from_micros(1));
        carry(&world, &mut from, &mut to, 2_000).await;
    });
}

#[test]
fn a_half_open_connection_is_silent_for_ever_and_a_new_one_is_not() {
    let world = World::new(13);
    world.block_on(async {
        let (one, two, mut from, mut to) = connected(&world).await;
        assert_eq!(fault::half_open::between(&world, &one, &two), 1);
        from.write_all(b"hello?").await.expect("the kernel takes it");
        let read = async {
            let mut byte = [0];
            to.read(&mut byte).await
        };
        tokio::select! {
            biased;
            read = read => panic!("nothing may arrive: {read:?}"),
            () = world.sleep(Duration::from_secs(600)) => {}
        }
        // A cut that heals does not bring it back either.
        fault::partition::both_ways(&world, &one, &two);
        fault::partition::heal(&world, &one, &two);
        world.sleep(Duration::from_secs(400)).await;
        let error = from.write_all(b"x").await.expect_err("who sent has given up");
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        let doors = world.runtime(&one);
        doors.net.connect("two:80", Duration::from_secs(30)).await.expect("a new one is fine");
    });
}
