//! More queues than files may be open, on disks that fill up and that others have touched.

use std::time::Duration;

use sim::{Node, World, fault};
use store::{FlushMode, QueueHandle, Store, StoreConfig};

use crate::ground::{append, open, read_all, read_everything, small};

/// Topics and queues of each: many more than the three files that `small` lets be open.
const TOPICS: u64 = 8;
const QUEUES: u32 = 5;

fn handles(store: &Store) -> Vec<QueueHandle> {
    let topics = (0..TOPICS).map(|number| format!("Topic{number}"));
    topics.flat_map(|topic| (0..QUEUES).map(move |id| store.queue(&topic, id))).collect()
}

async fn append_to_each(store: &Store, rounds: usize) {
    for queue in handles(store).iter().cycle().take(rounds * (TOPICS as usize * QUEUES as usize)) {
        let appended = append(store, queue, &[3; 50]).await.unwrap();
        store.promised().wait(appended.end).await.unwrap();
    }
    store.dispatched().wait(store.appended().reached()).await.unwrap();
}

async fn check(store: &Store, count: usize) {
    for queue in handles(store) {
        assert_eq!(read_all(store, &queue).await.len(), count, "{queue:?}");
        assert!(store.queue_files_open() <= 3, "{} files are open", store.queue_files_open());
    }
}

/// One life with all queues, ended by `end` and begun again.
async fn lives(world: &World, node: &Node, flush: FlushMode, end: impl Fn()) {
    let store = open(world, node, small(flush)).await.unwrap();
    append_to_each(&store, 25).await;
    check(&store, 25).await;
    world.sleep(Duration::from_secs(5)).await;
    append_to_each(&store, 2).await;
    end();
    world.restart(node);
    let store = open(world, node, small(flush)).await.unwrap();
    store.caught_up().await.unwrap();
    check(&store, 27).await;
    append_to_each(&store, 1).await;
    check(&store, 28).await;
    store.shutdown().await.unwrap();
    let closed = world.disk_image(node);
    assert_eq!(closed.cache, closed.durable, "a clean end leaves nothing unsynced");
    world.restart(node);
    let store = open(world, node, small(flush)).await.unwrap();
    check(&store, 28).await;
}

#[test]
fn more_queues_than_open_files_are_written_read_and_recovered() {
    for seed in 0..4 {
        let world = World::new(seed);
        let node = world.node("broker");
        world.block_on(async {
            match seed % 2 {
                0 => lives(&world, &node, FlushMode::Async, || world.kill(&node)).await,
                _ => lives(&world, &node, FlushMode::Sync, || world.power_fail(&node)).await,
            }
        });
    }
}

#[test]
fn a_disk_that_is_full_for_entries_delays_them_and_loses_none() {
    for seed in 0..8 {
        let world = World::new(seed);
        let node = world.node("broker");
        let rng = world.stream("test");
        world.block_on(async {
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            append_to_each(&store, 1 + rng.below(25) as usize).await;
            let before = read_everything(&store).await.len() as u64;
            // No room for a queue's next block; the log's segment has all of its own.
            fault::full_disk::capacity(&world, &node, 1);
            let mut taken = 0;
            let queues = handles(&store);
            for _ in 0..200 {
                let queue = &queues[rng.below(queues.len() as u64) as usize];
                let Ok(appended) = append(&store, queue, b"x").await else { break };
                taken += 1;
                store.promised().wait(appended.end).await.unwrap();
            }
            world.sleep(Duration::from_secs(5)).await;
            assert_eq!(store.poisoned(), None, "seed {seed}: a full disk is no lost sync");
            if rng.chance(0.5) {
                fault::full_disk::capacity(&world, &node, 1 << 30);
            } else if rng.chance(0.5) {
                world.kill(&node);
                world.restart(&node);
            } else {
                world.power_fail(&node);
                world.restart(&node);
            }
            fault::full_disk::capacity(&world, &node, 1 << 30);
            let store = match open(&world, &node, small(FlushMode::Sync)).await {
                Ok(store) => store,
                // It still runs.
                Err(_) => store,
            };
            store.dispatched().wait(store.appended().reached()).await.unwrap();
            let there = read_everything(&store).await;
            assert_eq!(there.len() as u64, before + taken, "seed {seed}");
        });
    }
}

#[test]
fn a_failed_sync_of_all_queues_is_final() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { flush_interval_ms: 100, ..small(FlushMode::Async) };
        let store = open(&world, &node, config).await.unwrap();
        append_to_each(&store, 3).await;
        while store.flushed().reached() < store.appended().reached() {
            world.sleep(Duration::from_millis(100)).await;
        }
        fault::sync_error::next(&world, &node, 1);
        world.sleep(Duration::from_secs(20)).await;
        let closed = store.poisoned().expect("the queues could not be synced");
        assert!(closed.reason.contains("ConsumeQueue"), "{closed}");
    });
}

#[test]
fn what_others_left_among_the_queues_is_named_and_harms_nobody() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        append_to_each(&store, 25).await;
        let before = read_everything(&store).await;
        store.shutdown().await.unwrap();
        let disk = world.runtime(&node).disk;
        let root = "store/consumequeue";
        // Not a queue, not a file of one, a creation cut short, and one of a wrong length.
        disk.create_dir(&format!("{root}/Topic0/+1")).await.unwrap();
        disk.create_dir(&format!("{root}/Topic0/x/y")).await.unwrap();
        disk.write(&format!("{root}/readme"), b"hello").await.unwrap();
        disk.write(&format!("{root}/Topic0/0/backup"), b"hello").await.unwrap();
        let next = format!("{root}/Topic0/0/{:020}", 40 * 20);
        disk.write(&next, b"").await.unwrap();
        let odd = format!("{root}/Topic0/1/{:020}", 20 * 20);
        disk.remove_file(&odd).await.unwrap();
        disk.write(&odd, &[0; 390]).await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        store.caught_up().await.unwrap();
        assert_eq!(read_everything(&store).await, before);
        assert!(store.find_queue("Topic0", 1).is_some());
        assert_eq!(store.queues().len() as u64, TOPICS * u64::from(QUEUES));
        append_to_each(&store, 20).await;
        check(&store, 45).await;
    });
}

#[test]
fn after_a_clean_end_no_queue_file_is_opened_unless_the_list_of_ends_is_wrong() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        append_to_each(&store, 25).await;
        // Never written to: it has no directory.
        store.queue("Idle", 0);
        store.shutdown().await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        assert_eq!(store.queue_files_open(), 0, "the list of ends is taken for true");
        check(&store, 25).await;
        store.shutdown().await.unwrap();
        let list = world.disk_image(&node).cache["store/queues"].clone();
        for bit in [8 * 8, 70 * 8 + 1, list.len() as u64 * 8 - 1] {
            world.restart(&node);
            assert!(fault::bit_rot::flip(&world, &node, "store/queues", (bit / 8, 1)));
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            assert!(
                store.queue_files_open() > 0,
                "bit {bit}: a list with a flipped bit is trusted"
            );
            check(&store, 25).await;
            store.shutdown().await.unwrap();
        }
        // Somebody took a queue's last file away: the log fills it again.
        let disk = world.runtime(&node).disk;
        disk.remove_file(&format!("store/consumequeue/Topic3/2/{:020}", 20 * 20)).await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        store.caught_up().await.unwrap();
        check(&store, 25).await;
    });
}
