//! What a disk keeps, loses and tears.

use std::collections::BTreeSet;

use sim::{DiskImages, Node, PAGE, SECTOR, World, fault};

const PAGES: u64 = 16;

/// Pages 0 to 7 hold `A` and are synced; pages 8 to 15 hold `B` and are not; then the power goes.
fn crash(seed: u64) -> (DiskImages, u128) {
    let world = World::new(seed);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    let images = world.block_on(async {
        disk.create_dir("commitlog").await.unwrap();
        let segment = disk.create_segment("commitlog/0", PAGES * PAGE).await.unwrap();
        disk.sync_dir("commitlog").await.unwrap();
        segment.write_at(0, &[&[b'A'; (8 * PAGE) as usize]]).unwrap();
        segment.sync(0..8 * PAGE).await.unwrap();
        segment.write_at(8 * PAGE, &[&[b'B'; (8 * PAGE) as usize]]).unwrap();
        world.power_fail(&node);
        world.disk_image(&node)
    });
    (images, world.trace().hash())
}

#[test]
fn synced_pages_survive_and_the_others_are_kept_lost_or_torn() {
    let (mut shapes, mut torn, mut kept, mut lost) = (BTreeSet::new(), 0, 0, 0);
    for seed in 0..300 {
        let (images, _) = crash(seed);
        assert_eq!(images.cache, images.durable, "seed {seed}: a cold cache shows the device");
        let bytes = &images.cache["commitlog/0"];
        assert!(bytes[..(8 * PAGE) as usize].iter().all(|&byte| byte == b'A'), "seed {seed}");
        let mut shape = String::new();
        for page in bytes[(8 * PAGE) as usize..].chunks(PAGE as usize) {
            let whole = page.iter().all(|byte| *byte == page[0]);
            shape.push(if whole { page[0] as char } else { 't' });
            match page[0] {
                _ if !whole => torn += 1,
                b'B' => kept += 1,
                _ => lost += 1,
            }
            for sector in page.chunks(SECTOR as usize) {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
            }
        }
        shapes.insert(shape);
    }
    assert!(shapes.len() > 100, "{} distinct patterns", shapes.len());
    assert!(torn > 50 && kept > 200 && lost > 200, "{torn} torn, {kept} kept, {lost} lost");
}

#[test]
fn the_same_seed_leaves_the_same_image_and_the_same_hash() {
    let mut hashes = BTreeSet::new();
    for seed in 0..50 {
        let (first, second) = (crash(seed), crash(seed));
        assert_eq!(first, second, "seed {seed}");
        hashes.insert(first.1);
    }
    assert_eq!(hashes.len(), 50, "different seeds have different histories");
}

#[test]
fn a_kill_keeps_the_page_cache_and_fences_the_dead() {
    let world = World::new(3);
    let node = world.node("broker");
    let before = world.runtime(&node);
    world.block_on(async {
        let segment = before.disk.create_segment("0", PAGE).await.unwrap();
        let lock = before.disk.lock("lock").await.unwrap();
        segment.write_at(0, &[b"kept"]).unwrap();
        world.kill(&node);
        assert!(segment.write_at(0, &[b"ghost"]).is_err(), "a ghost wrote");
        assert!(segment.slice(0, 4).is_err());
        assert!(segment.sync(0..4).await.is_err());
        assert!(before.disk.read("0").await.is_err());
        world.restart(&node);
        assert!(segment.write_at(0, &[b"ghost"]).is_err(), "a ghost wrote after the restart");
        let after = world.runtime(&node).disk;
        let again = after.open_segment("0").await.unwrap();
        assert_eq!(&again.slice(0, 4).unwrap()[..], b"kept");
        let _mine = after.lock("lock").await.expect("the dead process's lock was given back");
        drop(lock);
        let refused = after.lock("lock").await.err().expect("the dead gave my lock back");
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    });
}

/// What is left of names that were created, renamed and removed without a sync of their directory.
fn names_after_a_crash(seed: u64) -> Vec<String> {
    let world = World::new(seed);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        disk.create_dir("d/e").await.unwrap();
        for name in ["d/old", "d/gone"] {
            disk.write(name, b"x").await.unwrap();
            disk.sync_file(name).await.unwrap();
        }
        disk.sync_dir("d").await.unwrap();
        disk.write("d/new", b"y").await.unwrap();
        disk.sync_file("d/new").await.unwrap();
        disk.rename("d/old", "d/renamed").await.unwrap();
        disk.remove_file("d/gone").await.unwrap();
        disk.remove_dir("d/e").await.unwrap();
        world.power_fail(&node);
        world.restart(&node);
        let entries = world.runtime(&node).disk.list("d").await.unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    })
}

#[test]
fn names_that_were_not_synced_may_vanish_or_come_back() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let names = names_after_a_crash(seed);
        let has = |name: &str| names.iter().any(|found| found == name);
        assert!(has("old") != has("renamed"), "seed {seed}: a rename by half: {names:?}");
        seen.insert([has("new"), has("renamed"), has("gone"), has("e")]);
    }
    assert!(seen.contains(&[true, true, false, false]), "all changes survived somewhere");
    assert!(seen.contains(&[false, false, true, true]), "all changes were undone somewhere");
    assert!(seen.len() > 4, "and mixtures: {seen:?}");
}

#[test]
fn a_directory_survives_its_creation() {
    for seed in 0..50 {
        let world = World::new(seed);
        let node = world.node("broker");
        world.block_on(async {
            world.runtime(&node).disk.create_dir("a/b/c").await.unwrap();
            world.power_fail(&node);
            world.restart(&node);
            assert_eq!(world.runtime(&node).disk.list("a/b").await.unwrap().len(), 1);
        });
    }
}

#[test]
fn a_replaced_file_holds_the_old_content_or_the_new() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        let content = world.block_on(async {
            disk.replace("config", b"old").await.unwrap();
            let replacing = disk.clone();
            world.spawn_on(&node, async move {
                let _ = replacing.replace("config", b"the new one").await;
            });
            let micros = world.stream("test").below(900);
            world.sleep(std::time::Duration::from_micros(micros)).await;
            world.power_fail(&node);
            world.restart(&node);
            world.runtime(&node).disk.read("config").await.unwrap()
        });
        assert!(matches!(&content[..], b"old" | b"the new one"), "seed {seed}: {content:?}");
        seen.insert(content);
    }
    assert_eq!(seen.len(), 2, "the crash came too early or too late each time");
}

#[test]
fn a_rename_without_a_sync_of_the_content_can_leave_an_empty_file() {
    let mut lengths = BTreeSet::new();
    for seed in 0..200 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            disk.write("config.tmp", b"content").await.unwrap();
            disk.rename("config.tmp", "config").await.unwrap();
            disk.sync_dir("").await.unwrap();
            world.power_fail(&node);
        });
        lengths.insert(world.disk_image(&node).cache["config"].len());
    }
    assert_eq!(lengths, BTreeSet::from([0, 7]));
}

#[test]
fn a_failed_sync_leaves_clean_pages_that_a_power_failure_takes() {
    let mut lost = 0;
    for seed in 0..100 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            let segment = disk.create_segment("0", PAGE).await.unwrap();
            segment.sync(0..PAGE).await.unwrap();
            disk.sync_dir("").await.unwrap();
            fault::sync_error::next(&world, &node, 1);
            segment.write_at(0, &[b"lost?"]).unwrap();
            segment.sync(0..PAGE).await.expect_err("the injected error");
            segment.sync(0..PAGE).await.expect("the pages are clean: nothing left to write");
            assert_eq!(&segment.slice(0, 5).unwrap()[..], b"lost?", "the cache still has it");
            world.power_fail(&node);
        });
        let bytes = &world.disk_image(&node).cache["0"];
        lost += u64::from(bytes[..5] == [0; 5]);
    }
    assert!((10..=100).contains(&lost), "{lost} of 100 lost what a later sync called safe");
}

#[test]
fn clean_pages_drop_out_of_the_cache_with_what_a_failed_sync_left_unwritten() {
    let mut gone = 0;
    for seed in 0..50 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            let segment = disk.create_segment("0", 2 * PAGE).await.unwrap();
            segment.sync(0..2 * PAGE).await.unwrap();
            fault::sync_error::next(&world, &node, 1);
            segment.write_at(0, &[b"clean"]).unwrap();
            segment.sync(0..PAGE).await.expect_err("the injected error");
            segment.write_at(PAGE, &[b"dirty"]).unwrap();
            fault::sync_error::evict_clean_pages(&world, &node);
            assert_eq!(&segment.slice(PAGE, 5).unwrap()[..], b"dirty", "a dirty page stays");
            gone += u64::from(segment.slice(0, 5).unwrap()[..] == [0; 5]);
        });
    }
    assert!(gone > 10, "only {gone} of 50 vanished");
}

#[test]
fn a_crash_during_a_sync_can_leave_a_part_of_it_durable() {
    let mut parts = BTreeSet::new();
    for seed in 0..100 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            let segment = disk.create_segment("0", 8 * PAGE).await.unwrap();
            segment.sync(0..1).await.unwrap();
            disk.sync_dir("").await.unwrap();
            segment.write_at(0, &[&[1; (8 * PAGE) as usize]]).unwrap();
            fault::slow_disk::factor(&world, &node, 1000);
            world.spawn_on(&node, async move {
                let _ = segment.sync(0..8 * PAGE).await;
            });
            world.sleep(std::time::Duration::from_millis(1)).await;
        });
        let image = world.disk_image(&node);
        parts.insert(image.durable["0"].iter().filter(|byte| **byte == 1).count() as u64 / PAGE);
    }
    assert!(parts.len() > 3, "{parts:?} of 8 pages were durable before the sync returned");
}

#[test]
fn the_kernel_writes_back_on_its_own_and_in_any_order() {
    let mut orders = BTreeSet::new();
    for seed in 0..60 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            for name in ["first", "second"] {
                let segment = disk.create_segment(name, PAGE).await.unwrap();
                segment.sync(0..PAGE).await.unwrap();
                segment.write_at(0, &[b"x"]).unwrap();
            }
            disk.sync_dir("").await.unwrap();
            world.sleep(std::time::Duration::from_secs(3)).await;
        });
        let durable = world.disk_image(&node).durable;
        orders.insert(["first", "second"].map(|name| durable[name][0] == b'x'));
        world.block_on(world.sleep(std::time::Duration::from_secs(600)));
        let durable = world.disk_image(&node).durable;
        assert!(durable.values().all(|bytes| bytes[0] == b'x'), "seed {seed}: never written back");
    }
    assert_eq!(orders.len(), 4, "neither, either and both: {orders:?}");
}

#[test]
fn the_kernel_commits_names_on_its_own() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        disk.write("a", b"x").await.unwrap();
        disk.rename("a", "b").await.unwrap();
        world.sleep(std::time::Duration::from_secs(600)).await;
        world.power_fail(&node);
    });
    assert_eq!(world.disk_image(&node).cache["b"], "x");
}

#[test]
fn a_full_disk_refuses_and_leaves_nothing_behind() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        fault::full_disk::capacity(&world, &node, 3 * PAGE);
        let first = disk.create_segment("first", 2 * PAGE).await.unwrap();
        assert_eq!(disk.space().unwrap().available, PAGE);
        let error = disk.create_segment("second", 2 * PAGE).await.err().expect("no room");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        assert_eq!(disk.list("").await.unwrap().len(), 1, "nothing is left behind");
        let error = disk.write("small", &[1; 2 * PAGE as usize]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        disk.remove_file("first").await.unwrap();
        assert_eq!(disk.space().unwrap().available, PAGE, "an open file still takes its space");
        drop(first);
        disk.sync_dir("").await.unwrap();
        assert_eq!(disk.space().unwrap().available, 3 * PAGE);
    });
}

#[test]
fn reads_and_writes_fail_when_told_to() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", PAGE).await.unwrap();
        fault::io_error::writes(&world, &node, 1.0);
        segment.write_at(0, &[b"x"]).expect_err("an injected write error");
        fault::io_error::writes(&world, &node, 0.0);
        assert_eq!(segment.slice(0, 1).unwrap()[0], 0, "a failed write wrote");
        fault::io_error::reads(&world, &node, 1.0);
        segment.slice(0, 1).expect_err("an injected read error");
        disk.read("0").await.expect_err("an injected read error");
    });
}

#[test]
fn a_stalled_disk_holds_syncs_back_until_it_is_released() {
    let world = World::new(1);
    let node = world.node("broker");
    let (disk, clock) = (world.runtime(&node).disk, world.runtime(&node).clock);
    world.block_on(async {
        let segment = disk.create_segment("0", PAGE).await.unwrap();
        fault::slow_disk::stall(&world, &node);
        segment.write_at(0, &[b"x"]).expect("a mapping takes writes");
        let minute = std::time::Duration::from_secs(60);
        assert!(clock.timeout(minute, segment.sync(0..PAGE)).await.is_err(), "it synced");
        fault::slow_disk::release(&world, &node);
        assert!(clock.timeout(minute, segment.sync(0..PAGE)).await.is_ok(), "it still stalls");
    });
}

#[test]
fn a_bit_rots_and_a_disk_is_swapped() {
    let world = World::new(1);
    let node: Node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        disk.replace("f", &[0; 10]).await.unwrap();
        assert!(fault::bit_rot::flip(&world, &node, "f", (7, 3)));
        assert_eq!(disk.read("f").await.unwrap()[7], 8);
        world.kill(&node);
        fault::wiped_disk::wipe(&world, &node);
        world.restart(&node);
        assert!(world.runtime(&node).disk.list("").await.unwrap().is_empty());
    });
}

#[test]
fn a_sparse_gibibyte_and_its_snapshots_are_cheap() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", 1 << 30).await.unwrap();
        segment.write_at((1 << 30) - 4, &[b"la", b"st"]).unwrap();
        segment.sync(0..1 << 30).await.unwrap();
        assert_eq!(&segment.slice((1 << 30) - 5, 5).unwrap()[..], b"\0last");
        assert!(segment.write_at((1 << 30) - 3, &[b"past"]).is_err());
    });
}

#[test]
fn a_writeback_that_failed_unseen_is_told_by_the_next_sync_once() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", PAGE).await.unwrap();
        segment.sync(0..PAGE).await.unwrap();
        disk.sync_dir("").await.unwrap();
        fault::sync_error::in_background(&world, &node, 1.0);
        segment.write_at(0, &[b"lost"]).unwrap();
        world.sleep(std::time::Duration::from_secs(600)).await;
        fault::sync_error::in_background(&world, &node, 0.0);
        segment.sync(0..PAGE).await.expect_err("the failure of the writeback");
        segment.sync(0..PAGE).await.expect("it was told");
    });
    assert_eq!(world.disk_image(&node).durable["0"][..4], [0; 4]);
}

#[test]
fn a_misdirected_write_misses_its_place_and_nobody_says_so() {
    let mut missed = 0;
    for seed in 0..20 {
        let world = World::new(seed);
        let node = world.node("broker");
        let disk = world.runtime(&node).disk;
        world.block_on(async {
            let segment = disk.create_segment("0", 8 * PAGE).await.unwrap();
            segment.write_at(0, &[&[1; 8 * PAGE as usize]]).unwrap();
            segment.sync(0..8 * PAGE).await.unwrap();
            disk.sync_dir("").await.unwrap();
            fault::misdirected_write::next(&world, &node, 1);
            segment.write_at(0, &[&[2; PAGE as usize]]).unwrap();
            segment.sync(0..PAGE).await.expect("the device does not know either");
            assert_eq!(segment.slice(0, 1).unwrap()[0], 2);
            world.power_fail(&node);
        });
        let bytes = &world.disk_image(&node).cache["0"];
        let twos = bytes.iter().filter(|byte| **byte == 2).count() as u64;
        assert_eq!(twos, PAGE, "the page went to one place");
        missed += u64::from(bytes[0] == 1);
    }
    assert!(missed > 10, "{missed} of 20");
}

#[test]
fn a_misdirected_write_is_told_with_both_places_and_reads_see_it_when_evicted() {
    let world = World::new(3);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", 8 * PAGE).await.unwrap();
        segment.write_at(0, &[&[1; 8 * PAGE as usize]]).unwrap();
        segment.sync(0..8 * PAGE).await.unwrap();
        fault::misdirected_write::evicted(&world, &node, true);
        fault::misdirected_write::next(&world, &node, 1);
        segment.write_at(PAGE, &[&[2; PAGE as usize]]).unwrap();
        segment.sync(0..8 * PAGE).await.unwrap();
        let wrong: Vec<_> = world.take_incidents().into_iter().filter_map(|i| i.range).collect();
        let [missed, struck] = &wrong[..] else { panic!("two places: {wrong:?}") };
        assert_eq!(*missed, PAGE..2 * PAGE);
        assert_ne!(missed, struck);
        assert_eq!(segment.slice(missed.start, 1).unwrap()[0], 1, "the old bytes");
        assert_eq!(segment.slice(struck.start, 1).unwrap()[0], 2, "another page's bytes");
    });
}

#[test]
fn a_misdirected_write_waits_for_a_file_that_it_may_strike() {
    let world = World::new(3);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        fault::misdirected_write::within(&world, &node, "log");
        fault::misdirected_write::next(&world, &node, 1);
        for (path, struck) in [("queue", 0), ("log", 2), ("log-2", 0)] {
            let segment = disk.create_segment(path, 8 * PAGE).await.unwrap();
            segment.write_at(PAGE, &[&[2; PAGE as usize]]).unwrap();
            segment.sync(0..8 * PAGE).await.unwrap();
            assert_eq!(world.take_incidents().len(), struck, "{path}");
        }
    });
}

#[test]
fn rot_has_places_where_reads_see_it() {
    let world = World::new(4);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", 8 * PAGE).await.unwrap();
        assert!(fault::bit_rot::places(&world, &node).is_empty(), "nothing is on the device");
        segment.write_at(2 * PAGE, &[&[1; PAGE as usize]]).unwrap();
        segment.sync(0..8 * PAGE).await.unwrap();
        assert_eq!(fault::bit_rot::places(&world, &node), [("0".to_owned(), 2 * PAGE)]);
        assert!(fault::bit_rot::flip(&world, &node, "0", (2 * PAGE + 7, 1)));
        assert_eq!(segment.slice(2 * PAGE + 7, 1).unwrap()[0], 3);
    });
}

#[test]
fn a_bad_sector_cannot_be_read_until_it_is_written_anew() {
    let world = World::new(1);
    let node = world.node("broker");
    let disk = world.runtime(&node).disk;
    world.block_on(async {
        let segment = disk.create_segment("0", 2 * PAGE).await.unwrap();
        assert!(fault::bad_sector::page(&world, &node, "0", PAGE + 5));
        segment.slice(0, PAGE).expect("the page beside it");
        segment.slice(PAGE - 1, 2).expect_err("a part of it");
        segment.write_at(PAGE, &[&[1; PAGE as usize]]).unwrap();
        segment.sync(0..2 * PAGE).await.unwrap();
        segment.slice(PAGE - 1, 2).expect("the device remapped it");
    });
}

#[test]
fn what_happens_on_one_disk_does_not_shift_another() {
    let crash = |busy: bool| {
        let world = World::new(11);
        let (node, other) = (world.node("broker"), world.node("other"));
        let (disk, noise) = (world.runtime(&node).disk, world.runtime(&other).disk);
        world.block_on(async {
            let segment = disk.create_segment("0", 32 * PAGE).await.unwrap();
            segment.sync(0..1).await.unwrap();
            disk.sync_dir("").await.unwrap();
            if busy {
                noise.replace("noise", b"noise").await.unwrap();
                world.power_fail(&other);
            }
            segment.write_at(0, &[&[1; 32 * PAGE as usize]]).unwrap();
            world.power_fail(&node);
        });
        world.disk_image(&node)
    };
    assert_eq!(crash(false), crash(true));
}
