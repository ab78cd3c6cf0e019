//! Recovery: idempotent wherever it is killed, cheap after a clean end, loud about damage.

use std::time::Duration;

use bytes::Bytes;
use runtime::Rng;
use sim::{Node, World};
use store::{FlushMode, OpenError, Store};

use crate::ground::{Ledger, Place, QUEUES, append, open, read_everything, small};

/// A store with some history, at the moment after the power went.
async fn broken(world: &World, node: &Node, ledger: &Ledger, rng: &Rng) {
    let store = open(world, node, small(FlushMode::Sync)).await.unwrap();
    ledger.check(&store, &format!("seed {}", world.seed())).await;
    let clock = world.runtime(node).clock;
    world.spawn_on(node, ledger.clone().keep_writing(store.clone(), clock, rng.stream("writer")));
    world.sleep(Duration::from_millis(200 + rng.below(3_000))).await;
    ledger.note_promised(&store);
    world.power_fail(node);
    ledger.forget_unpromised();
    world.restart(node);
}

/// Starts to open the store and takes the process, or the power, after `patience`.
async fn interrupted(world: &World, node: &Node, patience: Duration, rng: &Rng) {
    let doors = world.runtime(node);
    let (disk, clock, tasks) = (doors.disk, doors.clock, doors.tasks);
    let handles = store::StoreHandles { disk, clock, tasks };
    world.spawn_on(node, async move {
        // Kept until the node dies, if it came so far.
        let opened = Store::open(handles, small(FlushMode::Sync)).await;
        let _held = opened.expect("recovery finds nothing that it cannot put right");
        std::future::pending::<()>().await;
    });
    world.sleep(patience).await;
    if rng.chance(0.5) {
        world.power_fail(node)
    } else {
        world.kill(node)
    }
    world.restart(node);
}

#[test]
fn recovery_that_is_killed_anywhere_can_be_run_again() {
    for seed in 0..60 {
        let world = World::new(seed);
        let node = world.node("broker");
        let ledger = Ledger::default();
        let rng = world.stream("test");
        world.block_on(async {
            for round in 0..2 {
                broken(&world, &node, &ledger, &rng.stream(&format!("round {round}"))).await;
                for _ in 0..rng.below(6) {
                    let patience = Duration::from_micros(rng.below(1 << (10 + rng.below(8))));
                    interrupted(&world, &node, patience, &rng).await;
                }
            }
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            ledger.check(&store, &format!("seed {seed}, at last")).await;
        });
    }
}

/// Fills a store and shuts it down; gives what each queue holds.
async fn filled(world: &World, node: &Node, count: u64) -> Vec<(Place, Bytes)> {
    let store = open(world, node, small(FlushMode::Async)).await.unwrap();
    for number in 0..count {
        let (topic, queue_id) = QUEUES[(number % 4) as usize];
        append(&store, &store.queue(topic, queue_id), &[number as u8; 700]).await.unwrap();
    }
    store.shutdown().await.unwrap();
    contents(&store).await
}

async fn contents(store: &Store) -> Vec<(Place, Bytes)> {
    read_everything(store).await.into_iter().map(|(place, taken)| (place, taken.body)).collect()
}

#[test]
fn a_clean_end_leaves_no_abort_file_and_nothing_to_rebuild() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let before = filled(&world, &node, 300).await;
        assert_eq!(before.len(), 300);
        let closed = world.disk_image(&node);
        assert!(!closed.cache.contains_key("store/abort"));
        assert_eq!(closed.cache, closed.durable, "a clean end leaves nothing unsynced");
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let opened = world.disk_image(&node);
        assert!(opened.durable.contains_key("store/abort"), "the abort file is durable first");
        let queue_files = |images: &sim::DiskImages| -> Vec<_> {
            let files = images.cache.clone().into_iter();
            files.filter(|(path, _)| path.starts_with("store/consumequeue")).collect()
        };
        assert_eq!(queue_files(&opened), queue_files(&closed));
        assert_eq!(contents(&store).await, before);
    });
}

#[test]
fn queues_that_were_deleted_are_filled_from_the_log() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        let before = filled(&world, &node, 200).await;
        let disk = world.runtime(&node).disk;
        for file in disk.list("store/consumequeue/Orders/1").await.unwrap() {
            let path = format!("store/consumequeue/Orders/1/{}", file.name);
            disk.remove_file(&path).await.unwrap();
        }
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        assert_eq!(contents(&store).await, before);
    });
}

#[test]
fn a_log_without_any_checkpoint_fills_all_queues() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        let before = filled(&world, &node, 200).await;
        let disk = world.runtime(&node).disk;
        disk.remove_file("store/checkpoint").await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        assert_eq!(contents(&store).await, before);
    });
}

#[test]
fn a_second_process_is_refused_before_it_reads_anything() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        let before = world.disk_image(&node);
        let second = open(&world, &node, small(FlushMode::Sync)).await.err();
        assert!(matches!(second, Some(OpenError::Locked { .. })), "{second:?}");
        assert_eq!(world.disk_image(&node), before);
        store.shutdown().await.unwrap();
        let third = open(&world, &node, small(FlushMode::Sync)).await;
        assert!(third.is_ok(), "a shutdown gives the lock back");
    });
}
