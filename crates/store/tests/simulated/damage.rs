//! Bit rot and lost files in what was durable: reported, skipped, kept, and never the end of the
//! log.

use std::collections::BTreeSet;

use message::record::View;
use message::{PhysicalOffset, QueueOffset};
use sim::{Node, World, fault};
use store::{
    Boundary, FlushMode, GetRequest, GetStatus, OpenError, QueryRequest, QueueHandle, ReadError,
    Store,
};

use crate::ground::{QUEUES, append, open, read_all, small, unique_key};

const COUNT: u64 = 300;
/// The length of the segments in `small`.
const SEGMENT: u64 = 64 << 10;

/// A store of some segments, shut down.
async fn filled(world: &World, node: &Node) {
    let store = open(world, node, small(FlushMode::Async)).await.unwrap();
    for number in 0..COUNT {
        let (topic, queue_id) = QUEUES[(number % 4) as usize];
        append(&store, &store.queue(topic, queue_id), &[number as u8; 700]).await.unwrap();
    }
    store.shutdown().await.unwrap();
    world.restart(node);
}

/// Makes recovery read the log from its start.
async fn forget_queues(world: &World, node: &Node) {
    let disk = world.runtime(node).disk;
    for file in disk.list("store/consumequeue/Orders/1").await.unwrap() {
        let path = format!("store/consumequeue/Orders/1/{}", file.name);
        disk.remove_file(&path).await.unwrap();
    }
}

fn segment_path(number: u64) -> String {
    format!("store/commitlog/{:020}", number * SEGMENT)
}

/// Every message, read as a consumer reads, over whatever is skipped; and how many were skipped.
async fn read_over(store: &Store) -> (BTreeSet<(String, u32, u64)>, u64) {
    let (mut found, skipped) = (BTreeSet::new(), store.skipped_count());
    for queue in store.queues() {
        let mut from = queue.min_offset();
        while from < queue.max_offset() {
            let filter = |_| true;
            let request =
                GetRequest { queue: &queue, from, count_max: 1, bytes_max: 1, filter: &filter };
            let result = store.get(&request).await;
            match result.status {
                GetStatus::Found => {
                    found.insert((queue.topic().into(), queue.queue_id(), result.next_begin.0 - 1));
                }
                GetStatus::MessageWasRemoving => {}
                other => panic!("{queue:?} at {from}: {other:?}"),
            }
            assert!(result.next_begin > from, "it goes on");
            from = result.next_begin;
        }
    }
    (found, store.skipped_count() - skipped)
}

#[test]
fn a_flipped_bit_in_what_is_durable_costs_one_message_and_is_on_record() {
    for at in [4, 24, 300] {
        let world = World::new(4);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            // The size's neighbour, the place, the body of the second segment's first record.
            assert!(fault::bit_rot::flip(&world, &node, &segment_path(1), (at, 3)));
            forget_queues(&world, &node).await;
            let rotten = world.disk_image(&node).durable[&segment_path(1)].clone();
            world.restart(&node);
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            let ranges = store.quarantined();
            assert_eq!(ranges.len(), 1, "{ranges:?}");
            assert_eq!(ranges[0].from, SEGMENT);
            assert!(ranges[0].to - ranges[0].from < 1_000, "one record: {ranges:?}");
            let (found, skips) = read_over(&store).await;
            assert_eq!((found.len() as u64, skips), (COUNT - 1, 1));
            // What dispatch finds reaches the file before the next checkpoint.
            world.sleep(std::time::Duration::from_secs(3)).await;
            let image = world.disk_image(&node).durable;
            assert_eq!(image[&segment_path(1)], rotten, "its bytes are kept");
            assert!(image.contains_key("store/quarantine.json"), "it is on record");
            // The place is not given again.
            for (topic, queue_id) in QUEUES {
                let queue = store.queue(topic, queue_id);
                let appended = append(&store, &queue, b"new").await.unwrap();
                assert_eq!(appended.queue_offset, QueueOffset(COUNT / 4));
            }
            store.shutdown().await.unwrap();
            world.restart(&node);
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            assert_eq!(store.quarantined(), ranges, "it stays on record");
            let (found, _) = read_over(&store).await;
            assert_eq!(found.len() as u64, COUNT - 1 + 4);
        });
    }
}

/// A filled store, open, of which one bit turns over then: at `at` of a file.
async fn struck(world: &World, node: &Node, path: &str, at: u64) -> Store {
    filled(world, node).await;
    let store = open(world, node, small(FlushMode::Async)).await.unwrap();
    assert!(fault::bit_rot::flip(world, node, path, (at, 3)));
    store
}

#[test]
fn a_record_that_rots_while_the_store_is_open_is_never_served_and_on_record() {
    // Magic, place in the queue, place in the log, length of the body, body, topic.
    for at in [5, 23, 30, 86, 300, 790] {
        let world = World::new(8);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            let start = PhysicalOffset(SEGMENT);
            let whole = store.message_at(start).await.unwrap().expect("a segment starts there");
            let (body, topic) = {
                let view = View::parse(&whole).unwrap();
                (view.body.to_vec(), view.topic.to_owned())
            };
            assert!(fault::bit_rot::flip(&world, &node, &segment_path(1), (at, 3)));
            let (found, skips) = read_over(&store).await;
            assert_eq!((found.len() as u64, skips), (COUNT - 1, 1), "at {at}");
            if matches!(at, 23 | 790) {
                // The format has no checksum over them: the record stands, as another queue's.
                assert_eq!(store.quarantined(), []);
                return;
            }
            let ranges = store.quarantined();
            assert_eq!((ranges.len(), ranges[0].from), (1, SEGMENT), "{ranges:?}");
            assert!(ranges[0].to - SEGMENT < 1_000, "one record: {ranges:?}");
            let image = world.disk_image(&node).durable;
            assert!(image.contains_key("store/quarantine.json"), "it is on record");
            let refused = store.message_at(start).await;
            assert!(matches!(refused, Err(ReadError::Damaged { .. })), "{refused:?}");
            let key = unique_key(&body);
            let request = QueryRequest {
                topic: &topic,
                key: &key,
                count_max: 1,
                begin_ms: 0,
                end_ms: u64::MAX,
            };
            let refused = store.query(&request).await;
            assert!(matches!(refused, Err(ReadError::Damaged { .. })), "{refused:?}");
        });
    }
}

#[test]
fn damage_that_only_a_look_up_meets_is_refused_by_name_too() {
    let world = World::new(9);
    let node = world.node("broker");
    world.block_on(async {
        let store = struck(&world, &node, &segment_path(1), 300).await;
        let refused = store.message_at(PhysicalOffset(SEGMENT)).await.map(|_| ());
        assert!(refused.unwrap_err().to_string().contains("restore the segment"));
        assert_eq!(store.quarantined().len(), 1);
        // One that is no record's says nothing of the kind.
        assert_eq!(store.message_at(PhysicalOffset(2 * SEGMENT + 9)).await.unwrap(), None);
    });
}

#[test]
fn the_time_of_a_damaged_message_is_neither_old_nor_young() {
    // Of its body, and of its place in the queue, which no checksum covers: it is another's then.
    for bit in [300, 27] {
        let world = World::new(10);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            let queue = store.find_queue("Orders", 1).unwrap();
            let mut found = Vec::new();
            for place in [10, 37, 38, 60] {
                let time = store.store_time(&queue, QueueOffset(place)).await.unwrap();
                found.push(time.expect("it is there"));
            }
            let before: Vec<_> = search_all(&store, &queue, &found).await;
            // The middle that a search looks at first.
            let file = "store/consumequeue/Orders/1/00000000000000000400";
            let entry = world.disk_image(&node).cache[file].slice(17 * 20..17 * 20 + 8);
            let at = u64::from_be_bytes(entry[..].try_into().unwrap());
            let path = segment_path(at / SEGMENT);
            assert!(fault::bit_rot::flip(&world, &node, &path, (at % SEGMENT + bit, 1)));
            assert_eq!(search_all(&store, &queue, &found).await, before);
            assert!(store.store_time(&queue, QueueOffset(37)).await.is_err());
        });
    }
}

async fn search_all(store: &Store, queue: &QueueHandle, times: &[u64]) -> Vec<QueueOffset> {
    let mut found = Vec::new();
    for time in times {
        found.push(store.search_offset(queue, *time, Boundary::Lower).await.unwrap());
    }
    found
}

#[test]
fn an_entry_that_leads_astray_is_made_anew_by_who_reads_it() {
    // Within its first sector: the place in the log, high and low, and the length; also of the
    // first entry and of the last one of its file.
    for at in [0, 7, 60, 66, 67, 68, 71, 386, 391] {
        let world = World::new(11);
        let node = world.node("broker");
        world.block_on(async {
            let file = "store/consumequeue/Orders/1/00000000000000000000";
            let store = struck(&world, &node, file, at).await;
            let (found, skips) = read_over(&store).await;
            assert_eq!((found.len() as u64, skips), (COUNT, 0), "at {at}");
            assert_eq!(store.quarantined(), [], "the log is sound");
            let image = world.disk_image(&node);
            assert_ne!(image.cache[file], image.durable[file], "written anew at {at}");
        });
    }
}

/// Found by `bit_rot` with seed 91: a length that had turned sent the search for the next record
/// behind it.
#[test]
fn neighbours_that_lead_astray_are_made_anew_too() {
    let world = World::new(14);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let file = "store/consumequeue/Orders/1/00000000000000000000";
        // Of the third entry a length of 2^14 more, of the next one the place.
        for at in [(2 * 20 + 10, 6), (3 * 20, 0), (4 * 20 + 6, 1)] {
            assert!(fault::bit_rot::flip(&world, &node, file, at));
        }
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let (found, skips) = read_over(&store).await;
        assert_eq!((found.len() as u64, skips), (COUNT, 0));
    });
}

#[test]
fn a_search_by_time_goes_by_the_log_where_an_entry_leads_astray() {
    let world = World::new(12);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let queue = store.find_queue("Orders", 1).unwrap();
        let mut found = Vec::new();
        for place in [10, 37, 38, 60] {
            let time = store.store_time(&queue, QueueOffset(place)).await.unwrap();
            found.push(time.expect("it is there"));
        }
        let before: Vec<_> = search_all(&store, &queue, &found).await;
        // The middle that a search looks at first; behind the log, and another's record.
        for target in [1 << 40, 0] {
            lead_astray(&world, &node, 37, target);
            assert_eq!(search_all(&store, &queue, &found).await, before, "{target}");
        }
    });
}

/// Turns bits over until the entry of the first queue at `at` leads to `target`.
fn lead_astray(world: &World, node: &Node, at: u64, target: u64) {
    // Small stores have twenty entries of twenty bytes a file.
    let file = format!("store/consumequeue/Orders/1/{:020}", at / 20 * 400);
    let from = (at % 20) as usize * 20;
    let entry = world.disk_image(node).durable[&file].slice(from..from + 8);
    let wrong = target ^ u64::from_be_bytes(entry[..].try_into().expect("eight bytes"));
    for bit in (0..64).filter(|bit| wrong >> bit & 1 == 1) {
        let byte = from as u64 + 7 - bit / 8;
        assert!(fault::bit_rot::flip(world, node, &file, (byte, (bit % 8) as u8)));
    }
}

/// Found by `bit_rot` with seed 669027: the entry was believed, and its sound message passed over.
#[test]
fn an_entry_that_leads_into_damage_by_mistake_is_made_anew() {
    // Of the first, the middle and the last entry of a file; before and behind the damage.
    for at in [20, 29, 39, 45] {
        let world = World::new(15);
        let node = world.node("broker");
        world.block_on(async {
            let store = struck(&world, &node, &segment_path(1), 30).await;
            let (found, skips) = read_over(&store).await;
            assert_eq!((found.len() as u64, skips), (COUNT - 1, 1));
            let damaged = store.quarantined()[0].from;
            let (whole, _) = read_over(&store).await;
            lead_astray(&world, &node, at, damaged);
            let (found, skips) = read_over(&store).await;
            assert_eq!((found, skips), (whole, 1), "entry {at}");
        });
    }
}

#[test]
fn a_failed_store_does_not_pass_over_an_entry_that_leads_into_damage_by_mistake() {
    let world = World::new(16);
    let node = world.node("broker");
    world.block_on(async {
        let store = struck(&world, &node, &segment_path(1), 30).await;
        let _ = read_over(&store).await;
        let queue = store.queue("Orders", 1);
        fault::sync_error::next(&world.control(), &node, 1);
        let appended = append(&store, &queue, &[7; 700]).await.unwrap();
        assert!(store.flushed().wait(appended.end).await.is_err(), "the sync fails");
        lead_astray(&world, &node, 20, store.quarantined()[0].from);
        let (from, count_max, bytes_max) = (QueueOffset(20), 1, 1);
        let filter = &|_| true;
        let request = GetRequest { queue: &queue, from, count_max, bytes_max, filter };
        // What it does not know it does not call gone, and it makes nothing anew.
        let result = store.get(&request).await;
        assert_eq!((result.status, result.next_begin), (GetStatus::ReadFailed, from));
    });
}

#[test]
fn an_entry_that_leads_beyond_the_checkpoint_is_made_anew() {
    // Into a record that no checkpoint vouches for, behind the log, and behind all there can be.
    for target in [None, Some(1 << 20), Some(u64::MAX - 3)] {
        let world = World::new(13);
        let node = world.node("broker");
        world.block_on(async {
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            let queue = store.queue("Orders", 1);
            for number in 0..COUNT {
                append(&store, &queue, &[number as u8; 700]).await.unwrap();
            }
            // A checkpoint vouches for these, and not for the next.
            world.sleep(std::time::Duration::from_secs(5)).await;
            let last = append(&store, &queue, &[7; 700]).await.unwrap();
            store.promised().wait(last.end).await.unwrap();
            // Halving for the end does not meet this one.
            lead_astray(&world, &node, COUNT - 4, target.unwrap_or(last.physical.0 + 8));
            world.power_fail(&node);
            world.restart(&node);
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            let (found, skips) = read_over(&store).await;
            assert_eq!((found.len() as u64, skips), (COUNT + 1, 0), "{target:?}");
            assert_eq!(store.quarantined(), [], "the log is sound");
        });
    }
}

/// Found by `misdirected_write` with seed 115: the entries of the damaged records were cut, and
/// their places given to messages that groups which had consumed the old ones never asked for.
#[test]
fn a_start_gives_no_place_again_whose_durable_record_is_damaged() {
    // The magic, the body.
    for at in [4, 300] {
        let world = World::new(12);
        let node = world.node("broker");
        world.block_on(async {
            let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
            let mut last = Vec::new();
            for number in 0..COUNT {
                let (topic, queue_id) = QUEUES[(number % 4) as usize];
                let queue = store.queue(topic, queue_id);
                last.push(append(&store, &queue, &[number as u8; 700]).await.unwrap());
            }
            // A checkpoint vouches for all of it.
            world.sleep(std::time::Duration::from_secs(5)).await;
            for lost in last.iter().rev().take(8) {
                let (segment, from) = (lost.physical.0 / SEGMENT, lost.physical.0 % SEGMENT);
                assert!(fault::bit_rot::flip(
                    &world,
                    &node,
                    &segment_path(segment),
                    (from + at, 3)
                ));
            }
            world.power_fail(&node);
            for _ in 0..2 {
                world.restart(&node);
                let store = open(&world, &node, small(FlushMode::Sync)).await.unwrap();
                for (topic, queue_id) in QUEUES {
                    let queue = store.queue(topic, queue_id);
                    assert_eq!(queue.max_offset().0, COUNT / 4, "{topic}/{queue_id}, byte {at}");
                }
                let (found, skips) = read_over(&store).await;
                assert_eq!((found.len() as u64, skips), (COUNT - 8, 8), "byte {at}");
                world.kill(&node);
            }
        });
    }
}

#[test]
fn a_lost_segment_in_the_middle_costs_its_messages_only() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        world.runtime(&node).disk.remove_file(&segment_path(1)).await.unwrap();
        world.restart(&node);
        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let ranges: Vec<_> =
            store.quarantined().iter().map(|range| (range.from, range.to)).collect();
        assert_eq!(ranges, [(SEGMENT, 2 * SEGMENT)]);
        let (found, skips) = read_over(&store).await;
        assert_eq!(found.len() as u64 + skips, COUNT);
        assert!(skips > 50, "{skips}");
    });
}

#[test]
fn a_log_that_lost_its_newest_segments_is_refused_by_name() {
    let world = World::new(6);
    let node = world.node("broker");
    world.block_on(async {
        filled(&world, &node).await;
        let disk = world.runtime(&node).disk;
        for segment in disk.list("store/commitlog").await.unwrap().iter().skip(2) {
            disk.remove_file(&format!("store/commitlog/{}", segment.name)).await.unwrap();
        }
        world.restart(&node);
        let before = world.disk_image(&node).cache;
        let refused = open(&world, &node, small(FlushMode::Async)).await.err();
        assert!(matches!(refused, Some(OpenError::Damaged { .. })), "{refused:?}");
        let segments = |image: &std::collections::BTreeMap<String, _>| {
            image.keys().filter(|path| path.contains("commitlog")).cloned().collect::<Vec<_>>()
        };
        assert_eq!(segments(&before), segments(&world.disk_image(&node).cache));
    });
}

#[test]
fn without_a_checkpoint_damage_in_an_old_segment_does_not_end_the_log() {
    for unclean in [false, true] {
        let world = World::new(7);
        let node = world.node("broker");
        world.block_on(async {
            filled(&world, &node).await;
            let disk = world.runtime(&node).disk;
            disk.remove_file("store/checkpoint").await.unwrap();
            if unclean {
                disk.write("store/abort", &[]).await.unwrap();
            }
            assert!(fault::bit_rot::flip(&world, &node, &segment_path(0), (300, 3)));
            world.restart(&node);
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            assert_eq!(store.quarantined().len(), 1);
            let (found, _) = read_over(&store).await;
            assert_eq!(found.len() as u64, COUNT - 1);
        });
    }
}

#[test]
fn recovering_twice_leaves_the_same_bytes_as_recovering_once() {
    for seed in 0..20 {
        let world = World::new(seed);
        let node = world.node("broker");
        let rng = world.stream("test");
        world.block_on(async {
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            for _ in 0..rng.below(200) {
                let (topic, queue_id) = QUEUES[rng.below(4) as usize];
                append(&store, &store.queue(topic, queue_id), &[7; 700]).await.unwrap();
                world.sleep(std::time::Duration::from_millis(rng.below(20))).await;
            }
            drop(store);
            world.power_fail(&node);
            world.restart(&node);
            let mut images = Vec::new();
            for _ in 0..2 {
                let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
                let held: usize = {
                    let mut held = 0;
                    for queue in store.queues() {
                        held += read_all(&store, &queue).await.len();
                    }
                    held
                };
                let mut files = world.disk_image(&node).cache;
                // A segment that is prepared ahead may be there or not.
                files.retain(|path, bytes| {
                    let derived = path.contains("/commitlog/") || path.contains("/consumequeue/");
                    derived && bytes.iter().any(|byte| *byte != 0)
                });
                images.push((held, files));
                world.kill(&node);
                world.restart(&node);
            }
            assert_eq!(images[0].0, images[1].0, "seed {seed}");
            for (path, bytes) in &images[0].1 {
                assert!(images[1].1.get(path) == Some(bytes), "seed {seed}: {path}");
            }
            assert_eq!(images[0].1.len(), images[1].1.len(), "seed {seed}");
        });
    }
}
