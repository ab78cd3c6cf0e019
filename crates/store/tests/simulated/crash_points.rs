//! Every crash, not the ones that a seed draws: each window below is run once while its disk is
//! recorded, and then the store is started on *every* disk that a crash in the window may leave:
//! after each operation, killed; after each operation, with each prefix of what was under way to
//! the device; and with random parts of it, pages torn between sectors included.
//!
//! On each of them: the store opens; whatever had been flushed is there, byte for byte and at its
//! place; whatever is there had been appended, and all before it is there, too; and a process that
//! was only killed lost nothing it had appended.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::{Crashes, Node, World, Wreck};
use store::{FlushMode, Retention, Store, StoreConfig};

use crate::ground::{
    Place, QUEUES, Taken, append, open, place, pooled, query, read_everything, small, unique_key,
};

/// How many random parts are tried after each operation.
const SAMPLES: usize = 3;

/// What the window did, by the number of disk operations that had ended then.
#[derive(Default)]
struct Deeds {
    /// Appended messages, and after how many operations they were.
    taken: BTreeMap<Place, (usize, Taken)>,
    /// The ends of what was flushed, and after how many operations that was known.
    flushed: Vec<(usize, u64)>,
    /// The ends of what stood in the segments, likewise: with the pool less than what was appended.
    committed: Vec<(usize, u64)>,
    /// The starts of what was not deleted, likewise.
    kept_from: Vec<(usize, u64)>,
}

impl Deeds {
    /// The end of what survives power loss after operation `at`.
    fn flushed_by(&self, at: usize) -> u64 {
        let known = self.flushed.iter().filter(|(when, _)| *when <= at);
        known.map(|(_, end)| *end).max().unwrap_or(0)
    }

    /// The end of what stood in the segments after operation `at`.
    fn committed_by(&self, at: usize) -> u64 {
        let known = self.committed.iter().filter(|(when, _)| *when <= at);
        known.map(|(_, end)| *end).max().unwrap_or(0)
    }

    /// Where the log may begin after a crash at operation `at`: what was surely deleted by then
    /// stays so, and what nobody deleted is there.
    fn starts(&self, at: usize) -> RangeInclusive<u64> {
        let surely = self.kept_from.iter().filter(|(when, _)| *when <= at).map(|(_, from)| *from);
        let perhaps = self.kept_from.iter().map(|(_, from)| *from);
        surely.max().unwrap_or(0)..=perhaps.max().unwrap_or(0)
    }

    /// The end of what was appended after operation `at`.
    fn appended_by(&self, at: usize) -> u64 {
        let taken = self.taken.values().filter(|(when, _)| *when <= at);
        taken.map(|(_, taken)| taken.end).max().unwrap_or(0)
    }
}

/// A world with a store in it, and what it has done.
struct Window<'a> {
    world: &'a World,
    node: Node,
    config: StoreConfig,
    deeds: Arc<Mutex<Deeds>>,
    images: usize,
    /// Where the log may begin after the crash at hand.
    starts: RangeInclusive<u64>,
    /// Whether every message is looked up by its key, too.
    keys: bool,
}

impl Window<'_> {
    async fn open(&self) -> Store {
        let store = open(self.world, &self.node, self.config.clone()).await.expect("it opens");
        let (watched, control) = (store.flushed().clone(), self.world.control());
        let (node, deeds) = (self.node.clone(), self.deeds.clone());
        self.world.spawn_on(&self.node, async move {
            let mut end = 0;
            while watched.wait(end + 1).await.is_ok() {
                end = watched.reached();
                let now = control.recorded_operations(&node);
                deeds.lock().unwrap().flushed.push((now, end));
            }
        });
        if self.config.pool.is_some() {
            let (watched, control) = (store.visible().clone(), self.world.control());
            let (node, deeds) = (self.node.clone(), self.deeds.clone());
            self.world.spawn_on(&self.node, async move {
                let mut end = 0;
                while watched.wait(end + 1).await.is_ok() {
                    end = watched.reached();
                    let now = control.recorded_operations(&node);
                    deeds.lock().unwrap().committed.push((now, end));
                }
            });
        }
        store
    }

    /// Appends so many messages of up to `len` bytes.
    async fn append(&self, store: &Store, count: u64, len: u64) {
        let rng = self.world.stream("bodies");
        for number in 0..count {
            let (topic, queue_id) = QUEUES[rng.below(QUEUES.len() as u64) as usize];
            let queue = store.queue(topic, queue_id);
            let mut body = vec![0; rng.below(len) as usize];
            rng.fill(&mut body);
            let appended = append(store, &queue, &body).await.expect("it takes the message");
            let now = self.world.recorded_operations(&self.node);
            let taken =
                Taken { physical: appended.physical.0, end: appended.end, body: body.into() };
            let place = place(&queue, appended.queue_offset);
            self.deeds.lock().unwrap().taken.insert(place, (now, taken));
            if number % 3 == 2 {
                self.world.sleep(Duration::from_millis(rng.below(4))).await;
            }
        }
    }

    /// Lets everything become durable, so that the window begins with a clean disk.
    async fn settle(&self, store: &Store) {
        self.world.sleep(Duration::from_secs(60)).await;
        store.flushed().wait(store.appended().reached()).await.expect("it flushes");
    }

    /// What happened so far had happened before the first operation.
    fn begin(&self) {
        self.world.record_crashes(&self.node);
        let deeds = &mut *self.deeds.lock().unwrap();
        deeds.taken.values_mut().for_each(|(when, _)| *when = 0);
        deeds.flushed.iter_mut().for_each(|(when, _)| *when = 0);
        deeds.committed.iter_mut().for_each(|(when, _)| *when = 0);
    }

    /// Deletes what is expired, and notes where the log begins, until so long has passed.
    async fn clean(&self, store: &Store, for_ms: u64) {
        store.delete_expired();
        for _ in 0..for_ms {
            self.world.sleep(Duration::from_millis(1)).await;
            let now = self.world.recorded_operations(&self.node);
            self.deeds.lock().unwrap().kept_from.push((now, store.min_offset().0));
        }
    }

    /// Ends the window and starts the store on every disk that a crash in it may have left.
    async fn crash_everywhere(&mut self, name: &str) {
        let crashes = self.world.recorded_crashes(&self.node);
        self.world.kill(&self.node);
        assert!(crashes.operations() > 0, "{name}: a window without operations shows nothing");
        for at in 0..=crashes.operations() {
            self.crash_at(name, &crashes, at).await;
        }
        println!("{name}: {} operations, {} images recovered", crashes.operations(), self.images);
    }

    async fn crash_at(&mut self, name: &str, crashes: &Crashes, at: usize) {
        let when = format!("{name}, after operation {at} ({})", crashes.operation(at));
        let (kept, flushed, starts) = {
            let deeds = self.deeds.lock().unwrap();
            let kept = match self.config.pool {
                Some(_) => deeds.committed_by(at),
                None => deeds.appended_by(at),
            };
            (kept, deeds.flushed_by(at), deeds.starts(at))
        };
        self.starts = starts;
        self.recover(&crashes.killed(at), kept, &format!("{when}, killed")).await;
        for (cut, wreck) in crashes.prefixes(at).iter().enumerate() {
            self.recover(wreck, flushed, &format!("{when}, prefix {cut}")).await;
        }
        let rng = self.world.stream(&format!("samples/{name}/{at}"));
        for sample in 0..SAMPLES {
            let wreck = crashes.sample(at, &rng);
            self.recover(&wreck, flushed, &format!("{when}, sample {sample}")).await;
        }
    }

    /// The end of the log that recovery finds on the wreck.
    async fn end_of(&self, wreck: &Wreck) -> u64 {
        let node = self.world.node("scout");
        self.world.restart_on(&node, wreck);
        let opened = open(self.world, &node, self.config.clone()).await.expect("it opens");
        let end = opened.appended().reached();
        self.world.kill(&node);
        end
    }

    /// Starts the store on the wreck; everything below `owed` must be there.
    async fn recover(&mut self, wreck: &Wreck, owed: u64, when: &str) {
        self.images += 1;
        let node = self.world.node("heir");
        self.world.restart_on(&node, wreck);
        let opened = open(self.world, &node, self.config.clone()).await;
        let store = opened.unwrap_or_else(|error| panic!("{when}: {error}"));
        let end = store.appended().reached();
        store.dispatched().wait(end).await.expect("it dispatches");
        let there: BTreeMap<Place, Taken> = read_everything(&store).await.into_iter().collect();
        let start = store.min_offset().0;
        assert!(
            self.starts.contains(&start),
            "{when}: it begins at {start}, not {:?}",
            self.starts
        );
        let known = self.deeds.lock().unwrap().taken.clone();
        for (place, (_, taken)) in &known {
            let found = there.get(place);
            if taken.physical < start {
                assert_eq!(found, None, "{when}: {place:?} is deleted");
                continue;
            }
            assert!(taken.end > owed || found == Some(taken), "{when}: {place:?} is owed");
            assert_eq!(found.is_some(), taken.end <= end, "{when}: {place:?}, log to {end}");
            assert!(found.is_none_or(|found| found == taken), "{when}: {place:?} is another");
        }
        if self.keys {
            for ((topic, ..), taken) in &there {
                let found = query(&store, topic, &unique_key(&taken.body)).await;
                assert!(found.contains(&taken.body), "{when}: {} by key", taken.physical);
            }
        }
        let phantom = there.keys().find(|place| !known.contains_key(*place));
        assert_eq!(phantom, None, "{when}: nobody appended it");
        let lost = known.iter().filter(|(_, (_, taken))| taken.end > end);
        let lost = lost.min_by_key(|(_, (_, taken))| taken.end);
        let heir = lost.map(|((topic, queue_id, _), (_, taken))| {
            (topic.clone(), *queue_id, vec![0xAA; taken.body.len()])
        });
        if let Some((topic, queue_id, body)) = heir {
            // As long as the first one that was lost: what stood behind that would follow it now.
            let queue = store.queue(&topic, queue_id);
            let end = append(&store, &queue, &body).await.expect("it takes a message").end;
            if self.config.pool.is_some() {
                store.visible().wait(end).await.expect("it commits");
            }
            assert_eq!(self.end_of_killed(&node).await, end, "{when}: an old record came back");
        }
        self.world.kill(&node);
    }

    /// Kills the store on the node and starts it again: where its log ends.
    async fn end_of_killed(&self, node: &Node) -> u64 {
        self.world.kill(node);
        self.world.restart(node);
        let opened = open(self.world, node, self.config.clone()).await.expect("it opens again");
        opened.appended().reached()
    }
}

/// Runs one window, which tells when it begins, and then every crash in it.
fn window(name: &str, seed: u64, flush: FlushMode, run: impl AsyncFnOnce(&mut Window<'_>)) {
    window_of(name, seed, small(flush), run);
}

/// The same with other settings.
fn window_of(name: &str, seed: u64, config: StoreConfig, run: impl AsyncFnOnce(&mut Window<'_>)) {
    let world = World::new(seed);
    let node = world.node("broker");
    let mut window = Window {
        world: &world,
        node,
        config,
        deeds: Arc::default(),
        images: 0,
        starts: 0..=0,
        keys: false,
    };
    world.block_on(async {
        run(&mut window).await;
        window.crash_everywhere(name).await;
    });
}

#[test]
fn while_the_first_files_are_made() {
    window("first start", 1, FlushMode::Sync, async |window| {
        window.begin();
        let store = window.open().await;
        window.append(&store, 3, 200).await;
        store.promised().wait(store.appended().reached()).await.unwrap();
    });
}

#[test]
fn while_it_appends_and_flushes() {
    for (seed, flush) in [(2, FlushMode::Sync), (3, FlushMode::Async)] {
        window("append and flush", seed, flush, async |window| {
            let store = window.open().await;
            window.append(&store, 20, 600).await;
            window.settle(&store).await;
            window.begin();
            window.append(&store, 12, 900).await;
            window.world.sleep(Duration::from_secs(2)).await;
        });
    }
}

#[test]
fn while_it_rolls() {
    for (seed, flush) in [(4, FlushMode::Sync), (5, FlushMode::Async)] {
        window("roll", seed, flush, async |window| {
            let store = window.open().await;
            window.append(&store, 24, 4096).await;
            window.settle(&store).await;
            window.begin();
            // Over the end of the first segment and of the first ConsumeQueue files.
            window.append(&store, 40, 2048).await;
            window.world.sleep(Duration::from_secs(1)).await;
        });
    }
}

#[test]
fn while_the_checkpoint_is_written() {
    window("checkpoint", 6, FlushMode::Async, async |window| {
        let store = window.open().await;
        window.append(&store, 30, 300).await;
        window.settle(&store).await;
        window.begin();
        window.append(&store, 2, 300).await;
        window.settle(&store).await;
    });
}

/// Segments, then queue files, then IndexFiles go.
#[test]
fn while_it_cleans() {
    let retention =
        Retention { reserved_ms: 1, interval_ms: 50, delete_pause_ms: 5, ..Retention::default() };
    let config = StoreConfig { retention, ..small(FlushMode::Async) };
    window_of("clean", 12, config, async |window| {
        window.keys = true;
        let store = window.open().await;
        window.append(&store, 110, 4096).await;
        window.settle(&store).await;
        assert_eq!(store.min_offset().0, 0, "nothing is deleted before the window");
        window.begin();
        window.clean(&store, 400).await;
        assert!(store.min_offset().0 > 0, "something is deleted in it");
    });
}

/// An IndexFile of three hundred entries is filled, synced and followed by another. Its header lies
/// pages away from its last entries: of a file that fits into a sector no crash takes a part. And
/// no sync of everything, for many queues or closed files, takes the place of the index's own.
///
/// Planted to see it fail: full files are not synced (keys are lost). Planted and healed, because
/// recovery does not believe what it is told: the newest file's entries are not synced before the
/// checkpoint counts them (their links say so, and it is made anew), nor the directory (the file
/// that the checkpoint names is missing, and made anew).
#[test]
fn while_the_index_rolls() {
    let config = StoreConfig {
        index_entries: 300,
        queue_files_open_max: 64,
        queue_syncs_max: 64,
        ..small(FlushMode::Sync)
    };
    window_of("index roll", 13, config, async |window| {
        window.keys = true;
        let store = window.open().await;
        window.append(&store, 94, 200).await;
        window.settle(&store).await;
        window.begin();
        window.append(&store, 14, 200).await;
        window.world.sleep(Duration::from_secs(3)).await;
    });
}

/// Messages go from the private buffers into the segments, and then to the device.
///
/// Planted to see it fail: the flush goes to what is appended (what is owed is not there); the
/// committed position rises before the write (dispatch meets bytes that are no record).
#[test]
fn while_the_pool_is_committed() {
    // Flushed at its interval, and not just when a commit wakes the flush.
    let config = StoreConfig { flush_pages_least: 0, ..pooled() };
    window_of("pool commit", 14, config, async |window| {
        let store = window.open().await;
        window.append(&store, 10, 600).await;
        window.settle(&store).await;
        window.begin();
        // Some of it is in the buffers whenever the rest is flushed.
        for _ in 0..10 {
            window.append(&store, 3, 3000).await;
            window.world.sleep(Duration::from_millis(130)).await;
        }
        window.world.sleep(Duration::from_secs(2)).await;
    });
}

/// The checkpoint falls due long before the log does: it must wait, or vouch for nothing.
#[test]
fn while_the_checkpoint_waits_for_a_late_flush() {
    let config = StoreConfig { flush_interval_ms: 4_000, ..small(FlushMode::Async) };
    window_of("late flush", 11, config, async |window| {
        let store = window.open().await;
        window.append(&store, 10, 300).await;
        window.settle(&store).await;
        window.begin();
        window.append(&store, 8, 600).await;
        window.world.sleep(Duration::from_secs(6)).await;
    });
}

#[test]
fn while_it_shuts_down() {
    window("shutdown", 7, FlushMode::Async, async |window| {
        let store = window.open().await;
        window.append(&store, 30, 300).await;
        window.settle(&store).await;
        window.begin();
        window.append(&store, 5, 700).await;
        let closed = window.world.on(&window.node, async move { store.shutdown().await }).await;
        closed.expect("nobody kills it").expect("a sound store shuts down");
    });
}

/// A crash within the recovery from a crash that tore the log's tail.
#[test]
fn while_it_recovers() {
    for seed in [8, 9, 10] {
        window("recovery", seed, FlushMode::Async, async |window| {
            let store = window.open().await;
            window.append(&store, 30, 600).await;
            window.settle(&store).await;
            window.begin();
            window.append(&store, 60, 3000).await;
            let crashes = window.world.recorded_crashes(&window.node);
            let wreck = crashes.sample(crashes.operations(), &window.world.stream("wreck"));
            let survivors = window.end_of(&wreck).await;
            // What came back is owed from now on; what did not is gone.
            {
                let deeds = &mut *window.deeds.lock().unwrap();
                deeds.taken.retain(|_, (_, taken)| taken.end <= survivors);
                deeds.flushed = vec![(0, survivors)];
            }
            window.world.restart_on(&window.node, &wreck);
            window.begin();
            let store = window.open().await;
            store.dispatched().wait(survivors).await.expect("it dispatches");
            window.append(&store, 3, 300).await;
            window.world.sleep(Duration::from_secs(3)).await;
        });
    }
}
