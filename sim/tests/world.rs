//! Clocks, tasks, lives and probes of a world.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::{Life, World, fault};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_idle_day_costs_nothing_and_true_time_passes() {
    let world = World::new(1);
    let before = world.now_true_ms();
    world.block_on(world.sleep(24 * HOUR));
    assert_eq!(world.now_true_ms() - before, 24 * 3_600_000);
}

#[test]
fn a_skewed_and_drifting_clock_reads_as_computed() {
    let world = World::new(2);
    let (right, wrong) = (world.node("right"), world.node("wrong"));
    let (clock, other) = (world.runtime(&right).clock, world.runtime(&wrong).clock);
    fault::clock::jump(&world, &wrong, -5_000);
    fault::clock::drift(&world, &wrong, 200);
    world.block_on(async {
        world.sleep(HOUR).await;
        assert_eq!(clock.now_ms(), world.now_true_ms());
        assert_eq!(clock.now_ms() as i64 - other.now_ms() as i64, 5_000 - 720);
        assert_eq!(fault::clock::error_ms(&world, &wrong), 720 - 5_000);
        fault::clock::repair(&world, &wrong);
        assert!(clock.now_ms().abs_diff(other.now_ms()) <= 1);
    });
}

#[test]
fn a_jump_moves_the_wall_clock_and_neither_monotonic_time_nor_sleeps() {
    let world = World::new(3);
    let node = world.node("node");
    let clock = world.runtime(&node).clock;
    world.block_on(async {
        let (wall, start) = (clock.now_ms(), clock.monotonic());
        let control = world.control();
        world.spawn_on(&world.node("nemesis"), async move {
            control.sleep(SECOND).await;
            fault::clock::jump(&control, &node, -3_600_000);
        });
        clock.sleep(10 * SECOND).await;
        let slept = clock.monotonic().since(start);
        assert!(slept >= 10 * SECOND && slept < 10 * SECOND + SECOND / 100, "{slept:?}");
        assert_eq!(clock.now_ms() as i64 - wall as i64, 10_000 - 3_600_000);
    });
}

#[test]
fn a_sleep_never_ends_early_on_its_own_clock_whatever_the_rate() {
    for ppm in [-500_000, -200, 0, 200, 1_000_000] {
        let world = World::new(4);
        let node = world.node("node");
        let clock = world.runtime(&node).clock;
        world.block_on(async {
            fault::clock::drift(&world, &node, ppm);
            let (start, truly) = (clock.monotonic(), world.elapsed());
            for micros in [1, 10, 999, 1_000_000] {
                let wait = Duration::from_micros(micros);
                let from = clock.monotonic();
                clock.sleep(wait).await;
                let slept = clock.monotonic().since(from);
                assert!(slept >= wait && slept < wait + wait / 10 + SECOND / 10_000, "{slept:?}");
            }
            let local = clock.monotonic().since(start).as_nanos() as i128;
            let expected = (world.elapsed() - truly).as_nanos() as i128 * (1_000_000 + ppm as i128);
            assert!((local - expected / 1_000_000).abs() < 10, "{ppm} ppm");
        });
    }
}

#[test]
fn tasks_die_with_their_process_and_a_new_one_starts_afresh() {
    let world = World::new(5);
    let node = world.node("node");
    let ticks = Arc::new(AtomicU64::new(0));
    world.block_on(async {
        let runtime = world.runtime(&node);
        let (clock, count) = (runtime.clock.clone(), ticks.clone());
        runtime.tasks.detach("ticker", async move {
            loop {
                clock.sleep(SECOND).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        world.sleep(5 * SECOND + SECOND / 2).await;
        world.kill(&node);
        assert_eq!(world.life(&node), Life::Dead);
        world.sleep(60 * SECOND).await;
        assert_eq!(ticks.load(Ordering::Relaxed), 5);
        world.restart(&node);
        runtime.tasks.detach("ghost", {
            let count = ticks.clone();
            async move {
                count.fetch_add(100, Ordering::Relaxed);
            }
        });
        let count = ticks.clone();
        let ran = world.on(&node, async move { count.fetch_add(1, Ordering::Relaxed) }).await;
        assert_eq!(ran, Some(5), "the new process runs");
        world.sleep(SECOND).await;
        assert_eq!(ticks.load(Ordering::Relaxed), 6, "a ghost of the dead process ran");
        assert_eq!(world.incarnation(&node), 2);
    });
}

#[test]
fn a_panic_names_the_seed_the_node_and_the_task() {
    let world = World::new(77);
    let node = world.node("broker-a");
    let tasks = world.runtime(&node).tasks;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        world.block_on(async {
            tasks.detach("flush", async { panic!("offset fell") });
            world.sleep(SECOND).await;
        });
    }));
    let words = *panic.unwrap_err().downcast::<String>().unwrap();
    for part in ["seed 77", "`flush`", "`broker-a`", "offset fell"] {
        assert!(words.contains(part), "{part} is missing in: {words}");
    }
}

#[test]
fn a_world_in_which_nothing_can_happen_says_so() {
    let world = World::new(78);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        world.block_on(std::future::pending::<()>());
    }));
    let words = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(words.contains("seed 78") && words.contains("block forever"), "{words}");
}

#[test]
fn a_pause_stops_a_process_and_a_resume_lets_it_go_on() {
    let world = World::new(6);
    let node = world.node("node");
    let clock = world.runtime(&node).clock;
    world.block_on(async {
        let ticks = Arc::new(AtomicU64::new(0));
        let count = ticks.clone();
        world.spawn_on(&node, async move {
            loop {
                clock.sleep(SECOND).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        world.sleep(3 * SECOND + SECOND / 2).await;
        world.pause(&node);
        world.sleep(60 * SECOND).await;
        assert_eq!(ticks.load(Ordering::Relaxed), 3);
        world.resume(&node);
        world.sleep(2 * SECOND).await;
        assert!(ticks.load(Ordering::Relaxed) >= 5);
    });
}

#[test]
fn dropped_timeouts_leave_no_alarm_behind() {
    let world = World::new(7);
    let node = world.node("node");
    let clock = world.runtime(&node).clock;
    world.block_on(async {
        for _ in 0..1000 {
            let _ = clock.timeout(300 * SECOND, clock.sleep(SECOND / 1000)).await;
        }
    });
    assert!(world.elapsed() < 10 * SECOND, "an alarm that nobody waits for moved the time");
}

#[test]
fn goals_are_counted_and_sites_misbehave_by_their_own_stream() {
    let run = |seed: u64, first_site: bool| {
        let world = World::new(seed);
        world.probes().set_buggify(true);
        let mut answers = Vec::new();
        for _ in 0..100 {
            if first_site {
                let _ = runtime::buggify!("another site");
            }
            answers.push(runtime::buggify!("a site"));
        }
        runtime::sometimes!("a goal", answers.contains(&true));
        assert_eq!(world.probes().goals()["a goal"].reached, 1);
        assert_eq!(world.probes().sites()["a site"].reached, 100);
        answers
    };
    let awake = (0..100).filter(|&seed| {
        let answers = run(seed, false);
        assert_eq!(answers, run(seed, true), "another site shifted this one");
        answers.contains(&true)
    });
    let awake = awake.count();
    assert!((5..60).contains(&awake), "the site is awake in {awake} of 100 seeds");
}

#[test]
fn product_streams_differ_between_nodes_and_lives_but_not_between_runs() {
    let draw = || {
        let world = World::new(8);
        let (one, other) = (world.node("one"), world.node("other"));
        let first = world.runtime(&one).rng.next_u64();
        let second = world.runtime(&other).rng.next_u64();
        world.restart(&one);
        [first, second, world.runtime(&one).rng.next_u64()]
    };
    let [first, second, third] = draw();
    assert_eq!([first, second, third], draw());
    assert!(first != second && first != third && second != third);
}

#[test]
fn the_living_tasks_are_known_by_node_and_name() {
    let world = World::new(9);
    let node = world.node("broker");
    let runtime = world.runtime(&node);
    world.block_on(async {
        for _ in 0..3 {
            runtime.tasks.detach("flush", std::future::pending());
        }
        runtime.tasks.spawn("short", async {}).join().await;
        world.sleep(SECOND).await;
        assert_eq!(world.tasks(), [(node.clone(), "flush", 3)]);
        world.kill(&node);
        world.sleep(SECOND).await;
        assert_eq!(world.tasks(), []);
    });
}

#[test]
fn a_paused_process_can_be_killed_while_its_last_futures_start_others() {
    struct StartsAnother(runtime::Tasks);
    impl Drop for StartsAnother {
        fn drop(&mut self) {
            self.0.detach("too late", async { panic!("a dead process runs") });
        }
    }
    let world = World::new(10);
    let node = world.node("broker");
    let runtime = world.runtime(&node);
    world.block_on(async {
        let (last, clock) = (StartsAnother(runtime.tasks.clone()), runtime.clock.clone());
        world.spawn_on(&node, async move {
            clock.sleep(2 * SECOND).await;
            drop(last);
        });
        world.sleep(SECOND).await;
        world.pause(&node);
        world.sleep(5 * SECOND).await;
        world.power_fail(&node);
        world.restart(&node);
        world.sleep(SECOND).await;
        assert_eq!(world.tasks(), []);
    });
}
