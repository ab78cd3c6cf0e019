//! The green and the red tests of S6.

use super::*;
use crate::disk::DiskImage;
use crate::identity::Identity;
use crate::ledger::Fault;
use crate::promise::Flush;
use crate::testing::{LOG, QUEUE, Run, address, changed, checkpoint, disk, image};

fn ids() -> [Identity; 2] {
    [Identity::new(1, 0, 0), Identity::new(1, 1, 0)]
}

/// Two records, and a checkpoint that vouches up to there with that time.
fn vouched(durable_to: u64, time_ms: u64) -> DiskImage {
    let mut image = image(&ids());
    image.insert("store/checkpoint".to_owned(), checkpoint(durable_to, time_ms).into());
    image
}

fn told(before: NodeDisk) -> Run {
    let mut run = Run::new(CheckpointIsCovered, Flush::Sync);
    run.restart(Fault::PowerLoss, before, disk(&ids()));
    run
}

#[test]
fn a_checkpoint_behind_what_is_durable_is_fine_and_one_that_gets_on() {
    told(NodeDisk::new("n", vouched(address(1), 7))).assert_green();
    let device = vouched(address(2), 7);
    told(NodeDisk::new("n", device.clone()).on_device(device)).assert_green();
    let mut run = Run::new(CheckpointIsCovered, Flush::Sync);
    run.quiet(&[NodeDisk::new("n", vouched(address(2), 7))]);
    run.assert_green();
}

#[test]
fn a_checkpoint_ahead_of_the_log_the_queue_or_the_time_is_caught() {
    told(NodeDisk::new("n", vouched(address(3), 7))).assert_red(&[]);
    told(NodeDisk::new("n", vouched(address(2), 8))).assert_red(&[]);
    let torn = |bytes: &mut Vec<u8>| bytes[address(1) as usize + 88] ^= 1;
    told(changed(vouched(address(2), 7), LOG, torn)).assert_red(&[]);
    let holed = |bytes: &mut Vec<u8>| bytes[20..40].fill(0);
    told(changed(vouched(address(2), 7), QUEUE, holed)).assert_red(&[]);
}

#[test]
fn a_checkpoint_ahead_of_the_device_and_a_torn_one_are_caught() {
    for path in [LOG, QUEUE] {
        let mut device = vouched(address(2), 7);
        device.remove(path);
        let before = NodeDisk::new("n", vouched(address(2), 7)).on_device(device);
        told(before).assert_red(&[]);
    }
    let torn = |bytes: &mut Vec<u8>| bytes[79] ^= 1;
    told(changed(vouched(address(2), 7), "store/checkpoint", torn)).assert_red(&[]);
}

#[test]
fn an_entry_whose_bits_turned_and_that_was_made_anew_need_not_be_durable() {
    let run_of = |struck: u64| {
        let turned = changed(vouched(address(2), 7), QUEUE, |bytes| bytes[27] ^= 1);
        let before = NodeDisk::new("n", vouched(address(2), 7)).on_device(turned.image);
        let mut run = Run::new(CheckpointIsCovered, Flush::Sync);
        run.fault(Fault::BitRot { path: QUEUE.into(), offset: struck, len: 1 });
        run.restart(Fault::ProcessKill, before, disk(&ids()));
        run
    };
    run_of(27).assert_green();
    run_of(7).assert_red(&[]);
}

#[test]
fn a_checkpoint_that_stands_still_is_caught() {
    let mut run = Run::new(CheckpointIsCovered, Flush::Sync);
    run.quiet(&[disk(&ids())]);
    run.assert_red(&[]);
    let mut run = Run::new(CheckpointIsCovered, Flush::Sync);
    run.quiet(&[NodeDisk::new("n", vouched(address(1), 7))]);
    run.assert_red(&[]);
}
