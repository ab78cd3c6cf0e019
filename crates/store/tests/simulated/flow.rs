//! Flow control: refusals by name, and their end.

use std::time::Duration;

use sim::{World, fault};
use store::{AppendError, Busy, FlushMode, StoreConfig};

use crate::ground::{append, open, small};

fn cause<T>(result: Result<T, AppendError>) -> Option<Busy> {
    match result {
        Err(AppendError::Busy { cause, .. }) => Some(cause),
        _ => None,
    }
}

#[test]
fn an_append_that_stands_still_refuses_the_others_and_no_longer() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let held = store.appender();
        world.sleep(Duration::from_millis(999)).await;
        // Waiting for the lock would end this test for ever; only the refusal can be looked at.
        world.sleep(Duration::from_millis(2)).await;
        assert_eq!(cause(store.admit()), Some(Busy::PageCache));
        drop(held);
        assert!(store.admit().is_ok());
        // It held the lock and appended nothing; that leaves no lock-start behind.
        world.sleep(Duration::from_secs(60)).await;
        assert!(store.admit().is_ok());
        let queue = store.queue("Orders", 0);
        let long = vec![0; 70_000];
        assert!(matches!(append(&store, &queue, &long).await, Err(AppendError::TooLarge { .. })));
        world.sleep(Duration::from_secs(60)).await;
        assert!(store.admit().is_ok(), "nor does one that was refused");
    });
}

#[test]
fn a_device_that_does_not_keep_up_refuses_and_takes_again_when_it_has_caught_up() {
    for stuck in [false, true] {
        let world = World::new(2);
        let node = world.node("broker");
        world.block_on(async {
            let bytes = if stuck { u64::MAX } else { 20_000 };
            let config = StoreConfig {
                unflushed_bytes_max: bytes,
                flush_stuck_ms_max: if stuck { 2_000 } else { 1 << 40 },
                ..small(FlushMode::Async)
            };
            let store = open(&world, &node, config).await.unwrap();
            let queue = store.queue("Orders", 0);
            fault::slow_disk::stall(&world, &node);
            let mut refused = None;
            for _ in 0..60 {
                match append(&store, &queue, &[1; 500]).await {
                    Ok(_) => world.sleep(Duration::from_millis(500)).await,
                    refusal => {
                        refused = cause(refusal);
                        break;
                    }
                }
            }
            assert_eq!(refused, Some(Busy::Flush), "stuck: {stuck}");
            let end = store.appended().reached();
            assert_eq!(cause(append(&store, &queue, b"again").await), Some(Busy::Flush));
            assert_eq!(store.appended().reached(), end);
            fault::slow_disk::release(&world, &node);
            world.sleep(Duration::from_secs(15)).await;
            append(&store, &queue, b"room again").await.unwrap();
        });
    }
}
