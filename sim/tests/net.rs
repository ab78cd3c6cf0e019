//! What a network delivers, holds up and breaks.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::Stream;
use sim::{Aspect, Node, World, fault};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(3);

/// A client's and a server's end of one connection.
async fn pair(world: &World, client: &Node, server: &Node) -> (Stream, Stream) {
    let listener = world.runtime(server).net.listen("0.0.0.0:0").await.unwrap();
    let address = format!("{}:{}", server.name(), listener.local_addr().port());
    let net = world.runtime(client).net;
    let connected = net.connect(&address, PATIENCE).await.unwrap();
    (connected, listener.accept().await.unwrap())
}

fn two(seed: u64) -> (World, Node, Node) {
    let world = World::new(seed);
    let (client, server) = (world.node("client"), world.node("server"));
    (world, client, server)
}

/// A read of one byte within the time: its outcome, or `None` while nothing happens.
async fn read_within(
    world: &World,
    stream: &mut Stream,
    patience: Duration,
) -> Option<std::io::Result<usize>> {
    let clock = world.runtime(&world.node("observer")).clock;
    clock.timeout(patience, stream.read(&mut [0; 1])).await.ok()
}

#[test]
fn bytes_arrive_in_order_however_they_are_cut() {
    let mut cuts = BTreeSet::new();
    for seed in 0..40 {
        let (world, client, server) = two(seed);
        let sent: Vec<u8> = (0..200_000u32).map(|number| ((number * 7) >> 3) as u8).collect();
        let (received, reads) = world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            let bytes = sent.clone();
            world.spawn_on(&client, async move {
                connected.write_all(&bytes).await.unwrap();
                connected.shutdown().await.unwrap();
            });
            let (mut received, mut reads) = (Vec::new(), Vec::new());
            loop {
                let mut buffer = vec![0; 70_000];
                let count = accepted.read(&mut buffer).await.unwrap();
                if count == 0 {
                    return (received, reads);
                }
                received.extend_from_slice(&buffer[..count]);
                reads.push(count);
            }
        });
        assert_eq!(received, sent, "seed {seed}");
        cuts.insert(reads);
    }
    assert!(cuts.len() > 20, "only {} ways to cut it", cuts.len());
}

#[test]
fn the_same_seed_has_the_same_history() {
    let run = |seed| {
        let (world, client, server) = two(seed);
        world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            for round in 0..50u8 {
                connected.write_all(&[round; 100]).await.unwrap();
                accepted.read_exact(&mut [0; 100]).await.unwrap();
            }
        });
        (world.trace().hash(), world.trace().events(), world.elapsed())
    };
    let hashes: BTreeSet<_> = (0..30)
        .map(|seed| {
            let first = run(seed);
            assert_eq!(first, run(seed), "seed {seed}");
            first.0
        })
        .collect();
    assert_eq!(hashes.len(), 30);
}

#[test]
fn a_trace_sink_sees_every_byte_and_every_note_and_changes_nothing() {
    let run = |watched: bool| {
        let (world, client, server) = two(9);
        let (lines, bytes) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (into, heard) = (lines.clone(), bytes.clone());
        if watched {
            world.trace().watch(move |event| {
                into.lock().unwrap().push(event.to_string());
                if let (Aspect::Passage(passage), "send") = (event.aspect, event.what) {
                    assert_eq!((passage.end, passage.peer.name()), (0, "server"));
                    heard.lock().unwrap().extend_from_slice(passage.bytes);
                }
            });
        }
        world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            connected.write_all(b"hello").await.unwrap();
            world.note("client", "said", [1, 2], format_args!("a word"));
            accepted.read_exact(&mut [0; 5]).await.unwrap();
        });
        let (lines, bytes) = (lines.lock().unwrap().clone(), bytes.lock().unwrap().clone());
        (world.trace().hash(), world.trace().events(), lines, bytes)
    };
    let (quiet, events, ..) = run(false);
    let (watched, again, lines, bytes) = run(true);
    assert_eq!((quiet, events), (watched, again));
    assert_eq!(bytes, b"hello");
    assert!(lines.iter().any(|line| line.contains("client") && line.contains("send")), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with("said 1 2 a word")), "{lines:?}");
}

#[test]
fn a_reader_that_does_not_read_stops_the_writer() {
    let (world, client, server) = two(1);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        let written = Arc::new(Mutex::new(0));
        let count = written.clone();
        world.spawn_on(&client, async move {
            loop {
                let wrote = connected.write(&[1; 1000]).await.unwrap();
                *count.lock().unwrap() += wrote;
            }
        });
        world.sleep(SECOND).await;
        assert_eq!(*written.lock().unwrap(), 64 << 10, "a full window");
        accepted.read_exact(&mut [0; 1000]).await.unwrap();
        world.sleep(SECOND).await;
        assert_eq!(*written.lock().unwrap(), (64 << 10) + 1000, "room for what was read");
    });
}

#[test]
fn a_half_closed_stream_still_carries_the_answer() {
    let (world, client, server) = two(2);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        connected.write_all(b"question").await.unwrap();
        connected.shutdown().await.unwrap();
        let mut question = Vec::new();
        accepted.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        accepted.write_all(b"answer").await.unwrap();
        drop(accepted);
        let mut answer = Vec::new();
        connected.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"answer");
        let refused = connected.write(b"more").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn who_writes_to_a_closed_end_is_reset() {
    let (world, client, server) = two(2);
    world.block_on(async {
        let (mut connected, accepted) = pair(&world, &client, &server).await;
        drop(accepted);
        assert_eq!(connected.read(&mut [0; 1]).await.unwrap(), 0, "the end first");
        connected.write_all(b"into the void").await.expect("the kernel takes it");
        world.sleep(SECOND).await;
        let reset = connected.write(b"again").await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn who_closes_with_bytes_unread_resets_the_other() {
    let (world, client, server) = two(2);
    world.block_on(async {
        let (mut connected, accepted) = pair(&world, &client, &server).await;
        connected.write_all(b"never read").await.unwrap();
        world.sleep(SECOND).await;
        drop(accepted);
        let reset = connected.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_reset_hits_both_ends_although_nobody_died() {
    let (world, client, server) = two(3);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        let control = world.control();
        let (one, other) = (client.clone(), server.clone());
        world.spawn_on(&world.node("nemesis"), async move {
            control.sleep(SECOND).await;
            assert_eq!(fault::reset::between(&control, &one, &other), 1);
        });
        let woken = accepted.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(woken.kind(), ErrorKind::ConnectionReset);
        assert_eq!(connected.write(b"x").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_one_way_cut_holds_one_direction_up_and_not_the_other() {
    for seed in 0..20 {
        let (world, client, server) = two(seed);
        world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            fault::partition::one_way(&world, &client, &server);
            connected.write_all(b"q").await.unwrap();
            accepted.write_all(b"a").await.unwrap();
            let answer = read_within(&world, &mut connected, 10 * SECOND).await;
            assert_eq!(answer.expect("the open direction").unwrap(), 1);
            assert!(read_within(&world, &mut accepted, 60 * SECOND).await.is_none());
            fault::partition::heal_all(&world);
            let late = read_within(&world, &mut accepted, 10 * SECOND).await;
            assert_eq!(late.expect("what was held up arrives").unwrap(), 1);
        });
    }
}

#[test]
fn acknowledgements_that_are_cut_stop_the_writer_at_its_window() {
    let (world, client, server) = two(4);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        fault::partition::one_way(&world, &server, &client);
        let writer = world.control();
        let written = Arc::new(Mutex::new(0));
        let count = written.clone();
        writer.spawn_on(&client, async move {
            while let Ok(wrote) = connected.write(&[1; 1000]).await {
                *count.lock().unwrap() += wrote;
            }
        });
        let window = 64 << 10;
        accepted.read_exact(&mut vec![0; window]).await.expect("the way there is open");
        world.sleep(SECOND).await;
        assert_eq!(*written.lock().unwrap(), window, "all read, nothing acknowledged");
        fault::partition::heal_all(&world);
        world.sleep(SECOND).await;
        assert_eq!(*written.lock().unwrap(), 2 * window);
    });
}

#[test]
fn a_connection_gives_up_when_nothing_is_acknowledged_for_a_quarter_of_an_hour() {
    let (world, client, server) = two(5);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        fault::partition::both_ways(&world, &client, &server);
        connected.write_all(b"lost").await.unwrap();
        let start = world.elapsed();
        let error = connected.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!((world.elapsed() - start).as_secs(), 924);
        let idle = read_within(&world, &mut accepted, 3600 * SECOND).await;
        assert!(idle.is_none(), "who sent nothing misses nothing: {idle:?}");
    });
}

#[test]
fn connecting_over_a_cut_way_times_out_and_a_heal_lets_it_through() {
    let (world, client, server) = two(6);
    world.block_on(async {
        let listener = world.runtime(&server).net.listen("server:9876").await.unwrap();
        let net = world.runtime(&client).net;
        fault::partition::one_way(&world, &server, &client);
        let start = world.elapsed();
        let error = net.connect("server:9876", PATIENCE).await.err().expect("no answer");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(world.elapsed() - start >= PATIENCE);
        let control = world.control();
        world.spawn_on(&world.node("nemesis"), async move {
            control.sleep(5 * SECOND).await;
            fault::partition::heal_all(&control);
        });
        net.connect("10.0.0.2:9876", 60 * SECOND).await.expect("the way is open again");
        assert_eq!(listener.accept().await.unwrap().local_addr().to_string(), "10.0.0.2:9876");
    });
}

#[test]
fn nobody_listens_and_nobody_is_there() {
    let (world, client, server) = two(7);
    world.block_on(async {
        let net = world.runtime(&client).net;
        let kind = |result: std::io::Result<Stream>| result.err().map(|error| error.kind());
        let refused = net.connect("server:1", PATIENCE).await;
        assert_eq!(kind(refused), Some(ErrorKind::ConnectionRefused));
        let unknown = net.connect("nowhere:1", PATIENCE).await;
        assert_eq!(kind(unknown), Some(ErrorKind::NotFound));
        let silence = net.connect("10.9.9.9:1", PATIENCE).await;
        assert_eq!(kind(silence), Some(ErrorKind::TimedOut));
        let _listener = world.runtime(&server).net.listen("server:1").await.unwrap();
        fault::refuse::connections(&world, &client, &server, 1.0);
        let refused = net.connect("server:1", PATIENCE).await;
        assert_eq!(kind(refused), Some(ErrorKind::ConnectionRefused));
        let taken = world.runtime(&server).net.listen("0.0.0.0:1").await.err().expect("taken");
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
        let foreign = world.runtime(&client).net.listen("10.0.0.2:5").await.err().expect("foreign");
        assert_eq!(foreign.kind(), ErrorKind::AddrNotAvailable);
        world.kill(&server);
        let refused = net.connect("server:1", PATIENCE).await;
        assert_eq!(kind(refused), Some(ErrorKind::ConnectionRefused), "a kernel without process");
        world.power_fail(&server);
        let silence = net.connect("server:1", PATIENCE).await;
        assert_eq!(kind(silence), Some(ErrorKind::TimedOut), "no kernel");
    });
}

#[test]
fn a_killed_process_ends_its_connections_at_once() {
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let (world, client, server) = two(seed);
        world.block_on(async {
            let (mut connected, accepted) = pair(&world, &client, &server).await;
            world.spawn_on(&server, async move {
                let _held = accepted;
                std::future::pending::<()>().await;
            });
            world.sleep(SECOND).await;
            world.kill(&server);
            let end = read_within(&world, &mut connected, 10 * SECOND).await.expect("it hears");
            seen.insert(end.map_err(|error| error.kind()).ok());
            let _ = connected.write(b"x").await;
            world.sleep(SECOND).await;
            let error = connected.write(b"x").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "seed {seed}");
        });
    }
    assert_eq!(seen, BTreeSet::from([None, Some(0)]), "both a reset and an end in good order");
}

#[test]
fn a_dark_peer_is_silent_until_it_is_back_and_resets() {
    let (world, client, server) = two(8);
    world.block_on(async {
        let (mut idle, one) = pair(&world, &client, &server).await;
        let (mut busy, other) = pair(&world, &client, &server).await;
        world.spawn_on(&server, async move {
            let _held = (one, other);
            std::future::pending::<()>().await;
        });
        world.sleep(SECOND).await;
        world.power_fail(&server);
        busy.write_all(b"hello?").await.expect("the window has room");
        assert!(read_within(&world, &mut busy, 600 * SECOND).await.is_none(), "half-open");
        assert!(read_within(&world, &mut idle, 10 * SECOND).await.is_none(), "half-open");
        world.restart(&server);
        let busy = read_within(&world, &mut busy, 10 * SECOND).await.expect("it answers");
        assert_eq!(busy.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert!(read_within(&world, &mut idle, 10 * SECOND).await.is_none(), "nobody asked");
        idle.write_all(b"hello?").await.unwrap();
        let idle = read_within(&world, &mut idle, 10 * SECOND).await.expect("it answers");
        assert_eq!(idle.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn an_idle_connection_to_a_lost_peer_ends_by_keepalive() {
    let (world, client, server) = two(8);
    world.block_on(async {
        let (mut idle, accepted) = pair(&world, &client, &server).await;
        world.spawn_on(&server, async move {
            let _held = accepted;
            std::future::pending::<()>().await;
        });
        world.sleep(SECOND).await;
        world.power_fail(&server);
        world.sleep(SECOND).await;
        world.restart(&server);
        let end = read_within(&world, &mut idle, 7300 * SECOND).await.expect("two hours on");
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_paused_process_takes_connections_and_bytes_but_says_nothing() {
    let (world, client, server) = two(9);
    world.block_on(async {
        let listener = world.runtime(&server).net.listen("0.0.0.0:5").await.unwrap();
        world.spawn_on(&server, async move {
            let mut stream = listener.accept().await.unwrap();
            let mut byte = [0; 1];
            while stream.read(&mut byte).await.unwrap() > 0 {
                stream.write_all(&byte).await.unwrap();
            }
        });
        world.sleep(SECOND).await;
        world.pause(&server);
        let net = world.runtime(&client).net;
        let mut stream = net.connect("server:5", PATIENCE).await.expect("the kernel answers");
        stream.write_all(b"x").await.unwrap();
        assert!(read_within(&world, &mut stream, 600 * SECOND).await.is_none());
        world.resume(&server);
        let echo = read_within(&world, &mut stream, 10 * SECOND).await.expect("it goes on");
        assert_eq!(echo.unwrap(), 1);
    });
}

#[test]
fn a_clogged_way_is_slow_and_a_lossy_one_stalls() {
    let trip = |seed, spoil: &dyn Fn(&World, &Node, &Node)| {
        let (world, client, server) = two(seed);
        world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            spoil(&world, &client, &server);
            let start = world.elapsed();
            connected.write_all(b"x").await.unwrap();
            accepted.read_exact(&mut [0; 1]).await.unwrap();
            world.elapsed() - start
        })
    };
    let calm = trip(1, &|_, _, _| ());
    assert!(calm < SECOND, "{calm:?}");
    let clogged = trip(1, &|world, client, server| {
        fault::clog::both_ways(world, client, server, 5 * SECOND);
    });
    assert!(clogged >= 5 * SECOND, "{clogged:?}");
    let lossy = trip(1, &|world, _, _| world.shape_net(|shape| shape.loss_one_in = 1));
    assert!(lossy >= Duration::from_millis(200), "{lossy:?}");
}

#[test]
fn slices_are_written_as_one() {
    let (world, client, server) = two(1);
    world.shape_net(|shape| shape.split_one_in = 0);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        let parts = [std::io::IoSlice::new(b"he"), std::io::IoSlice::new(b"llo")];
        assert!(connected.is_write_vectored());
        assert_eq!(connected.write_vectored(&parts).await.unwrap(), 5);
        let mut hello = [0; 5];
        accepted.read_exact(&mut hello).await.unwrap();
        assert_eq!(&hello, b"hello");
    });
}

#[test]
fn an_accept_fails_for_want_of_descriptors_and_the_connection_waits() {
    let (world, client, server) = two(1);
    world.block_on(async {
        let listener = world.runtime(&server).net.listen("0.0.0.0:5").await.unwrap();
        fault::accept_error::chance(&world, &server, 1.0);
        let net = world.runtime(&client).net;
        let _connected = net.connect("server:5", PATIENCE).await.expect("the kernel answers");
        listener.accept().await.err().expect("an injected error");
        fault::accept_error::chance(&world, &server, 0.0);
        listener.accept().await.expect("it still waits");
    });
}

#[test]
fn bandwidth_bounds_what_arrives_in_a_second() {
    let (world, client, server) = two(1);
    world.shape_net(|shape| shape.bandwidth = 100_000);
    world.block_on(async {
        let (mut connected, mut accepted) = pair(&world, &client, &server).await;
        world.spawn_on(&client, async move {
            connected.write_all(&[1; 1_000_000]).await.unwrap();
        });
        let start = world.elapsed();
        accepted.read_exact(&mut vec![0; 1_000_000]).await.unwrap();
        let took = world.elapsed() - start;
        assert!(took > 9 * SECOND && took < 20 * SECOND, "{took:?}");
    });
}

#[test]
fn traffic_on_one_way_does_not_shift_the_latencies_of_another() {
    let arrival = |noisy: bool| {
        let (world, client, server) = two(12);
        let (third, fourth) = (world.node("third"), world.node("fourth"));
        world.block_on(async {
            let (mut connected, mut accepted) = pair(&world, &client, &server).await;
            if noisy {
                let (mut one, mut other) = pair(&world, &third, &fourth).await;
                one.write_all(b"noise").await.unwrap();
                other.read_exact(&mut [0; 5]).await.unwrap();
            }
            let start = world.elapsed();
            connected.write_all(b"x").await.unwrap();
            accepted.read_exact(&mut [0; 1]).await.unwrap();
            world.elapsed() - start
        })
    };
    // The order of polls costs some nanoseconds; a latency is a hundred microseconds and more.
    assert!(arrival(false).abs_diff(arrival(true)) < Duration::from_micros(10));
}
