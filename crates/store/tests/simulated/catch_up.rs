//! After an unclean end: messages are taken at once, what was found becomes visible behind, and
//! nobody is told an end that is too low.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use message::QueueOffset;
use sim::{Node, World};
use store::{
    FlushMode, GetRequest, GetResult, GetStatus, QueueHandle, Store, StoreConfig, StoreHandles,
};

use crate::ground::{QUEUES, append, message, open, open_behind, read_all, small};

/// A store that was killed with so many messages in each queue, of which the checkpoint knows none.
async fn killed(world: &World, node: &Node, each: u64) {
    let store = open(world, node, small(FlushMode::Async)).await.unwrap();
    for number in 0..each * QUEUES.len() as u64 {
        let (topic, queue_id) = QUEUES[(number % 4) as usize];
        append(&store, &store.queue(topic, queue_id), &[number as u8; 700]).await.unwrap();
    }
    world.kill(node);
    world.restart(node);
}

async fn get(store: &Store, queue: &QueueHandle, from: u64) -> GetResult {
    let filter = |_| true;
    let request = GetRequest {
        queue,
        from: QueueOffset(from),
        count_max: 32,
        bytes_max: 1 << 20,
        filter: &filter,
    };
    store.get(&request).await
}

/// What needs no turn of any other task.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Opens the store and looks at it before any of its tasks had a turn.
async fn at_once<T: Send + 'static>(
    world: &World,
    node: &Node,
    look: impl FnOnce(&Store) -> T + Send + 'static,
) -> (Store, T) {
    let doors = world.runtime(node);
    let handles = StoreHandles { disk: doors.disk, clock: doors.clock, tasks: doors.tasks };
    let looked = async move {
        let store = Store::open(handles, small(FlushMode::Async)).await.expect("it opens");
        let seen = look(&store);
        (store, seen)
    };
    world.on(node, looked).await.expect("the node lives")
}

#[test]
fn messages_are_taken_before_the_old_ones_are_visible_and_take_the_next_places() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        killed(&world, &node, 30).await;
        let (store, places) = at_once(&world, &node, |store| {
            assert_eq!(store.dispatched().reached(), 0, "nothing was dispatched yet");
            QUEUES.map(|(topic, queue_id)| {
                let queue = store.queue(topic, queue_id);
                let appended = store.appender().append(&message(&queue, b"new", &[]));
                (queue.max_offset().0, appended.expect("it is taken").queue_offset.0)
            })
        })
        .await;
        assert_eq!(places, [(0, 30); 4]);
        store.caught_up().await.unwrap();
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        for queue in store.queues() {
            assert_eq!(read_all(&store, &queue).await.len(), 31, "{queue:?}");
        }
    });
}

#[test]
fn a_consumer_beyond_what_is_visible_waits_and_is_not_reset() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        killed(&world, &node, 30).await;
        let (store, ()) = at_once(&world, &node, |store| {
            let queue = store.find_queue("Orders", 1).expect("the walk found it");
            assert!(!queue.is_caught_up());
            assert_eq!((queue.max_offset().0, queue.known_end().0), (0, 30));
            for from in [0, 7, 29, 30, 31, 1_000] {
                let result = now(get(store, &queue, from));
                assert_eq!(result.status, GetStatus::OffsetOverflowOne, "from {from}");
                assert_eq!(result.next_begin.0, from, "a consumer must not be sent elsewhere");
            }
        })
        .await;
        let queue = store.find_queue("Orders", 1).unwrap();
        queue.caught_up().await.unwrap();
        store.caught_up().await.unwrap();
        assert!(queue.is_caught_up());
        assert_eq!((queue.max_offset().0, queue.known_end().0), (30, 30));
        assert_eq!(get(&store, &queue, 7).await.status, GetStatus::Found);
        assert_eq!(get(&store, &queue, 30).await.status, GetStatus::OffsetOverflowOne);
        world.sleep(Duration::from_millis(1)).await;
        assert_eq!(get(&store, &queue, 31).await.status, GetStatus::OffsetOverflowBadly);
    });
}

#[test]
fn a_clean_start_has_nothing_to_catch_up_with() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        killed(&world, &node, 30).await;
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        store.shutdown().await.unwrap();
        world.restart(&node);
        at_once(&world, &node, |store| {
            assert_eq!(store.dispatched().reached(), store.appended().reached());
            let queue = store.find_queue("Orders", 1).expect("it is there");
            assert!(queue.is_caught_up());
            assert_eq!(now(get(store, &queue, 31)).status, GetStatus::OffsetOverflowBadly);
        })
        .await;
    });
}

#[test]
fn a_store_killed_while_it_catches_up_catches_up_the_next_time() {
    for seed in 10..30 {
        let world = World::new(seed);
        let node = world.node("broker");
        let rng = world.stream("test");
        world.block_on(async {
            killed(&world, &node, 60).await;
            for _ in 0..4 {
                let (store, ()) = at_once(&world, &node, |store| {
                    let queue = store.queue("Orders", 0);
                    store.appender().append(&message(&queue, b"new", &[])).expect("it is taken");
                })
                .await;
                world.sleep(Duration::from_micros(rng.below(200))).await;
                world.kill(&node);
                world.restart(&node);
                drop(store);
            }
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            for ((topic, queue_id), count) in QUEUES.into_iter().zip([64, 60, 60, 60]) {
                let queue = store.find_queue(topic, queue_id).unwrap();
                assert_eq!(read_all(&store, &queue).await.len(), count, "{queue:?}");
            }
        });
    }
}

#[test]
fn what_is_made_durable_behind_is_flushed_only_then() {
    for seed in 40..60 {
        let world = World::new(seed);
        let node = world.node("broker");
        let rng = world.stream("test");
        world.block_on(async {
            killed(&world, &node, 60).await;
            // Nothing at once: all of it behind.
            let behind = || StoreConfig { settle_len_max: 0, ..small(FlushMode::Async) };
            let store = open_behind(&world, &node, behind()).await.unwrap();
            let (flushed, found) = (store.flushed().reached(), store.appended().reached());
            assert!(flushed < found, "{flushed} of {found}");
            if rng.chance(0.5) {
                store.flushed().wait(found).await.unwrap();
            }
            let owed = store.flushed().reached();
            world.power_fail(&node);
            drop(store);
            world.restart(&node);
            let store = open(&world, &node, behind()).await.unwrap();
            let end = store.appended().reached();
            assert!(end >= owed, "seed {seed}: {end} of {owed} were left");
        });
    }
}

#[test]
fn a_store_whose_dispatch_stalls_keeps_its_abort_file_when_it_is_shut_down() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        append(&store, &store.queue("Orders", 0), &[1; 100]).await.unwrap();
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        // A file where the directory of another queue would be.
        let disk = world.runtime(&node).disk;
        disk.write("store/consumequeue/Bills", b"in the way").await.unwrap();
        let appended = append(&store, &store.queue("Bills", 0), &[2; 100]).await.unwrap();
        let closing = store.clone();
        let closed = world.on(&node, async move { closing.shutdown().await }).await;
        closed.expect("nobody kills it").expect("the log is sound");
        assert!(store.dispatched().reached() < appended.end);
        let image = world.disk_image(&node);
        assert!(image.cache.contains_key("store/abort"), "a RocketMQ would not fill its queue");

        world.restart(&node);
        world.runtime(&node).disk.remove_file("store/consumequeue/Bills").await.unwrap();
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.find_queue("Bills", 0).unwrap();
        assert_eq!(read_all(&store, &queue).await.len(), 1);
    });
}
