//! Reads of what is not in memory: the smaller bounds, the budget, and what is left behind.

use std::time::Duration;

use message::QueueOffset;
use runtime::SegmentFile;
use sim::{Node, World};
use store::{FlushMode, GetRequest, GetResult, GetStatus, QueueHandle, Store, StoreConfig};

use crate::ground::{append, open, small};

/// The first segment of the log, as the operating system has it.
async fn first_segment(world: &World, node: &Node) -> SegmentFile {
    let disk = world.runtime(node).disk;
    disk.open_segment("store/commitlog/00000000000000000000").await.unwrap()
}

/// A store with `count` messages of `len` bytes that another process wrote.
async fn written(
    world: &World,
    node: &Node,
    config: &StoreConfig,
    (count, len): (usize, usize),
) -> Store {
    let store = open(world, node, config.clone()).await.unwrap();
    for _ in 0..count {
        append(&store, &store.queue("Orders", 0), &vec![1; len]).await.unwrap();
    }
    store.shutdown().await.unwrap();
    world.restart(node);
    let store = open(world, node, config.clone()).await.unwrap();
    let queue = store.queue("Orders", 0);
    queue.caught_up().await.unwrap();
    assert_eq!(queue.max_offset(), QueueOffset(count as u64));
    store
}

async fn get(store: &Store, queue: &QueueHandle, from: u64) -> GetResult {
    let request = GetRequest {
        queue,
        from: QueueOffset(from),
        count_max: 32,
        bytes_max: 256 << 10,
        filter: &|_| true,
    };
    store.get(&request).await
}

#[test]
fn what_is_read_from_the_device_comes_in_smaller_pieces() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { queue_segment_entries: 300, ..small(FlushMode::Async) };
        let store = written(&world, &node, &config, (100, 100)).await;
        let queue = store.queue("Orders", 0);
        let segment = first_segment(&world, &node).await;
        assert_eq!(get(&store, &queue, 0).await.count, 32, "recovery has just read it");
        segment.release(0..segment.len());
        let cold = get(&store, &queue, 0).await;
        assert_eq!((cold.status, cold.count, cold.next_begin.0), (GetStatus::Found, 8, 8));
        let end = store.appended().reached();
        assert!(segment.is_loaded(0..end), "the read goes ahead of its reader");
        assert_eq!(get(&store, &queue, 8).await.count, 32, "and so the next one is a hot one");
    });
}

#[test]
fn the_bytes_of_a_cold_read_are_bounded_but_for_the_first_message() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { disk_read_bytes_max: 5_000, ..small(FlushMode::Async) };
        let store = written(&world, &node, &config, (12, 2_300)).await;
        let queue = store.queue("Orders", 0);
        let segment = first_segment(&world, &node).await;
        segment.release(0..segment.len());
        assert_eq!(get(&store, &queue, 0).await.count, 2);
        let config = StoreConfig { disk_read_bytes_max: 1, ..config };
        store.shutdown().await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, config).await.unwrap();
        let queue = store.queue("Orders", 0);
        queue.caught_up().await.unwrap();
        let segment = first_segment(&world, &node).await;
        segment.release(0..segment.len());
        assert_eq!(get(&store, &queue, 0).await.count, 1, "the first comes whatever its length");
    });
}

#[test]
fn cold_reads_keep_to_the_budget_and_hot_ones_do_not_wait_for_it() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        // A segment in a minute.
        let config = StoreConfig { cold_read_bytes_per_s_max: 1_000, ..small(FlushMode::Async) };
        let store = written(&world, &node, &config, (100, 1_000)).await;
        let queue = store.queue("Orders", 0);
        let clock = world.runtime(&node).clock;
        let first = first_segment(&world, &node).await;
        let read = async |from: u64| {
            let begun = clock.monotonic();
            assert_eq!(get(&store, &queue, from).await.status, GetStatus::Found);
            clock.monotonic().since(begun)
        };
        first.release(0..first.len());
        assert!(read(0).await < Duration::from_secs(5), "the first finds the budget untouched");
        first.release(0..first.len());
        let paid = read(0).await;
        assert!(paid > Duration::from_secs(60), "the second pays for the first: {paid:?}");
        // Whoever appends and reads at the end does not notice.
        first.release(0..first.len());
        let end = append(&store, &queue, b"new").await.unwrap().end;
        store.dispatched().wait(end).await.unwrap();
        assert_eq!(read(100).await, Duration::ZERO);
    });
}

#[test]
fn what_several_readers_want_is_loaded_once() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { cold_read_bytes_per_s_max: 1_000, ..small(FlushMode::Async) };
        let store = written(&world, &node, &config, (60, 1_000)).await;
        let queue = store.queue("Orders", 0);
        let runtime = world.runtime(&node);
        let first = first_segment(&world, &node).await;
        first.release(0..first.len());
        let begun = runtime.clock.monotonic();
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let (store, queue) = (store.clone(), queue.clone());
                runtime.tasks.spawn("reader", async move {
                    assert_eq!(get(&store, &queue, 0).await.status, GetStatus::Found);
                })
            })
            .collect();
        for reader in readers {
            reader.join().await;
        }
        let took = runtime.clock.monotonic().since(begun);
        assert!(took < Duration::from_secs(5), "only the first had to pay: {took:?}");
    });
}

#[test]
fn a_filter_of_records_passes_over_what_it_does_not_want() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        let mut end = 0;
        for number in 0..20 {
            end = append(&store, &queue, &[number; 10]).await.unwrap().end;
        }
        store.dispatched().wait(end).await.unwrap();
        let request = GetRequest {
            queue: &queue,
            from: QueueOffset(0),
            count_max: 4,
            bytes_max: 256 << 10,
            filter: &|_| true,
        };
        let odd = store.get_where(&request, &|view| view.body[0] % 2 == 1).await;
        assert_eq!((odd.status, odd.count, odd.messages.len()), (GetStatus::Found, 4, 4));
        assert_eq!(odd.next_begin.0, 8, "where the fifth would have come");
        let none = store.get_where(&request, &|_| false).await;
        assert_eq!((none.status, none.next_begin.0), (GetStatus::NoMatchedMessage, 20));
    });
}
