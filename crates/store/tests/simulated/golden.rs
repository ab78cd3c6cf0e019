//! Bytes that RocketMQ 4.9.7 wrote (S12): read by this store, and written by it again.
//!
//! The fixtures are the first records of a log that the official broker wrote for
//! `ci/interop/store`, and the entries that it put into one ConsumeQueue for them.

use message::QueueOffset;
use message::record::{Fields, View, views};
use sim::World;
use store::FlushMode;

use crate::ground::{open, read_everything, small};

const LOG: &[u8] = include_bytes!("../fixtures/rocketmq-4.9.7.commitlog");
const QUEUE: &[u8] = include_bytes!("../fixtures/rocketmq-4.9.7.consumequeue");
const QUEUE_TOPIC: &str = "clean-normal";

#[test]
fn records_are_written_as_rocketmq_wrote_them() {
    let mut count = 0;
    for record in views(LOG) {
        let (view, bytes) = record.expect("RocketMQ wrote whole records");
        assert!(view.crc_holds());
        let View { body, topic, properties, .. } = view;
        let again = Fields {
            queue_id: view.queue_id,
            flag: view.flag,
            queue_offset: view.queue_offset,
            physical_offset: view.physical_offset,
            sys_flag: view.sys_flag,
            born_timestamp: view.born_timestamp,
            born_host: view.born_host,
            store_timestamp: view.store_timestamp,
            store_host: view.store_host,
            reconsume_times: view.reconsume_times,
            prepared_transaction_offset: view.prepared_transaction_offset,
            body_crc: message::record::body_crc(body),
            body,
            topic,
            properties: &[properties],
        };
        assert_eq!(again.encode(), bytes, "the record at {}", view.physical_offset);
        count += 1;
    }
    assert!(count > 20, "{count} records");
}

#[test]
fn a_log_of_rocketmq_opens_and_its_queue_becomes_the_one_that_rocketmq_made() {
    let world = World::new(12);
    let node = world.node("broker");
    world.block_on(async {
        let disk = world.runtime(&node).disk;
        disk.create_dir("store/commitlog").await.unwrap();
        let path = "store/commitlog/00000000000000000000";
        let log = disk.create_segment(path, 64 << 10).await.unwrap();
        log.write_at(0, &[LOG]).unwrap();
        log.sync(0..log.len()).await.unwrap();
        // A RocketMQ that was killed.
        disk.replace("store/abort", b"").await.unwrap();
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let entries = QUEUE.len() as u64 / 20;
        let queue = store.queue(QUEUE_TOPIC, 0);
        queue.caught_up().await.unwrap();
        assert_eq!(queue.max_offset(), QueueOffset(entries));
        for queue in store.queues() {
            queue.caught_up().await.unwrap();
        }
        assert_eq!(read_everything(&store).await.len(), views(LOG).count());
        store.shutdown().await.unwrap();
        let mut written = Vec::new();
        for file in disk.list(&format!("store/consumequeue/{QUEUE_TOPIC}/0")).await.unwrap() {
            let path = format!("store/consumequeue/{QUEUE_TOPIC}/0/{}", file.name);
            written.extend(disk.read(&path).await.unwrap());
        }
        assert_eq!(written[..QUEUE.len()], *QUEUE);
        assert!(written[QUEUE.len()..].iter().all(|byte| *byte == 0), "zeros behind the entries");
    });
}
