//! The index: its bytes, what it finds, and what it makes of files that are not what they were.

use std::time::Duration;

use bytes::Bytes;
use message::record::View;
use sim::{Node, World, fault};
use store::{FlushMode, QueryRequest, Store, StoreConfig};

use crate::ground::{append, message, open, query, small, unique_key};

/// Appends a message with these properties to queue 0 of a topic and waits until it is indexed.
async fn put(store: &Store, topic: &str, body: &[u8], properties: &str) -> u64 {
    let queue = store.queue(topic, 0);
    let appended = store
        .appender()
        .append(&message(&queue, body, &[properties.as_bytes()]))
        .expect("there is room");
    store.dispatched().wait(appended.end).await.expect("the store is sound");
    appended.store_timestamp
}

fn index_files(world: &World, node: &Node) -> Vec<(String, Bytes)> {
    let image = world.disk_image(node).cache;
    image.into_iter().filter(|(path, _)| path.starts_with("store/index/")).collect()
}

#[test]
fn the_bytes_are_those_of_rocketmq() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let config =
            StoreConfig { index_slots: 5_000, index_entries: 100, ..small(FlushMode::Sync) };
        let store = open(&world, &node, config).await.unwrap();
        let keys = "KEYS\x01k0 k1\x02UNIQ_KEY\x017F0000010A2C18B4AAC26A0A1B2C0000";
        let stored = put(&store, "TopicA", b"hello0", keys).await;
        put(&store, "TopicA", b"hello1", "no\x01keys").await;
        world.sleep(Duration::from_millis(2_500)).await;
        let last = put(&store, "TopicA", b"hello2", "KEYS\x01k0").await;
        store.shutdown().await.unwrap();
        let files = index_files(&world, &node);
        let [(path, bytes)] = &files[..] else { panic!("{} files", files.len()) };
        let name = path.strip_prefix("store/index/").unwrap();
        assert!(name.len() == 17 && name.parse::<u64>().is_ok(), "{name}");
        assert_eq!(bytes.len(), 40 + 5_000 * 4 + 100 * 20);
        let log = world.disk_image(&node).cache["store/commitlog/00000000000000000000"].clone();
        let len = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap()) as usize;
        let third = len(0) + len(len(0));
        let mut header = Vec::new();
        header.extend(stored.to_be_bytes());
        header.extend(last.to_be_bytes());
        header.extend(0u64.to_be_bytes());
        header.extend((third as u64).to_be_bytes());
        header.extend([0, 0, 0, 3, 0, 0, 0, 5]);
        assert_eq!(bytes[..40], header);
        let slot = |slot: usize| &bytes[40 + slot * 4..][..4];
        assert_eq!(slot(650), [0, 0, 0, 4], "TopicA#k0");
        assert_eq!(
            slot(649),
            [0, 0, 0, 3],
            "TopicA#k1, whose Java hash is one more and below zero"
        );
        let entry = |number: usize| &bytes[40 + 5_000 * 4 + number * 20..][..20];
        assert_eq!(entry(0), [0; 20]);
        assert_eq!(entry(1)[4..], [0; 16], "the unique key comes first");
        // 0x717125ca is 1903240650.
        let k0 = [0x71, 0x71, 0x25, 0xca, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(entry(2), k0);
        assert_eq!(entry(3)[..4], [0x71, 0x71, 0x25, 0xc9]);
        assert_eq!(entry(4)[..4], k0[..4]);
        assert_eq!(entry(4)[4..12], (third as u64).to_be_bytes());
        let seconds = ((last - stored) / 1_000) as u8;
        assert_eq!(entry(4)[12..], [0, 0, 0, seconds, 0, 0, 0, 2]);
        assert_eq!(entry(5), [0; 20]);
    });
}

#[test]
fn a_key_is_a_word_of_its_topic_and_a_rollback_has_none() {
    let world = World::new(2);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        // "Aa" and "BB" have one hash.
        put(&store, "T", b"one", "KEYS\x01Aa two  words\x02UNIQ_KEY\x01u1").await;
        put(&store, "T", b"two", "KEYS\x01BB two two").await;
        put(&store, "U", b"other", "KEYS\x01Aa").await;
        assert_eq!(query(&store, "T", "Aa").await, ["one"]);
        assert_eq!(query(&store, "T", "BB").await, ["two"]);
        assert_eq!(query(&store, "U", "Aa").await, ["other"]);
        assert_eq!(query(&store, "T", "two").await, ["one", "two"], "once each");
        assert_eq!(query(&store, "T", "u1").await, ["one"]);
        assert_eq!(query(&store, "T", "two  words").await, Vec::<Bytes>::new());
        assert_eq!(query(&store, "T", "").await, Vec::<Bytes>::new());
        let queue = store.queue("T", 0);
        for (kind, body) in [(4, b"half"), (12, b"away")] {
            let properties = [&b"KEYS\x01tx"[..]];
            let rest = message(&queue, body, &properties);
            let append = store::Append { sys_flag: message::SysFlag(kind), ..rest };
            let end = store.appender().append(&append).unwrap().end;
            store.dispatched().wait(end).await.unwrap();
        }
        assert_eq!(query(&store, "T", "tx").await, ["half"]);
    });
}

#[test]
fn only_what_was_stored_in_the_time_asked_for_is_found_and_the_newest_first() {
    let world = World::new(3);
    let node = world.node("broker");
    world.block_on(async {
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        let mut times = Vec::new();
        for number in 0..90u8 {
            times.push(put(&store, "T", &[number], "KEYS\x01k").await);
            world.sleep(Duration::from_millis(700)).await;
        }
        let find = async |count_max, begin_ms, end_ms| {
            let request = QueryRequest { topic: "T", key: "k", count_max, begin_ms, end_ms };
            let found = store.query(&request).await.unwrap();
            let body = |record: &Bytes| View::parse(record).unwrap().body[0];
            (found.messages.iter().map(body).collect::<Vec<_>>(), found.cut_short)
        };
        assert_eq!(find(100, 0, u64::MAX).await, ((26..90).collect(), true), "64 at most");
        assert_eq!(find(2, 0, u64::MAX).await, (vec![88, 89], true));
        assert_eq!(find(9, times[20], times[22]).await, (vec![20, 21, 22], false));
        assert_eq!(find(9, times[20] + 1, times[22] - 1).await, (vec![21], false));
        assert_eq!(find(9, times[89] + 1, u64::MAX).await, (vec![], false));
        assert!(find(0, 0, u64::MAX).await.0.is_empty());
    });
}

#[test]
fn a_clock_that_steps_back_hides_nothing() {
    let world = World::new(4);
    let node = world.node("broker");
    world.block_on(async {
        for round in 0..4u8 {
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            for number in 0..30 {
                put(&store, "T", &[round, number], &format!("KEYS\x01k{number}")).await;
            }
            store.shutdown().await.unwrap();
            fault::clock::jump(&world, &node, -3_000_000);
            world.restart(&node);
        }
        let files = index_files(&world, &node);
        assert!(files.len() >= 6, "{} files", files.len());
        let begins = |bytes: &Bytes| u64::from_be_bytes(bytes[16..24].try_into().unwrap());
        assert!(files.is_sorted_by_key(|(_, bytes)| begins(bytes)), "names rise with the log");
        let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
        for number in 0..30u8 {
            let expected: Vec<_> = (0..4u8).map(|round| vec![round, number]).collect();
            assert_eq!(query(&store, "T", &format!("k{number}")).await, expected);
        }
    });
}

/// How many messages [`filled`] stores.
const COUNT: u16 = 120;

/// Stores messages and ends the store well.
async fn filled(world: &World, node: &Node) {
    let store = open(world, node, small(FlushMode::Sync)).await.unwrap();
    for number in 0..COUNT {
        append(&store, &store.queue("T", 0), &number.to_be_bytes()).await.unwrap();
        world.sleep(Duration::from_millis(5)).await;
    }
    store.shutdown().await.unwrap();
    world.restart(node);
}

/// Opens the store and checks that every message is found. Gives the store.
async fn found_all(world: &World, node: &Node, config: StoreConfig, when: &str) -> Store {
    let store = open(world, node, config).await.unwrap();
    store.dispatched().wait(store.appended().reached()).await.unwrap();
    for number in 0..COUNT {
        let body = number.to_be_bytes();
        assert_eq!(query(&store, "T", &unique_key(&body)).await, [&body[..]], "{when}: {number}");
    }
    store
}

#[test]
fn a_clean_end_leaves_files_that_are_believed_and_not_touched() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let before = index_files(&world, &node);
        assert!(before.len() > 10);
        let store = found_all(&world, &node, small(FlushMode::Sync), "clean").await;
        assert_eq!(index_files(&world, &node), before);
        drop(store);
    });
}

#[test]
fn files_that_are_missing_short_or_damaged_are_made_anew() {
    for case in 0..24 {
        let world = World::new(100 + case);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            let files = index_files(&world, &node);
            let disk = world.runtime(&node).disk;
            let (path, bytes) = &files[[0, files.len() / 2, files.len() - 1][case as usize % 3]];
            let mut bytes = bytes.to_vec();
            match case / 3 {
                0 => disk.remove_file(path).await.unwrap(),
                1 => disk.write(path, &[]).await.unwrap(),
                2 => disk.write(path, &bytes[..300]).await.unwrap(),
                3 => disk.write(path, &vec![0xff; bytes.len()]).await.unwrap(),
                4 => disk.write("store/index/20000101000000000", b"junk").await.unwrap(),
                5 => disk.write("store/index/99990101000000000", &bytes).await.unwrap(),
                6 => disk.remove_file("store/checkpoint").await.unwrap(),
                _ => {
                    // As after a crash: the slots are not believed, and neither is this entry.
                    disk.write("store/abort", &[]).await.unwrap();
                    let (path, last) = &files[files.len() - 1];
                    bytes = last.to_vec();
                    bytes[40 + 64 + 20 + case as usize] ^= 4;
                    disk.write(path, &bytes).await.unwrap();
                }
            }
            world.restart(&node);
            let config = small(FlushMode::Sync);
            let store = found_all(&world, &node, config.clone(), &format!("case {case}")).await;
            store.shutdown().await.unwrap();
            world.restart(&node);
            found_all(&world, &node, config, &format!("case {case}, again")).await;
        });
    }
}

#[test]
fn another_size_of_files_makes_all_of_them_anew() {
    let world = World::new(6);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let config = StoreConfig { index_slots: 100, index_entries: 50, ..small(FlushMode::Sync) };
        let store = found_all(&world, &node, config, "larger").await;
        store.shutdown().await.unwrap();
        assert!(index_files(&world, &node).iter().all(|(_, bytes)| bytes.len() == 1_440));
    });
}

#[test]
fn a_store_that_had_no_index_for_a_while_is_indexed_as_a_whole() {
    for ends_well in [true, false] {
        let world = World::new(7);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            let config = StoreConfig { index_enabled: false, ..small(FlushMode::Sync) };
            let store = open(&world, &node, config).await.unwrap();
            append(&store, &store.queue("T", 0), b"unindexed").await.unwrap();
            world.sleep(Duration::from_secs(5)).await;
            let key = unique_key(b"unindexed");
            assert_eq!(query(&store, "T", &key).await, Vec::<Bytes>::new());
            match ends_well {
                true => store.shutdown().await.unwrap(),
                false => world.power_fail(&node),
            }
            world.restart(&node);
            let store = found_all(&world, &node, small(FlushMode::Sync), "enabled again").await;
            assert_eq!(query(&store, "T", &key).await, ["unindexed"]);
        });
    }
}

/// Makes the checkpoint one of RocketMQ's, with this time for the index.
async fn forget_mark(world: &World, node: &Node, index_timestamp: u64) {
    let disk = world.runtime(node).disk;
    let mut page = disk.read("store/checkpoint").await.unwrap().to_vec();
    page[16..24].copy_from_slice(&index_timestamp.to_be_bytes());
    page[64..].fill(0);
    disk.write("store/checkpoint", &page).await.unwrap();
    world.restart(node);
}

#[test]
fn files_of_a_rocketmq_that_ended_well_are_believed_by_what_they_say() {
    let world = World::new(8);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let before = index_files(&world, &node);
        forget_mark(&world, &node, 0).await;
        let store = found_all(&world, &node, small(FlushMode::Sync), "foreign").await;
        assert_eq!(index_files(&world, &node), before);
        append(&store, &store.queue("T", 0), b"next").await.unwrap();
        store.dispatched().wait(store.appended().reached()).await.unwrap();
        assert_eq!(query(&store, "T", &unique_key(b"next")).await, ["next"]);
    });
}

#[test]
fn of_a_rocketmq_that_was_killed_only_files_that_its_checkpoint_covers_are_believed() {
    let world = World::new(9);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let before = index_files(&world, &node);
        let disk = world.runtime(&node).disk;
        disk.write("store/abort", &[]).await.unwrap();
        let ends = |bytes: &Bytes| u64::from_be_bytes(bytes[8..16].try_into().unwrap());
        let third = ends(&before[2].1);
        let kept = before.iter().filter(|(_, bytes)| ends(bytes) <= third).count();
        forget_mark(&world, &node, third).await;
        let store = found_all(&world, &node, small(FlushMode::Sync), "killed").await;
        let after = index_files(&world, &node);
        assert_eq!(after[..kept], before[..kept]);
        assert!(kept < before.len() && after[kept].0 > before[kept].0, "the others are new");
        drop(store);
    });
}
