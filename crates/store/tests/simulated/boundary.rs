//! Where a segment ends: records that fit to the byte, and those that are one too long.

use message::PhysicalOffset;
use sim::World;
use store::{AppendError, Appended, FlushMode, Store, StoreConfig};

use crate::ground::{append_plain as append, open, pooled, read_all, small};

const SEGMENT: u64 = 64 << 10;
/// What stays free behind every record.
const BLANK_HEAD: u64 = 8;

/// With and without private buffers between an append and its segment.
fn configs() -> [StoreConfig; 3] {
    [small(FlushMode::Sync), small(FlushMode::Async), pooled()]
}

/// Appends a message whose record has exactly `len` bytes.
async fn record(store: &Store, len: u64) -> Result<Appended, AppendError> {
    let queue = store.queue("Orders", 0);
    let around = store.appender().append(&crate::ground::message(&queue, b"", &[b"TAGS\x01TagA"]));
    let around = match around {
        Err(AppendError::SegmentNotReady) => {
            store.segment_ready().await.unwrap();
            append(store, &queue, b"").await.unwrap()
        }
        other => other.unwrap(),
    };
    append(store, &queue, &vec![7; (len - u64::from(around.len)) as usize]).await
}

/// Fills the first segment so that `left` bytes stay.
async fn leave(store: &Store, left: u64) {
    let empty = append(store, &store.queue("Orders", 0), b"").await.unwrap();
    let filled = record(store, SEGMENT - left - 2 * u64::from(empty.len)).await.unwrap();
    assert_eq!(filled.end, SEGMENT - left, "the segment is filled up to where it should be");
}

#[test]
fn a_record_is_taken_if_eight_bytes_stay_free_behind_it_and_goes_on_in_the_next_segment_if_not() {
    for config in configs() {
        for (len, over) in [(4_000, 0), (4_000, 1), (4_000, 7), (4_000, 8), (4_000, 9)] {
            let world = World::new(1);
            let node = world.node("broker");
            world.block_on(async {
                let store = open(&world, &node, config.clone()).await.unwrap();
                let queue = store.queue("Orders", 0);
                leave(&store, len + BLANK_HEAD - over).await;
                let body = vec![1; 4_000 - 91 - "Orders".len() - "TAGS\x01TagA".len()];
                let appended = append(&store, &queue, &body).await.unwrap();
                assert_eq!(u64::from(appended.len), len);
                let expected = if over == 0 { SEGMENT - BLANK_HEAD - len } else { SEGMENT };
                assert_eq!(appended.physical, PhysicalOffset(expected), "{over} too long");
                let next = append(&store, &queue, b"behind").await.unwrap();
                assert!(next.physical.0 >= SEGMENT);
                store.flushed().wait(next.end).await.unwrap();
                store.dispatched().wait(next.end).await.unwrap();
                let before = read_all(&store, &queue).await;
                world.power_fail(&node);
                world.restart(&node);
                let store = open(&world, &node, config.clone()).await.unwrap();
                assert_eq!(read_all(&store, &store.queue("Orders", 0)).await, before);
                assert_eq!(store.appended().reached(), next.end);
            });
        }
    }
}

#[test]
fn a_record_as_long_as_a_segment_holds_is_taken_and_one_byte_more_is_refused() {
    for config in configs() {
        let world = World::new(2);
        let node = world.node("broker");
        world.block_on(async {
            let store = open(&world, &node, config.clone()).await.unwrap();
            let queue = store.queue("Orders", 0);
            let empty = u64::from(append(&store, &queue, b"").await.unwrap().len);
            let body = |len: u64| vec![1; (len - empty) as usize];
            for len in [SEGMENT - BLANK_HEAD + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT] {
                let end = store.appended().reached();
                let refused = append(&store, &queue, &body(len)).await;
                let Err(AppendError::TooLarge { part: "record", len: told, max }) = refused else {
                    panic!("{len} bytes: {refused:?}");
                };
                assert_eq!((told, max), (len, SEGMENT - BLANK_HEAD));
                assert_eq!(store.appended().reached(), end, "nothing of it is in the log");
            }
            for _ in 0..3 {
                let whole = append(&store, &queue, &body(SEGMENT - BLANK_HEAD)).await.unwrap();
                assert!(whole.physical.0.is_multiple_of(SEGMENT));
                assert_eq!(whole.end, whole.physical.0 + SEGMENT - BLANK_HEAD);
                store.flushed().wait(whole.end).await.unwrap();
            }
            let last = append(&store, &queue, b"behind").await.unwrap();
            assert_eq!(last.queue_offset.0, 4, "a refusal uses no place");
            store.dispatched().wait(last.end).await.unwrap();
            assert_eq!(read_all(&store, &queue).await.len(), 5);
        });
    }
}

#[test]
fn a_record_for_which_the_next_segment_is_too_short_is_refused() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        // A store whose configured segments have grown: the next one is still of the old size.
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        let queue = store.queue("Orders", 0);
        let first = append(&store, &queue, b"first").await.unwrap();
        store.flushed().wait(first.end).await.unwrap();
        world.sleep(std::time::Duration::from_secs(2)).await;
        store.shutdown().await.unwrap();
        world.kill(&node);
        world.restart(&node);
        let grown = StoreConfig { segment_size: 4 * SEGMENT, ..small(FlushMode::Sync) };
        let store = open(&world, &node, grown).await.unwrap();
        let queue = store.queue("Orders", 0);
        let refused = append(&store, &queue, &vec![1; 2 * SEGMENT as usize]).await;
        let taken = store.appended().reached();
        match refused {
            Err(AppendError::TooLarge { part: "record", .. }) => assert_eq!(taken, first.end),
            // The shutdown found no prepared segment of the old size.
            Ok(appended) => assert_eq!(appended.end, taken),
            other => panic!("{other:?}"),
        }
    });
}
