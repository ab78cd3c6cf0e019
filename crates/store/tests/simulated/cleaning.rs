//! Old segments go: by age, by space, on demand; and what is left is served as before.

use std::time::Duration;

use message::QueueOffset;
use sim::{Node, World, fault};
use store::{
    AppendError, Busy, FlushMode, GetRequest, GetStatus, Hours, QueueHandle, Retention, Store,
    StoreConfig,
};

use crate::ground::{append, open, read_all, small};

/// So long is a record kept in these tests.
const KEPT: Duration = Duration::from_secs(600);

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

fn segments(world: &World, node: &Node) -> usize {
    let image = world.disk_image(node).cache;
    image.keys().filter(|path| path.contains("commitlog/")).count()
}

async fn get(store: &Store, queue: &QueueHandle, from: u64) -> store::GetResult {
    let (filter, from) = (|_| true, QueueOffset(from));
    store.get(&GetRequest { queue, from, count_max: 32, bytes_max: 1 << 18, filter: &filter }).await
}

#[test]
fn what_is_expired_goes_and_queues_follow_and_a_restart_agrees() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, forgetful()).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 40).await;
        let held = get(&store, &queue, 0).await.messages;
        let bytes = held[0].to_vec();
        world.sleep(KEPT).await;
        fill(&store, &queue, 1).await;
        world.sleep(Duration::from_secs(30)).await;
        let min = queue.min_offset().0;
        assert!(store.min_offset().0 > 0 && min > 0, "{} {min}", store.min_offset());
        assert_eq!(held[0], bytes, "a reader keeps what it holds");
        let told = get(&store, &queue, 0).await;
        assert_eq!((told.status, told.next_begin.0), (GetStatus::OffsetTooSmall, min));
        let there = read_all(&store, &queue).await;
        assert_eq!(there.len() as u64, 41 - min);
        assert_eq!(there[0].1.physical, store.min_offset().0, "the first that is kept is served");
        let files = |topic: &str| {
            let image = world.disk_image(&node).cache;
            image.keys().filter(|path| path.contains(topic)).count()
        };
        assert_eq!(files("consumequeue/Orders/0"), 2, "20 entries each, and one file went");

        world.power_fail(&node);
        world.restart(&node);
        let store = open(&world, &node, forgetful()).await.unwrap();
        let queue = store.queue("Orders", 0);
        assert_eq!((queue.min_offset().0, queue.max_offset().0), (min, 41));
        assert_eq!(read_all(&store, &queue).await, there);
    });
}

#[test]
fn young_segments_and_the_one_that_is_written_stay() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, forgetful()).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 40).await;
        store.delete_expired();
        world.sleep(KEPT - Duration::from_secs(60)).await;
        assert_eq!(store.min_offset().0, 0, "nothing is old enough");
        world.sleep(KEPT * 10).await;
        assert_eq!(store.min_offset().0, 2 * (64 << 10), "the third is written");
        assert_eq!(segments(&world, &node), 2, "and the fourth prepared");
        fill(&store, &queue, 1).await;
        assert!(get(&store, &queue, 40).await.status == GetStatus::Found);
    });
}

#[test]
fn out_of_its_hours_only_an_operator_s_wish_deletes() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        let now_ms = world.runtime(&node).clock.now_ms();
        let far_hour = (now_ms / 3_600_000 + 12) % 24;
        let mut config = forgetful();
        config.retention.hours = far_hour.to_string().parse().unwrap();
        let store = open(&world, &node, config).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 40).await;
        world.sleep(KEPT * 2).await;
        assert_eq!(store.min_offset().0, 0);
        store.delete_expired();
        world.sleep(Duration::from_secs(2)).await;
        assert_eq!(store.min_offset().0, 2 * (64 << 10));
    });
}

#[test]
fn a_disk_that_is_too_full_refuses_and_forgets_the_oldest_and_takes_again() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { retention: Retention::default(), ..forgetful() };
        let store = open(&world, &node, config).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 100).await;
        let space = world.runtime(&node).disk.space().unwrap();
        let used = space.total - space.available;
        fault::full_disk::capacity(&world, &node, used * 100 / 92);
        world.sleep(Duration::from_secs(10)).await;
        let refused = append(&store, &queue, b"too full").await.unwrap_err();
        assert!(matches!(refused, AppendError::Busy { cause: Busy::Disk, .. }), "{refused:?}");
        assert!(refused.to_string().starts_with("[DISK]"), "{refused}");
        world.sleep(Duration::from_secs(15)).await;
        assert_eq!(store.disk_full(), None, "the oldest went");
        let min = queue.min_offset().0;
        assert!((1..50).contains(&min), "and not more than must: {min}");
        fill(&store, &queue, 1).await;
        assert_eq!(read_all(&store, &queue).await.len() as u64, 101 - min);
    });
}

#[test]
fn a_disk_that_may_not_forget_refuses_until_there_is_room() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let mut config = forgetful();
        config.retention = Retention { forcible: false, ..Retention::default() };
        let store = open(&world, &node, config).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 40).await;
        fault::full_disk::capacity(&world, &node, 5 * (64 << 10));
        world.sleep(Duration::from_secs(60)).await;
        fault::full_disk::capacity(&world, &node, 4 * (64 << 10));
        world.sleep(Duration::from_secs(60)).await;
        assert!(append(&store, &queue, b"too full").await.is_err());
        assert_eq!(store.min_offset().0, 0);
        fault::full_disk::capacity(&world, &node, 1 << 30);
        world.sleep(Duration::from_secs(2)).await;
        fill(&store, &queue, 1).await;
        assert_eq!(read_all(&store, &queue).await.len(), 41);
    });
}

#[test]
fn queues_follow_what_an_earlier_process_deleted() {
    let world = World::new(6);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, forgetful()).await.unwrap();
        let queue = store.queue("Orders", 0);
        fill(&store, &queue, 40).await;
        world.sleep(KEPT - Duration::from_secs(20)).await;
        let of_queue = |path: &&String| path.contains("consumequeue/Orders/0");
        // In the pause behind the second and last removal.
        while store.min_offset().0 < 2 * (64 << 10) {
            world.sleep(Duration::from_millis(1)).await;
        }
        let image = world.disk_image(&node).cache;
        assert_eq!(image.keys().filter(of_queue).count(), 2, "the queue has not followed yet");
        world.kill(&node);
        world.restart(&node);
        let _store = open(&world, &node, forgetful()).await.unwrap();
        world.sleep(Duration::from_secs(30)).await;
        let image = world.disk_image(&node).cache;
        assert_eq!(image.keys().filter(of_queue).count(), 1, "the first is not needed");
    });
}

/// Found by `retention` with seed 60: the last file of a queue stays however stale it is, and when
/// the queue went on in a next one after the pass, nobody came back for it before the log lost
/// another segment.
#[test]
fn a_file_that_was_stale_while_it_was_the_last_goes_once_it_is_not() {
    let world = World::new(7);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, forgetful()).await.unwrap();
        let (orders, bills) = (store.queue("Orders", 0), store.queue("Bills", 0));
        fill(&store, &orders, 20).await;
        fill(&store, &bills, 20).await;
        world.sleep(KEPT * 2).await;
        let log_start = store.min_offset();
        let files = || {
            let image = world.disk_image(&node).cache;
            image.keys().filter(|path| path.contains("consumequeue/Orders/0")).count()
        };
        assert_eq!((orders.min_offset().0, files()), (20, 1), "all are gone, the last file stays");

        fill(&store, &orders, 1).await;
        world.sleep(Duration::from_secs(1)).await;
        assert_eq!(store.min_offset(), log_start, "the log has lost nothing more");
        assert_eq!((orders.min_offset().0, files()), (20, 1), "the stale one is not needed now");
        assert_eq!(read_all(&store, &orders).await.len(), 1);
    });
}
