//! A failed sync is final.

use std::time::Duration;

use message::QueueOffset;
use sim::{World, fault};
use store::{AppendError, FlushMode, GetRequest, GetStatus, ShutdownError};

use crate::ground::{Ledger, append, open, read_all, small};

/// The next sync fails after some messages were promised: nothing is acknowledged, appended or
/// shown from there on, and a restart finds everything that was promised before.
fn a_sync_fails(seed: u64) {
    let world = World::new(seed);
    let node = world.node("broker");
    let rng = world.stream("test");
    let ledger = Ledger::default();
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        let queue = store.queue("Orders", 0);
        let mut sound = 0;
        for number in 0..rng.below(60) {
            let appended = append(&store, &queue, &number.to_be_bytes()).await.unwrap();
            store.promised().wait(appended.end).await.unwrap();
            sound = appended.end;
        }
        store.dispatched().wait(sound).await.unwrap();
        let visible = queue.max_offset();

        fault::sync_error::next(&world, &node, 1);
        let doomed = append(&store, &queue, b"never acknowledged").await.unwrap();
        let closed = store.promised().wait(doomed.end).await.unwrap_err();
        assert!(closed.reason.contains("sync failed"), "seed {seed}: {closed}");
        assert_eq!(store.poisoned(), Some(closed.clone()));
        assert_eq!(store.failed().await, closed);

        // The disk is sound again, but no later success says anything about the range.
        world.sleep(Duration::from_secs(20)).await;
        let refused = append(&store, &queue, b"refused").await;
        assert!(matches!(refused, Err(AppendError::Poisoned(_))), "seed {seed}");
        assert_eq!(store.flushed().reached(), sound, "seed {seed}: flushed passed a failed sync");
        assert_eq!(queue.max_offset(), visible, "seed {seed}: shown though it was never owed");
        let from = visible;
        let request =
            GetRequest { queue: &queue, from, count_max: 9, bytes_max: 9, filter: &|_| true };
        assert_ne!(store.get(&request).await.status, GetStatus::Found, "seed {seed}");
        let ended = store.shutdown().await;
        assert!(matches!(ended, Err(ShutdownError::Poisoned(_))), "seed {seed}: {ended:?}");
        let there = read_all(&store, &queue).await;
        ledger.books().promised.extend(there);

        // What the failed sync left undone must not become a hole under later promises.
        let writes = small(FlushMode::Sync);
        world.restart(&node);
        let store = open(&world, &node, writes.clone()).await.unwrap();
        ledger.check(&store, &format!("seed {seed}: after the failure")).await;
        let queue = store.queue("Orders", 0);
        let later = append(&store, &queue, b"after the restart").await.unwrap();
        store.promised().wait(later.end).await.unwrap();
        store.dispatched().wait(later.end).await.unwrap();
        ledger.check(&store, &format!("seed {seed}: after the restart")).await;
        world.power_fail(&node);
        world.restart(&node);
        let store = open(&world, &node, writes).await.unwrap();
        ledger.check(&store, &format!("seed {seed}: after the power failure")).await;
        let queue = store.queue("Orders", 0);
        assert!(queue.max_offset() > QueueOffset(0));
    });
}

#[test]
fn nothing_is_acknowledged_or_shown_after_a_failed_sync() {
    (0..60).for_each(a_sync_fails);
}

#[test]
fn syncs_that_fail_now_and_then_lose_nothing_that_was_promised() {
    let mut failures = 0;
    for seed in 0..60 {
        let world = World::new(seed);
        let node = world.node("broker");
        let ledger = Ledger::default();
        let rng = world.stream("test");
        world.block_on(async {
            for life in 0..6 {
                let store = loop {
                    match open(&world, &node, small(FlushMode::Sync)).await {
                        Ok(store) => break store,
                        // A sync that fails during recovery: the process gives up, the next tries.
                        Err(error) => {
                            assert!(!matches!(error, store::OpenError::Damaged { .. }), "{error}");
                            failures += 1;
                            world.restart(&node);
                            fault::sync_error::chance(&world, &node, 0.0);
                        }
                    }
                };
                ledger.check(&store, &format!("seed {seed}, life {life}")).await;
                let chance = [0.0, 0.01, 0.1][rng.below(3) as usize];
                fault::sync_error::chance(&world, &node, chance);
                let clock = world.runtime(&node).clock;
                let draws = rng.stream(&format!("writer {life}"));
                world.spawn_on(&node, ledger.clone().keep_writing(store.clone(), clock, draws));
                world.sleep(Duration::from_millis(rng.below(3_000))).await;
                ledger.note_promised(&store);
                failures += u64::from(store.poisoned().is_some());
                if rng.chance(0.5) {
                    fault::sync_error::evict_clean_pages(&world, &node);
                }
                if rng.chance(0.5) {
                    world.power_fail(&node)
                } else {
                    world.kill(&node)
                }
                ledger.forget_unpromised();
                world.restart(&node);
            }
        });
    }
    assert!(failures > 20, "{failures} failures are too few to show anything");
}
