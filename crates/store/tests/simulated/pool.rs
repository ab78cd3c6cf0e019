//! The off-heap pool: what the end of a process may take, and what it may not.

use std::time::Duration;

use runtime::Rng;
use sim::{Node, World, fault};
use store::{AppendError, Busy, FlushMode, PoolConfig, Store, StoreConfig};

use crate::ground::{append, message, open, pooled, read_all};

/// A store on a new node, with a queue's file there already.
async fn ready(world: &World, config: StoreConfig) -> (Node, Store) {
    let node = world.node("broker");
    let store = open(world, &node, config).await.unwrap();
    let queue = store.queue("Orders", 0);
    let first = append(&store, &queue, b"the queue has its file").await.unwrap();
    store.dispatched().wait(first.end).await.unwrap();
    (node, store)
}

/// How many messages the queue holds after a restart.
async fn left(world: &World, node: &Node, config: StoreConfig) -> usize {
    world.restart(node);
    let store = open(world, node, config).await.unwrap();
    read_all(&store, &store.queue("Orders", 0)).await.len()
}

#[test]
fn a_kill_takes_what_is_not_committed_and_nobody_has_seen_it() {
    let world = World::new(1);
    world.block_on(async {
        let (node, store) = ready(&world, pooled()).await;
        let queue = store.queue("Orders", 0);
        let appended = append(&store, &queue, b"in a buffer").await.unwrap();
        store.promised().wait(appended.end).await.unwrap();
        assert!(store.visible().reached() < appended.end, "it is acknowledged, not committed");
        assert_eq!(store.message_at(appended.physical).await.unwrap(), None);
        world.sleep(Duration::from_millis(150)).await;
        assert_eq!(queue.max_offset().0, 1, "shown though the end of the process takes it");
        world.kill(&node);
        assert_eq!(left(&world, &node, pooled()).await, 1);
    });
}

#[test]
fn a_kill_after_the_commit_interval_takes_nothing() {
    let world = World::new(2);
    world.block_on(async {
        let (node, store) = ready(&world, pooled()).await;
        let queue = store.queue("Orders", 0);
        let appended = append(&store, &queue, b"committed in time").await.unwrap();
        world.sleep(Duration::from_millis(201)).await;
        assert_eq!(store.visible().reached(), appended.end);
        world.kill(&node);
        assert_eq!(left(&world, &node, pooled()).await, 2);
    });
}

#[test]
fn enough_pages_are_committed_at_once() {
    let world = World::new(3);
    world.block_on(async {
        let (_, store) = ready(&world, pooled()).await;
        let queue = store.queue("Orders", 0);
        let appended = append(&store, &queue, &[7; 4 * 4096]).await.unwrap();
        world.sleep(Duration::from_millis(1)).await;
        assert_eq!(store.visible().reached(), appended.end);
    });
}

/// A pool that commits only now and then, so that its buffers fill.
fn lazy() -> StoreConfig {
    let pool = PoolConfig {
        buffers: 2,
        commit_interval_ms: 10_000,
        commit_thorough_ms: 10_000,
        commit_pages_least: 1_000,
    };
    StoreConfig { pool: Some(pool), ..pooled() }
}

#[test]
fn an_exhausted_pool_refuses_by_name_and_takes_more_after_the_next_commit() {
    let world = World::new(4);
    world.block_on(async {
        let (_, store) = ready(&world, lazy()).await;
        let queue = store.queue("Orders", 0);
        let mut taken = 1;
        let refused = loop {
            match append(&store, &queue, &[1; 3_000]).await {
                Ok(_) => taken += 1,
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, AppendError::Busy { cause: Busy::Memory, .. }), "{refused:?}");
        assert!((20..=43).contains(&taken), "{taken} of 3,000 bytes in two buffers of 64 KiB");
        let again = append(&store, &queue, &[1; 3_000]).await;
        assert!(matches!(again, Err(AppendError::Busy { cause: Busy::Memory, .. })));
        world.sleep(Duration::from_secs(10)).await;
        let appended = append(&store, &queue, b"room again").await.unwrap();
        assert_eq!(appended.queue_offset.0, taken, "a refusal uses no place");
        assert_eq!(store.poisoned(), None);
        store.shutdown().await.unwrap();
    });
}

/// Asks for room for a batch and appends it under the same lock. Says how many messages went in.
fn append_batch(store: &Store, bodies: &[&[u8]]) -> Result<usize, AppendError> {
    let queue = store.queue("Orders", 0);
    let mut appender = store.appender();
    // More than its properties and what is fixed take.
    appender.has_room(bodies.iter().map(|body| body.len() as u64 + 150).sum())?;
    for body in bodies {
        let appended = appender.append(&message(&queue, body, &[b"TAGS\x01TagA"]));
        appended.expect("there was room for the whole batch");
    }
    Ok(bodies.len())
}

/// A batch of which a part finds room in the last buffer used to be appended in part, and answered
/// as unknown.
#[test]
fn a_batch_that_the_pool_cannot_take_whole_is_refused_before_its_first_byte() {
    let world = World::new(9);
    world.block_on(async {
        let rng = Rng::from_seed([9; 32]);
        let (_, store) = ready(&world, lazy()).await;
        let (mut taken, mut refused, mut rolled) = (1, 0, 0);
        for _ in 0..600 {
            let body = vec![3; 1 + rng.below(9_000) as usize];
            let batch = vec![&body[..]; 2 + rng.below(5) as usize];
            let before = store.appended().reached();
            match append_batch(&store, &batch) {
                Ok(count) => taken += count,
                Err(AppendError::SegmentNotReady) => store.segment_ready().await.unwrap(),
                Err(AppendError::Busy { cause: Busy::Memory, .. }) => {
                    refused += 1;
                    assert_eq!(store.appended().reached(), before, "not one byte of it");
                    world.sleep(Duration::from_millis(rng.below(5_000))).await;
                }
                Err(other) => panic!("{other:?}"),
            }
            rolled += usize::from(before >> 16 != store.appended().reached() >> 16);
        }
        assert!(refused > 50 && rolled > 50 && taken > 300, "{refused} {rolled} {taken}");
        world.sleep(Duration::from_secs(20)).await;
        let queue = store.queue("Orders", 0);
        assert_eq!(read_all(&store, &queue).await.len(), taken, "no part of a refused one");
    });
}

#[test]
fn a_batch_that_no_empty_pool_could_take_is_too_large_and_not_busy() {
    let world = World::new(10);
    world.block_on(async {
        let (_, store) = ready(&world, lazy()).await;
        let refused = append_batch(&store, &[&[1; 40_000], &[1; 40_000]]).unwrap_err();
        assert!(matches!(refused, AppendError::TooLarge { part: "batch", .. }), "{refused:?}");
    });
}

#[test]
fn a_long_commit_lets_others_have_their_turn_and_shows_nothing_before_its_end() {
    let world = World::new(11);
    world.block_on(async {
        let (_, store) = ready(&world, StoreConfig { segment_size: 8 << 20, ..lazy() }).await;
        let queue = store.queue("Orders", 0);
        let body = vec![5; 3 << 20];
        let appended = append(&store, &queue, &body).await.unwrap();
        // Its 1,000 pages are too few, so the interval ends the wait.
        let before = store.visible().reached();
        store.visible().wait(before + 1).await.unwrap();
        assert_eq!(store.visible().reached(), appended.end, "all of it at once");
        assert_eq!(read_all(&store, &queue).await[1].1.body, body);
    });
}

#[test]
fn a_shutdown_commits_and_flushes_everything() {
    let world = World::new(5);
    world.block_on(async {
        let (node, store) = ready(&world, lazy()).await;
        let queue = store.queue("Orders", 0);
        append(&store, &queue, b"the last").await.unwrap();
        let closing = store.clone();
        let closed = world.on(&node, async move { closing.shutdown().await }).await;
        closed.expect("nobody kills it").expect("a sound store shuts down");
        world.power_fail(&node);
        assert_eq!(left(&world, &node, lazy()).await, 2);
    });
}

#[test]
fn after_a_failed_sync_what_was_acknowledged_still_reaches_the_page_cache() {
    let world = World::new(6);
    world.block_on(async {
        let (node, store) = ready(&world, lazy()).await;
        let queue = store.queue("Orders", 0);
        world.sleep(Duration::from_secs(10)).await;
        fault::sync_error::chance(&world, &node, 1.0);
        let doomed = loop {
            match append(&store, &queue, b"acknowledged").await {
                Ok(appended) => store.promised().wait(appended.end).await.unwrap(),
                Err(error) => break error,
            }
            world.sleep(Duration::from_millis(100)).await;
        };
        assert!(matches!(doomed, AppendError::Poisoned(_)), "{doomed:?}");
        let taken = store.appended().reached();
        world.sleep(Duration::from_millis(1)).await;
        world.kill(&node);
        fault::sync_error::chance(&world, &node, 0.0);
        world.restart(&node);
        let store = open(&world, &node, lazy()).await.unwrap();
        assert_eq!(store.appended().reached(), taken, "all of it was written");
    });
}

#[test]
fn a_commit_that_fails_ends_the_store() {
    let world = World::new(7);
    world.block_on(async {
        let (node, store) = ready(&world, pooled()).await;
        let queue = store.queue("Orders", 0);
        fault::io_error::writes(&world, &node, 1.0);
        append(&store, &queue, b"in a buffer").await.unwrap();
        let closed = store.failed().await;
        assert!(closed.reason.contains("could not be written"), "{closed}");
        let refused = append(&store, &queue, b"refused").await;
        assert!(matches!(refused, Err(AppendError::Poisoned(_))));
        assert!(store.visible().closed().is_some() && store.promised().closed().is_some());
        assert!(store.shutdown().await.is_err());
    });
}

#[test]
fn sync_flush_makes_the_pool_moot() {
    let world = World::new(8);
    world.block_on(async {
        let config = StoreConfig { flush: FlushMode::Sync, ..pooled() };
        let (node, store) = ready(&world, config.clone()).await;
        let queue = store.queue("Orders", 0);
        let appended = append(&store, &queue, b"durable").await.unwrap();
        store.promised().wait(appended.end).await.unwrap();
        world.power_fail(&node);
        assert_eq!(left(&world, &node, config).await, 2);
    });
}
