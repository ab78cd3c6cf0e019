//! Checking a store: nothing to say about a sound one, and every kind of damage by its name.

use std::sync::atomic::AtomicU64;

use runtime::Disk;
use sim::{Node, World};
use store::FlushMode;
use store::inspect::{
    CheckOptions, DumpRequest, Dumped, InspectError, Kind, Plan, Report, Severity, Survey, check,
    dump, repair,
};

use crate::ground::{QUEUES, append, open, read_all, small};
use crate::rocketmq::{Image, SEGMENT, SLOTS};

async fn checked(disk: &Disk) -> Report {
    let survey = Survey::of(disk, "store").await.unwrap();
    let done = AtomicU64::new(0);
    check(disk, &survey, CheckOptions { index_slots: Some(SLOTS as u64) }, &done).await.unwrap()
}

/// Every kind that was found, with its severity.
fn kinds(report: &Report) -> Vec<(Severity, Kind)> {
    report.findings.groups().map(|(severity, kind, _)| (severity, kind)).collect()
}

/// A world whose node has RocketMQ's store, damaged by `harm`, and what a check finds.
fn found_in(harm: impl FnOnce(&mut Image)) -> Report {
    let world = World::new(3);
    let node = world.node("broker");
    let mut image = Image::new(200);
    harm(&mut image);
    world.block_on(async {
        let disk = world.runtime(&node).disk;
        image.write(&disk, "store").await;
        checked(&disk).await
    })
}

fn finds(expected: &[(Severity, Kind)], harm: impl FnOnce(&mut Image)) {
    let report = found_in(harm);
    assert_eq!(kinds(&report), expected, "{report:#?}");
}

/// A store of hotfire with some history, shut down, and the node's disk.
async fn hotfire(world: &World, node: &Node, count: u64) -> Disk {
    let store = open(world, node, small(FlushMode::Async)).await.unwrap();
    for number in 0..count {
        let (topic, queue_id) = QUEUES[(number % 4) as usize];
        append(&store, &store.queue(topic, queue_id), &[number as u8; 700]).await.unwrap();
    }
    store.shutdown().await.unwrap();
    world.runtime(node).disk
}

async fn flip(disk: &Disk, path: &str, at: u64) {
    let file = disk.open_sparse(path).await.unwrap();
    let byte = file.slice(at, 1).unwrap()[0];
    file.write_at(at, &[&[byte ^ 0x10]]).unwrap();
}

#[test]
fn a_sound_store_of_hotfire_gives_nothing_to_say() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let disk = hotfire(&world, &node, 300).await;
        let before = disk.walk("store").await.unwrap();
        let report = checked(&disk).await;
        assert_eq!(kinds(&report), []);
        let summary = report.summary;
        assert_eq!((summary.records, summary.queue_entries, summary.queues), (300, 300, 4));
        assert_eq!(summary.durable_to, Some(summary.log_end));
        assert_eq!(disk.walk("store").await.unwrap(), before, "a check changes nothing");
    });
}

#[test]
fn a_sound_store_of_rocketmq_gives_nothing_to_say() {
    let report = found_in(|_| {});
    assert_eq!(kinds(&report), [], "{report:#?}");
    let summary = report.summary;
    assert_eq!(summary.log_start, SEGMENT);
    assert_eq!(summary.records, summary.queue_entries);
    assert_eq!(summary.index_entries, summary.records * 3);
    assert!(summary.queue_entries_gone > 0 && summary.index_entries_gone > 0);
}

#[test]
fn damage_in_the_log_is_named_and_what_follows_it_is_still_checked() {
    let middle = 40;
    for (kind, byte) in [(Kind::LogCrc, 90), (Kind::LogRecord, 4), (Kind::LogPosition, 33)] {
        let report = found_in(|image| {
            let at = image.records[middle].0;
            *image.log_byte(at + byte) ^= 0x11;
        });
        assert!(report.findings.has(Severity::Error, kind), "{kind:?}: {report:#?}");
        let lost = u64::from(kind != Kind::LogCrc);
        let all = found_in(|_| {}).summary.records;
        assert_eq!(report.summary.records, all - lost, "{kind:?}");
    }
    finds(&[(Severity::Error, Kind::LogCrc)], |image| {
        let at = image.records[middle].0;
        *image.log_byte(at + 90) ^= 0x11;
    });
    let report = found_in(|image| {
        image.files.remove(&format!("commitlog/{:020}", SEGMENT * 2));
    });
    assert!(report.findings.has(Severity::Error, Kind::LogMissing), "{report:#?}");
}

#[test]
fn bytes_behind_the_end_of_a_clean_log_may_come_back_to_life() {
    finds(&[(Severity::Warning, Kind::LogResidue)], |image| {
        let (at, len, ..) = *image.records.last().unwrap();
        *image.log_byte(at + len + 100) = 7;
    });
}

#[test]
fn damage_in_a_queue_is_named() {
    let middle = 40;
    let entry = |image: &mut Image, byte: usize, flip: u8| {
        let (_, _, queue, place) = image.records[middle];
        image.entry(queue, place)[byte] ^= flip;
    };
    finds(&[(Severity::Error, Kind::QueueEntry)], |image| entry(image, 7, 1));
    finds(&[(Severity::Error, Kind::QueueEntry)], |image| entry(image, 11, 1));
    finds(&[(Severity::Error, Kind::QueueTags)], |image| entry(image, 19, 1));
    finds(&[(Severity::Error, Kind::QueueMissing)], |image| {
        let (_, _, queue, place) = image.records[middle];
        image.entry(queue, place).fill(0);
    });
    finds(&[(Severity::Error, Kind::QueueDangling)], |image| {
        let (_, _, queue, place) = *image.records.last().unwrap();
        image.entry(queue, place + 1).copy_from_slice(&[1; 20]);
    });
    finds(&[(Severity::Error, Kind::QueueMissing), (Severity::Error, Kind::QueueFile)], |image| {
        image.files.remove(&format!("consumequeue/Orders/0/{:020}", 400));
    });
    finds(&[(Severity::Error, Kind::QueueMissing)], |image| {
        image.files.retain(|path, _| !path.starts_with("consumequeue/Bills/"));
    });
}

#[test]
fn damage_in_the_index_is_named() {
    let path = |image: &Image| {
        let paths: Vec<_> = image.files.keys().filter(|path| path.starts_with("index")).collect();
        paths[paths.len() / 2].clone()
    };
    let harm = |image: &mut Image, at: usize, flip: u8| {
        let path = path(image);
        image.files.get_mut(&path).unwrap()[at] ^= flip;
    };
    let entries = 40 + SLOTS * 4;
    // The chain's link, the header's end, a slot.
    finds(&[(Severity::Error, Kind::IndexChain)], |image| harm(image, entries + 5 * 20 + 19, 1));
    finds(&[(Severity::Error, Kind::IndexHeader)], |image| harm(image, 31, 1));
    let used = |image: &Image| {
        let file = &image.files[&path(image)];
        (0..SLOTS).find(|slot| file[40 + slot * 4 + 3] != 0).unwrap()
    };
    finds(&[(Severity::Error, Kind::IndexChain)], |image| {
        let slot = used(image);
        harm(image, 40 + slot * 4 + 3, 1);
    });
    // Another time, and a key that no record has in its place (a hash in the same slot).
    finds(&[(Severity::Error, Kind::IndexEntry)], |image| harm(image, entries + 5 * 20 + 15, 4));
    finds(
        &[(Severity::Error, Kind::IndexEntry), (Severity::Warning, Kind::IndexMissing)],
        |image| {
            harm(image, entries + 5 * 20 + 2, 1);
        },
    );
    // A file that is gone leaves keys without entries.
    finds(&[(Severity::Warning, Kind::IndexMissing)], |image| {
        let path = path(image);
        image.files.remove(&path);
    });
}

#[test]
fn what_stands_beside_the_logs_is_looked_at_too() {
    finds(&[(Severity::Warning, Kind::CheckpointAhead)], |image| {
        image.files.get_mut("checkpoint").unwrap()[0] = 1;
    });
    finds(&[(Severity::Warning, Kind::CheckpointVoid)], |image| {
        image.files.get_mut("checkpoint").unwrap()[64..72].copy_from_slice(b"hotfire2");
    });
    finds(&[(Severity::Note, Kind::CheckpointAbsent)], |image| {
        image.files.remove("checkpoint");
    });
    finds(&[(Severity::Error, Kind::ConfigText)], |image| {
        image.files.get_mut("config/consumerOffset.json").unwrap().truncate(20);
    });
    finds(&[(Severity::Error, Kind::ConfigMissing)], |image| {
        image.files.remove("config/consumerOffset.json");
    });
    finds(&[(Severity::Note, Kind::Unclean)], |image| {
        image.files.insert("abort".into(), Vec::new());
    });
    finds(&[(Severity::Note, Kind::EmptyFile)], |image| {
        image.files.insert(format!("commitlog/{:020}", SEGMENT * 100), Vec::new());
    });
    finds(&[(Severity::Note, Kind::Foreign)], |image| {
        image.files.insert("commitlog/readme.txt".into(), b"hello".to_vec());
        image.files.insert("hello".into(), Vec::new());
    });
}

#[test]
fn a_torn_tail_after_an_unclean_end_is_no_error() {
    let report = found_in(|image| {
        image.files.insert("abort".into(), Vec::new());
        image.files.insert("checkpoint".into(), vec![0; 4096]);
        let (at, len, ..) = *image.records.last().unwrap();
        *image.log_byte(at + len - 3) = 0;
        // What the queues did not get any more.
        for record in image.records.clone().iter().rev().take(5) {
            image.entry(record.2, record.3).fill(0);
        }
    });
    assert!(report.is_sound(), "{report:#?}");
    assert!(report.findings.has(Severity::Note, Kind::LogTail));
    assert!(report.findings.has(Severity::Note, Kind::QueueMissing));
}

#[test]
fn a_log_that_ends_before_its_checkpoint_is_an_error() {
    let world = World::new(1);
    let node = world.node("broker");
    world.block_on(async {
        let disk = hotfire(&world, &node, 300).await;
        let survey = checked(&disk).await.summary;
        let file = disk.list("store/commitlog").await.unwrap();
        let last = file.iter().rfind(|file| file.name.parse::<u64>().unwrap() < survey.log_end);
        let path = format!("store/commitlog/{}", last.unwrap().name);
        let base = last.unwrap().name.parse::<u64>().unwrap();
        let file = disk.open_sparse(&path).await.unwrap();
        file.write_at(0, &[&vec![0; (survey.log_end - base) as usize]]).unwrap();
        let report = checked(&disk).await;
        assert!(report.findings.has(Severity::Error, Kind::LogShort), "{report:#?}");
        assert!(report.findings.has(Severity::Error, Kind::QueueDangling), "{report:#?}");
    });
}

#[test]
fn a_store_after_a_power_failure_has_notes_only() {
    for seed in 0..30 {
        let world = World::new(seed);
        let node = world.node("broker");
        world.block_on(async {
            let ledger = crate::ground::Ledger::default();
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            let (clock, rng) = (world.runtime(&node).clock, world.stream("writer"));
            world.spawn_on(&node, ledger.keep_writing(store, clock, rng));
            world.sleep(std::time::Duration::from_millis(500 + 97 * seed)).await;
            world.power_fail(&node);
            world.restart(&node);
            let report = checked(&world.runtime(&node).disk).await;
            assert!(report.is_sound(), "seed {seed}: {report:#?}");
            let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
            store.shutdown().await.unwrap();
            let report = checked(&world.runtime(&node).disk).await;
            assert_eq!(report.findings.count(Severity::Error), 0, "seed {seed}: {report:#?}");
            assert_eq!(report.findings.count(Severity::Warning), 0, "seed {seed}: {report:#?}");
        });
    }
}

#[test]
fn a_repair_mends_what_the_log_can_tell_and_nothing_else() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let disk = hotfire(&world, &node, 300).await;
        flip(&disk, "store/consumequeue/Orders/0/00000000000000000400", 47).await;
        disk.remove_file("store/consumequeue/Bills/0/00000000000000000400").await.unwrap();
        disk.create_dir("store/config").await.unwrap();
        disk.write("store/config/topics.json", b"{\"a\":").await.unwrap();
        disk.write("store/config/topics.json.bak", b"{\"a\":1}").await.unwrap();
        disk.write("store/commitlog/00000000000099999744", b"").await.unwrap();
        let report = checked(&disk).await;
        assert!(!report.is_sound());
        let survey = Survey::of(&disk, "store").await.unwrap();
        let plan = Plan::of(&disk, &survey, &report).await;
        assert_eq!((plan.steps.len(), plan.left.len()), (4, 0), "{plan:#?}");
        repair(&disk, &plan).await.unwrap();
        assert_eq!(disk.read("store/config/topics.json").await.unwrap(), "{\"a\":1}");

        let store = open(&world, &node, small(FlushMode::Async)).await.unwrap();
        let mut count = 0;
        for queue in store.queues() {
            count += read_all(&store, &queue).await.len();
        }
        assert_eq!(count, 300, "every message is found again");
        store.shutdown().await.unwrap();
        let report = checked(&disk).await;
        assert!(report.is_sound(), "{report:#?}");
    });
}

#[test]
fn a_repair_leaves_queues_alone_while_the_log_is_damaged() {
    let world = World::new(5);
    let node = world.node("broker");
    world.block_on(async {
        let disk = hotfire(&world, &node, 300).await;
        flip(&disk, "store/commitlog/00000000000000000000", 100).await;
        flip(&disk, "store/consumequeue/Orders/0/00000000000000000400", 47).await;
        let report = checked(&disk).await;
        let survey = Survey::of(&disk, "store").await.unwrap();
        let plan = Plan::of(&disk, &survey, &report).await;
        assert_eq!((plan.steps.len(), plan.left.len()), (0, 2), "{plan:#?}");
    });
}

#[test]
fn a_dump_shows_the_log_or_a_queue_from_where_it_is_asked_to() {
    let world = World::new(3);
    let node = world.node("broker");
    let mut image = Image::new(200);
    let all = image.records.clone();
    *image.log_byte(all[60].0 + 4) ^= 1;
    world.block_on(async {
        let disk = world.runtime(&node).disk;
        image.write(&disk, "store").await;
        let survey = Survey::of(&disk, "store").await.unwrap();
        let dumped = async |request: DumpRequest| {
            let (mut offsets, mut bad) = (Vec::new(), Vec::new());
            let mut sink = |dumped: Dumped<'_>| {
                match dumped {
                    Dumped::Record(view) => offsets.push(view.physical_offset.0),
                    Dumped::Bad { offset, .. } => bad.push(offset),
                }
                offsets.len() < 100
            };
            let ended = dump(&disk, &survey, &request, &mut sink).await;
            ended.map(|()| (offsets, bad))
        };
        let offset = Some(all[50].0);
        let (offsets, bad) =
            dumped(DumpRequest { offset, ..DumpRequest::default() }).await.unwrap();
        let expected = all[50..].iter().map(|record| record.0).filter(|at| *at != all[60].0);
        assert_eq!((offsets, bad), (expected.take(100).collect(), vec![all[60].0]));

        let (topic, queue) = (Some("Orders".to_owned()), Some(1));
        let (from, to) = (Some(60), Some(70));
        let request = DumpRequest { topic, queue, from, to, offset: None };
        let of_queue = all.iter().filter(|record| record.2 == ("Orders", 1));
        let expected: Vec<u64> = of_queue
            .filter(|record| (60..70).contains(&record.3) && record.0 != all[60].0)
            .map(|record| record.0)
            .collect();
        assert_eq!(dumped(request).await.unwrap().0, expected);

        let offset = Some(all[50].0 + 1);
        let refused = dumped(DumpRequest { offset, ..DumpRequest::default() }).await;
        let next = all[51].0;
        let Err(InspectError::NoRecord { next: Some(found), .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(found, next);
    });
}
