//! What a consumer gets, and where it is told to go on.

use message::{PhysicalOffset, QueueOffset, SysFlag};
use sim::World;
use store::StoreConfig;
use store::{
    AppendError, Boundary, FlushMode, GetRequest, GetResult, GetStatus, QueueHandle, Store,
};

use crate::ground::{append, append_plain, message, open, small};

/// Which tags codes pass.
type Filter<'a> = &'a (dyn Fn(i64) -> bool + Sync);

async fn get(store: &Store, queue: &QueueHandle, from: u64, filter: Filter<'_>) -> GetResult {
    let from = QueueOffset(from);
    let request = GetRequest { queue, from, count_max: 32, bytes_max: 256 << 10, filter };
    store.get(&request).await
}

async fn append_all(store: &Store, queue: &QueueHandle, count: u64) {
    let mut end = 0;
    for number in 0..count {
        end = append(store, queue, &[number as u8; 100]).await.unwrap().end;
    }
    store.dispatched().wait(end).await.unwrap();
}

#[test]
fn every_status_says_where_to_go_on() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        assert!(store.find_queue("Orders", 0).is_none());
        let queue = store.queue("Orders", 0);
        let told = async |from, filter: Filter<'_>| {
            let result = get(&store, &queue, from, filter).await;
            (result.status, result.next_begin.0, result.count)
        };
        assert_eq!(told(0, &|_| true).await, (GetStatus::NoMessageInQueue, 0, 0));
        assert_eq!(told(9, &|_| true).await, (GetStatus::NoMessageInQueue, 0, 0));
        append_all(&store, &queue, 50).await;
        assert_eq!(
            told(0, &|_| true).await,
            (GetStatus::Found, 20, 20),
            "a read ends with its file"
        );
        assert_eq!(told(25, &|_| true).await, (GetStatus::Found, 40, 15));
        assert_eq!(told(40, &|_| true).await, (GetStatus::Found, 50, 10));
        assert_eq!(told(50, &|_| true).await, (GetStatus::OffsetOverflowOne, 50, 0));
        assert_eq!(told(51, &|_| true).await, (GetStatus::OffsetOverflowBadly, 50, 0));
        assert_eq!(told(3, &|_| false).await, (GetStatus::NoMatchedMessage, 20, 0));
        let tag_a = message::tags_code("TagA");
        assert_eq!(told(40, &|code| code == tag_a).await, (GetStatus::Found, 50, 10));
    });
}

#[test]
fn neighbours_in_the_log_come_in_one_slice_and_bounds_hold() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let (queue, other) = (store.queue("Orders", 0), store.queue("Orders", 1));
        append_all(&store, &queue, 5).await;
        append_all(&store, &other, 1).await;
        append_all(&store, &queue, 5).await;
        let all = get(&store, &queue, 0, &|_| true).await;
        assert_eq!((all.count, all.messages.len()), (10, 2));
        let bytes: usize = all.messages.iter().map(|slice| slice.len()).sum();
        assert_eq!(bytes as u64, all.bytes);
        let each = all.bytes / 10;
        let bounded = async |count_max, bytes_max| {
            let from = QueueOffset(0);
            let request =
                GetRequest { queue: &queue, from, count_max, bytes_max, filter: &|_| true };
            store.get(&request).await.count
        };
        assert_eq!(bounded(3, 1 << 20).await, 3);
        assert_eq!(bounded(99, 4 * each).await, 4);
        assert_eq!(bounded(99, 4 * each - 1).await, 3);
        assert_eq!(bounded(99, 1).await, 1, "the first comes whatever its length");
    });
}

#[test]
fn a_record_that_no_segment_holds_is_refused_and_uses_no_place() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        for len in [65_423, 65_536, 5 << 20] {
            let refused = append_plain(&store, &queue, &vec![1; len]).await;
            assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "{len}: {refused:?}");
        }
        let properties = vec![b'p'; 40_000];
        let refused = store.appender().append(&message(&queue, b"", &[&properties]));
        assert!(matches!(refused, Err(AppendError::TooLarge { part: "properties", .. })));
        let refused = append(&store, &store.queue("../Orders", 0), b"").await;
        assert!(matches!(refused, Err(AppendError::Topic { .. })));
        // The record with which the segment is full but for the blank.
        let fits = (64 << 10) - 8 - 91 - "Orders".len() - "TAGS1TagA".len();
        let appended = append_plain(&store, &queue, &vec![1; fits]).await.unwrap();
        assert_eq!((appended.queue_offset, appended.end), (QueueOffset(0), (64 << 10) - 8));
        let next = append(&store, &queue, b"in the next segment").await.unwrap();
        assert_eq!((next.queue_offset, next.physical), (QueueOffset(1), PhysicalOffset(64 << 10)));
    });
}

#[test]
fn half_messages_take_no_place_and_are_not_seen() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        let mut offsets = Vec::new();
        for bits in [0, 4, 8, 12, 0] {
            let half = store::Append { sys_flag: SysFlag(bits), ..message(&queue, b"x", &[]) };
            offsets.push(store.appender().append(&half).unwrap().queue_offset.0);
        }
        assert_eq!(offsets, [0, 0, 1, 0, 2]);
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        assert_eq!(get(&store, &queue, 0, &|_| true).await.count, 3);
    });
}

#[test]
fn times_are_found_from_both_sides() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        assert_eq!(store.earliest_time(&queue).await.unwrap(), None);
        let mut times = Vec::new();
        for _ in 0..4 {
            // Two at each time.
            for _ in 0..2 {
                times.push(append(&store, &queue, b"x").await.unwrap().store_timestamp);
            }
            world.sleep(std::time::Duration::from_secs(1)).await;
        }
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        let find =
            async |time, boundary| store.search_offset(&queue, time, boundary).await.unwrap().0;
        for (at, time) in times.iter().enumerate() {
            let first = at as u64 / 2 * 2;
            assert_eq!(find(*time, Boundary::Lower).await, first);
            assert_eq!(find(*time, Boundary::Upper).await, first + 1);
            assert_eq!(find(*time + 1, Boundary::Lower).await, first + 2);
            assert_eq!(find(*time + 1, Boundary::Upper).await, first + 1);
        }
        assert_eq!((find(0, Boundary::Lower).await, find(0, Boundary::Upper).await), (0, 0));
        assert_eq!(store.earliest_time(&queue).await.unwrap(), Some(times[0]));
    });
}

#[test]
fn a_queue_whose_first_messages_are_gone_starts_behind_fillers() {
    let world = World::new(6);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        for _ in 0..30 {
            append(&store, &queue, &[1; 5_000]).await.unwrap();
        }
        store.shutdown().await.unwrap();
        // Retention took the first segment, and somebody deleted the queues.
        let disk = world.runtime(&node).disk;
        disk.remove_file("store/commitlog/00000000000000000000").await.unwrap();
        for file in disk.list("store/consumequeue/Orders/0").await.unwrap() {
            disk.remove_file(&format!("store/consumequeue/Orders/0/{}", file.name)).await.unwrap();
        }
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        assert_eq!((queue.min_offset(), queue.max_offset()), (QueueOffset(12), QueueOffset(30)));
        let small_one = get(&store, &queue, 3, &|_| true).await;
        assert_eq!((small_one.status, small_one.next_begin.0), (GetStatus::OffsetTooSmall, 12));
        assert_eq!(get(&store, &queue, 12, &|_| true).await.count, 8);
        let next = append(&store, &queue, b"next").await.unwrap();
        assert_eq!(next.queue_offset, QueueOffset(30));
    });
}

#[test]
fn a_queue_file_taken_out_of_the_middle_is_made_again() {
    let world = World::new(8);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        append_all(&store, &store.queue("Orders", 0), 70).await;
        store.shutdown().await.unwrap();
        let disk = world.runtime(&node).disk;
        disk.remove_file("store/consumequeue/Orders/0/00000000000000000400").await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.queue("Orders", 0);
        queue.caught_up().await.unwrap();
        let told = async |from| {
            let result = get(&store, &queue, from, &|_| true).await;
            (result.status, result.next_begin.0)
        };
        assert_eq!(told(19).await, (GetStatus::Found, 20));
        assert_eq!(told(20).await, (GetStatus::Found, 40));
        assert_eq!(told(40).await, (GetStatus::Found, 60));
    });
}

#[test]
fn an_idle_store_sets_no_timers() {
    let world = World::new(7);
    let node = world.node("broker");
    world.block_on(async {
        let config = StoreConfig { queue_flush_interval_ms: 100, ..small(FlushMode::Async) };
        let store = open(&world, &node, config).await.unwrap();
        append(&store, &store.queue("Orders", 0), b"x").await.unwrap();
        world.sleep(std::time::Duration::from_secs(60)).await;
        let settled = world.trace().hash();
        world.sleep(std::time::Duration::from_secs(3_600)).await;
        assert_eq!(world.trace().hash(), settled, "something happened on an idle store");
    });
}
