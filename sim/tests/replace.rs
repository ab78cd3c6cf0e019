//! Small files replaced whole, through power failures: which versions are left.

use std::time::Duration;

use runtime::Disk;
use sim::World;

const MAIN: &str = "config/table.json";
const KEPT: &str = "config/table.json.bak";

/// The version that a file holds, if it is there.
async fn version(disk: &Disk, path: &str) -> Option<u64> {
    let text = disk.read(path).await.ok()?;
    let text = std::str::from_utf8(&text).expect("a file that is there is whole");
    let (number, rest) = text.split_once(' ').expect("a file that is there is whole");
    assert_eq!(rest.len(), 9_000, "a file that is there is whole");
    Some(number.parse().expect("a file that is there is whole"))
}

#[test]
fn at_every_power_failure_one_version_is_whole_and_the_kept_one_is_that_before() {
    let mut cut_between = 0;
    for seed in 0..400 {
        let world = World::new(seed);
        let node = world.node("broker");
        world.block_on(async {
            let rng = world.stream("cuts");
            let (mut written, mut begun) = (0, 0);
            for _ in 0..6 {
                let disk = world.runtime(&node).disk;
                disk.create_dir("config").await.expect("there is room");
                let done = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(written));
                let (note, from) = (done.clone(), begun);
                world.spawn_on(&node, async move {
                    for next in from + 1.. {
                        let text = format!("{next} {}", "x".repeat(9_000));
                        let replaced = disk.replace_keeping(MAIN, KEPT, text.as_bytes()).await;
                        replaced.expect("there is room");
                        note.store(next, std::sync::atomic::Ordering::Relaxed);
                    }
                });
                world.sleep(Duration::from_micros(rng.below(8_000))).await;
                world.power_fail(&node);
                world.restart(&node);
                written = done.load(std::sync::atomic::Ordering::Relaxed);
                let disk = world.runtime(&node).disk;
                let (main, kept) = (version(&disk, MAIN).await, version(&disk, KEPT).await);
                let best = main.or(kept).unwrap_or(0);
                cut_between += u64::from(main.is_none() && kept.is_some());
                assert!(best == written || best == written + 1, "{best} of {written}");
                if let (Some(main), Some(kept)) = (main, kept) {
                    assert_eq!(main, kept + 1, "the kept one is the version before");
                }
                begun = best;
                written = best;
            }
        });
    }
    assert!(cut_between > 10, "the moment between the two names was met {cut_between} times");
}
