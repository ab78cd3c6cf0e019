//! Queues of which nothing is left, and queues whose head is gone: the first place is never above
//! the end (RocketMQ #10417), and no damaged entry moves it.

use std::time::Duration;

use sim::{Node, World, fault};
use store::{FlushMode, Hours, QueueHandle, Retention, Store, StoreConfig};

use crate::ground::{append, open, read_all, small};

/// So long is a record kept in these tests.
const KEPT: Duration = Duration::from_secs(600);
/// Where the only queue's files are.
const QUEUE: &str = "store/consumequeue/Orders/0";

/// A store whose messages expire at any hour.
fn forgetful() -> StoreConfig {
    let retention = Retention {
        reserved_ms: KEPT.as_millis() as u64,
        hours: Hours::ALL,
        ..Retention::default()
    };
    StoreConfig { retention, ..small(FlushMode::Sync) }
}

/// Appends so many messages of 4,000 bytes, some 16 to a segment.
async fn fill(store: &Store, queue: &QueueHandle, count: usize) {
    for _ in 0..count {
        let appended = append(store, queue, &[1; 4_000]).await.unwrap();
        store.promised().wait(appended.end).await.unwrap();
    }
    store.dispatched().wait(store.appended().reached()).await.unwrap();
}

/// A store of one queue whose first file is gone, with the bounds of the queue.
async fn headless(world: &World, node: &Node) -> (Store, QueueHandle, (u64, u64)) {
    let store = open(world, node, forgetful()).await.unwrap();
    let queue = store.queue("Orders", 0);
    fill(&store, &queue, 40).await;
    world.sleep(KEPT).await;
    fill(&store, &queue, 41).await;
    world.sleep(Duration::from_secs(30)).await;
    let bounds = (queue.min_offset().0, queue.max_offset().0);
    assert!(bounds.0 >= 20, "{bounds:?}: the first file is gone");
    (store, queue, bounds)
}

async fn remove_all(world: &World, node: &Node, directory: &str) {
    let disk = world.runtime(node).disk;
    for file in disk.list(directory).await.unwrap() {
        disk.remove_file(&format!("{directory}/{}", file.name)).await.unwrap();
    }
}

#[test]
fn a_queue_that_is_cut_to_nothing_has_no_first_place_above_its_end() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let _store = headless(&world, &node).await;
        world.kill(&node);
        world.restart(&node);
        // Nothing of the log is left, and nothing vouches for it: all entries lead nowhere.
        remove_all(&world, &node, "store/commitlog").await;
        world.runtime(&node).disk.remove_file("store/checkpoint").await.unwrap();
        let store = open(&world, &node, forgetful()).await.unwrap();
        let queue = store.queue("Orders", 0);
        assert_eq!((queue.min_offset().0, queue.max_offset().0), (0, 0));
        let appended = append(&store, &queue, b"the first again").await.unwrap();
        store.dispatched().wait(appended.end).await.unwrap();
        assert_eq!(appended.queue_offset.0, 0);
        assert_eq!((queue.min_offset().0, queue.max_offset().0), (0, 1));
        assert_eq!(read_all(&store, &queue).await.len(), 1);
    });
}

#[test]
fn a_queue_whose_files_vanished_has_the_bounds_that_the_log_gives_it() {
    for is_clean in [true, false] {
        let world = World::new(2);
        let node = world.node("broker");
        world.block_on(async {
            let (store, queue, (min, max)) = headless(&world, &node).await;
            let count = read_all(&store, &queue).await.len();
            if is_clean {
                store.shutdown().await.unwrap();
            } else {
                world.power_fail(&node);
            }
            world.restart(&node);
            remove_all(&world, &node, QUEUE).await;
            let store = open(&world, &node, forgetful()).await.unwrap();
            store.caught_up().await.unwrap();
            let queue = store.queue("Orders", 0);
            assert_eq!((queue.min_offset().0, queue.max_offset().0), (min, max), "{is_clean}");
            assert_eq!(read_all(&store, &queue).await.len(), count);
            let appended = append(&store, &queue, b"the next").await.unwrap();
            assert_eq!(appended.queue_offset.0, max, "no place is given again");
        });
    }
}

/// Found by reading: halving for the first place met an entry whose bits led before the log, and
/// took everything before it for gone.
#[test]
fn a_damaged_entry_takes_no_message_before_it_with_it() {
    for is_reopened in [false, true] {
        let world = World::new(3);
        let node = world.node("broker");
        world.block_on(async {
            let (store, queue, (min, max)) = headless(&world, &node).await;
            let before = read_all(&store, &queue).await.len();
            if is_reopened {
                world.kill(&node);
                world.restart(&node);
            }
            // In each file but the first one: lead them before the log, which is beyond 2^16.
            for place in (min + 1..max).filter(|place| place % 20 == 7) {
                let file = format!("{QUEUE}/{:020}", place / 20 * 400);
                let at = place % 20 * 20;
                let entry = world.disk_image(&node).cache[&file].slice(at as usize..);
                for (byte, bits) in entry[..6].iter().enumerate() {
                    for bit in (0..8).filter(|bit| bits >> bit & 1 == 1) {
                        assert!(fault::bit_rot::flip(
                            &world,
                            &node,
                            &file,
                            (at + byte as u64, bit)
                        ));
                    }
                }
            }
            let (store, queue) = if is_reopened {
                let store = open(&world, &node, forgetful()).await.unwrap();
                store.caught_up().await.unwrap();
                let queue = store.queue("Orders", 0);
                (store, queue)
            } else {
                // Long enough for a look at what is to be cleaned.
                world.sleep(Duration::from_secs(30)).await;
                (store, queue)
            };
            assert_eq!((queue.min_offset().0, queue.max_offset().0), (min, max), "{is_reopened}");
            assert_eq!(read_all(&store, &queue).await.len(), before, "{is_reopened}");
        });
    }
}
