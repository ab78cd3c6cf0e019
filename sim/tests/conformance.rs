//! The suite that both twins pass, on many seeds and on shapes of the network that hurt.

use std::time::Duration;

use sim::{Latency, World, fault};

fn pass(seed: u64, spoil: impl FnOnce(&World)) -> u128 {
    let world = World::new(seed);
    let node = world.node("broker");
    let runtime = world.runtime(&node);
    spoil(&world);
    world.block_on(async {
        let done = world.on(&node, async move { runtime::testing::suite(&runtime).await }).await;
        done.expect("nobody killed the node");
    });
    world.trace().hash()
}

#[test]
fn the_suite_passes_on_every_seed() {
    for seed in 0..200 {
        pass(seed, |_| ());
    }
}

#[test]
fn the_suite_has_one_history_for_a_seed() {
    for seed in 0..20 {
        assert_eq!(pass(seed, |_| ()), pass(seed, |_| ()), "seed {seed}");
    }
}

#[test]
fn the_suite_passes_on_a_slow_disk_with_a_drifting_clock_and_a_splitting_network() {
    for seed in 0..50 {
        pass(seed, |world| {
            let node = world.node("broker");
            fault::slow_disk::factor(world, &node, 20);
            fault::clock::drift(world, &node, [-200, 200, 500_000][(seed % 3) as usize]);
            fault::clock::jump(world, &node, 3_600_000);
            world.shape_net(|shape| {
                shape.split_one_in = 1;
                shape.loss_one_in = 50;
                shape.read_max = 10_000;
                let tail = Duration::from_millis(50);
                shape.loopback = Latency::between(Duration::from_micros(100), tail);
            });
        });
    }
}
