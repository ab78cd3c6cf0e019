//! Kills, power failures and restarts, a few hundred histories each.

use std::time::Duration;

use sim::{Node, World};
use store::{FlushMode, Store, StoreConfig};

use crate::ground::{Ledger, open, pooled, small};

/// How a life of the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kill,
    PowerFailure,
    Shutdown,
}

/// One life: open, check what is owed, write and read for a while, end.
async fn live(world: &World, node: &Node, config: &StoreConfig, ledger: &Ledger, end: End) {
    let seed = world.seed();
    let store = open(world, node, config.clone()).await.expect("the store opens");
    ledger.check(&store, &format!("seed {seed}, {:?}", config.flush)).await;
    check_zeros(world, node, &store);
    let clock = world.runtime(node).clock;
    let rng = world.stream(&format!("life/{}", world.incarnation(node)));
    let pace = rng.below(2_000);
    let (writer, reader) = (rng.stream("writer"), rng.stream("reader"));
    world.spawn_on(node, ledger.clone().keep_writing(store.clone(), clock.clone(), writer));
    world.spawn_on(node, ledger.clone().keep_reading(store.clone(), clock, reader));
    world.sleep(Duration::from_millis(pace)).await;
    ledger.note_promised(&store);
    match end {
        End::Kill if config.pool_in_use().is_some() => {
            let committed = store.visible().reached();
            world.kill(node);
            let books = ledger.books();
            let unseen = |place| books.taken[place].end > committed;
            assert!(!books.seen.keys().any(unseen), "seed {seed}: seen before it was committed");
            drop(books);
            ledger.forget_from(committed);
        }
        End::Kill => {
            // What was appended stands in the page cache: all of it is owed.
            world.kill(node);
            let books = &mut *ledger.books();
            books.promised.clone_from(&books.taken);
        }
        End::PowerFailure => {
            let flushed = store.flushed().reached();
            world.power_fail(node);
            match config.flush {
                FlushMode::Sync => ledger.forget_unpromised(),
                FlushMode::Async => ledger.forget_from(flushed),
            }
        }
        End::Shutdown => {
            let closing = store.clone();
            let closed = world.on(node, async move { closing.shutdown().await }).await;
            closed.expect("nobody kills it").expect("a sound store shuts down");
            let books = &mut *ledger.books();
            books.promised.clone_from(&books.taken);
            drop(store);
            world.kill(node);
        }
    }
    world.restart(node);
}

/// Behind the end of the log nothing stands that could ever read as a record.
fn check_zeros(world: &World, node: &Node, store: &Store) {
    let images = world.disk_image(node);
    let end = store.appended().reached();
    for (path, bytes) in &images.cache {
        let Some(name) = path.strip_prefix("store/commitlog/") else { continue };
        let base: u64 = name.parse().expect("a segment's name is a number");
        let behind = end.saturating_sub(base).min(bytes.len() as u64) as usize;
        assert!(bytes[behind..].iter().all(|byte| *byte == 0), "{path} is not zero from {behind}");
    }
}

fn histories(seeds: std::ops::Range<u64>, ends: &[End], config: &StoreConfig) {
    for seed in seeds {
        let world = World::new(seed);
        let node = world.node("broker");
        let ledger = Ledger::default();
        let rng = world.stream("ends");
        world.block_on(async {
            for _ in 0..5 {
                let end = ends[rng.below(ends.len() as u64) as usize];
                live(&world, &node, config, &ledger, end).await;
            }
            live(&world, &node, config, &ledger, End::Shutdown).await;
            live(&world, &node, config, &ledger, End::Shutdown).await;
        });
        let books = ledger.books();
        assert!(
            !books.promised.is_empty(),
            "seed {seed}: a run that promises nothing shows nothing"
        );
    }
}

#[test]
fn what_is_promised_under_sync_flush_survives_every_crash() {
    histories(0..100, &[End::Kill, End::PowerFailure, End::Shutdown], &small(FlushMode::Sync));
}

#[test]
fn what_was_flushed_under_async_flush_survives_every_crash() {
    histories(1000..1100, &[End::Kill, End::PowerFailure, End::Shutdown], &small(FlushMode::Async));
}

#[test]
fn a_killed_process_loses_nothing_it_appended() {
    histories(2000..2050, &[End::Kill], &small(FlushMode::Async));
}

#[test]
fn what_was_committed_by_a_pool_survives_every_kill_and_what_was_flushed_every_crash() {
    histories(3000..3030, &[End::Kill, End::PowerFailure, End::Shutdown], &pooled());
    histories(4000..4020, &[End::Kill], &pooled());
}
