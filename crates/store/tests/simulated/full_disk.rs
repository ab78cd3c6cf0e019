//! A disk without room: refusals with a name, and on again when there is room.

use std::time::Duration;

use sim::{World, fault};
use store::{AppendError, Busy, FlushMode, StoreConfig};

use crate::ground::{append, open, read_all, small};

#[test]
fn a_full_disk_refuses_what_needs_a_segment_and_recovers_when_there_is_room() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        // The small IndexFiles of these tests are full in no time, and a new one needs room.
        let config = StoreConfig { index_enabled: false, ..small(FlushMode::Sync) };
        let store = open(&world, &node, config).await.unwrap();
        let queue = store.queue("Orders", 0);
        append(&store, &queue, b"the queue has its file").await.unwrap();
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        fault::full_disk::capacity(&world, &node, 100_000);
        let mut taken = 1;
        let refused = loop {
            match append(&store, &queue, &[1; 4_000]).await {
                Ok(appended) => {
                    taken += 1;
                    store.promised().wait(appended.end).await.unwrap();
                }
                Err(refused) => break refused,
            }
        };
        assert!(matches!(refused, AppendError::Busy { cause: Busy::Disk, .. }), "{refused:?}");
        assert!(taken > 10, "the segment that was there is used up first");
        assert_eq!(store.poisoned(), None, "a full disk is no lost sync");

        fault::full_disk::capacity(&world, &node, 1 << 30);
        world.sleep(Duration::from_secs(5)).await;
        let appended = append(&store, &queue, b"room again").await.unwrap();
        assert_eq!(appended.queue_offset.0, taken);
        store.promised().wait(appended.end).await.unwrap();
        store.dispatched().wait(appended.end).await.unwrap();
        assert_eq!(read_all(&store, &queue).await.len() as u64, taken + 1);
    });
}
