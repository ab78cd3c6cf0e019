//! S7: the abort file stands exactly while a store runs.

use std::collections::BTreeMap;

use crate::disk::NodeDisk;
use crate::history::{Event, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AbortWhileRunning {
    /// When each node was last known to serve, in ms of true time.
    served_ms: BTreeMap<String, u64>,
}

/// What S7 claims.
const CLAIM: Claim = Claim {
    id: "S7",
    sentence: "The abort file stands, durably, exactly while the store runs; and what a clean stop \
               leaves, a start takes over as it is.",
    source: "internals.md 4.1; ROCKETMQ-320: removed although dispatch lags",
    limits: "A node is known to serve by a recovery that ended well or by an acknowledged send, \
             and not when its start refused in the end: that ends a store in order. A node whose \
             disk was lost or met an error is judged again from its next start on that ends well, \
             unless it served and gave up: who fails never takes the abort file away.",
};

/// What ended the node's last life.
fn last_end<'a>(world: &World<'a>, node: &str) -> Option<&'a Entry> {
    let ends = |entry: &&Entry| {
        let fault = &entry.fault;
        matches!(fault, Fault::ProcessKill | Fault::PowerLoss | Fault::DiskLost | Fault::Stopped)
    };
    world.ledger.of(node).rev().find(ends)
}

/// Whether the node's disk failed it, or lied to it, in the last life that is known to have served
/// (or in the one that ended so) or since: it may have stopped with less than all in place then, or
/// have failed to start.
fn met_an_error(world: &World<'_>, node: &str, end: &Entry, served_ms: Option<u64>) -> bool {
    let lives = world.ledger.of(node).filter(|entry| entry.fault == Fault::Started);
    let until_ms = served_ms.unwrap_or(u64::MAX);
    let is_before = |start: &&Entry| start.index < end.index && start.at_ms <= until_ms;
    let began = lives.take_while(is_before).last();
    let since = began.map_or(0, |start| start.index);
    world.ledger.of(node).filter(|entry| entry.index >= since).any(|entry| {
        let fault = &entry.fault;
        fault.is_disk_error() || *fault == Fault::NoSpace || fault.damage().is_some()
    })
}

/// Whether the life that ended so served, and found that it cannot go on. It ends in order or not,
/// and is no sound store in either case.
fn gave_up(world: &World<'_>, node: &str, end: &Entry) -> bool {
    let before = world.ledger.of(node).rev().find(|entry| entry.index < end.index);
    end.fault == Fault::ProcessKill && before.is_some_and(|entry| entry.fault == Fault::GaveUp)
}

impl Invariant for AbortWhileRunning {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, _found: &mut Found) {
        let What::SendEnded { id, outcome } = &event.what else { return };
        let node = outcome.placed().and_then(|placed| world.node_of(&placed.queue));
        let (Some(node), Some(sent)) = (node, world.history.sent(*id)) else { return };
        let served_ms = self.served_ms.entry(node.to_owned()).or_default();
        *served_ms = sent.started_ms.max(*served_ms);
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        let (node, before) = (recovery.node(), &recovery.before);
        let served_ms = self.served_ms.get(node).copied();
        match last_end(world, node) {
            // A start that fails behind its store stops the store in good order.
            Some(end)
                if met_an_error(world, node, end, served_ms) && !gave_up(world, node, end) => {}
            Some(end) if end.fault == Fault::Stopped => {
                found.check(!before.abort && !before.abort_is_durable(), [], || {
                    "the node was stopped cleanly and the abort file stands".to_owned()
                });
                let after = &recovery.after;
                let is_same = recovery.end == RecoveryEnd::Started
                    && before.log.records == after.log.records
                    && before.queues == after.queues;
                found.check(is_same, [], || "a start changed what a clean stop left".to_owned());
            }
            Some(end) if end.fault != Fault::DiskLost => {
                // A process that was killed before it served may not have raised it yet, also when
                // it begins on an empty disk.
                let is_new =
                    |entry: &&Entry| matches!(entry.fault, Fault::Stopped | Fault::DiskLost);
                let begun_ms = world.ledger.of(node).filter(is_new).map(|entry| entry.at_ms).max();
                let served = served_ms > Some(begun_ms.unwrap_or(0));
                if served {
                    found.check(before.abort && before.abort_is_durable(), [], || {
                        "the node died while it served and there is no abort file".to_owned()
                    });
                }
            }
            _ => {}
        }
        let now_ms = world.ledger.of(node).next_back().map_or(0, |entry| entry.at_ms);
        if recovery.end == RecoveryEnd::Started {
            found.check(recovery.after.abort, [], || "it serves without abort file".to_owned());
            self.served_ms.insert(node.to_owned(), now_ms);
        } else {
            // A start that refuses may have had its store open, and ended it in order.
            self.served_ms.remove(node);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.ledger.down(&disk.node).is_none()) {
            found.about(Some(&disk.node));
            found.check(disk.abort && disk.abort_is_durable(), [], || {
                "the node runs and there is no abort file".to_owned()
            });
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, image};

    /// The disk of a store that runs, or died.
    fn raised(ids: &[crate::identity::Identity]) -> NodeDisk {
        let mut image = image(ids);
        image.insert("store/abort".to_owned(), Default::default());
        NodeDisk::new("n", image)
    }

    fn run() -> (Run, crate::identity::Identity) {
        let mut run = Run::new(AbortWhileRunning::default(), Flush::Sync);
        let a = run.send(0, 0);
        (run, a)
    }

    #[test]
    fn unclean_and_clean_ends_are_told_apart() {
        let (mut run, a) = run();
        run.restart(Fault::PowerLoss, raised(&[a]), raised(&[a]));
        run.restart(Fault::Stopped, disk(&[a]), raised(&[a]));
        run.quiet(&[raised(&[a])]);
        run.assert_green();
    }

    #[test]
    fn a_start_that_was_killed_before_it_served_after_a_clean_stop_is_fine() {
        let (mut run, a) = run();
        run.fault(Fault::Stopped);
        run.fault(Fault::Started);
        run.restart(Fault::ProcessKill, disk(&[a]), raised(&[a]));
        run.assert_green();
    }

    #[test]
    fn a_start_that_refused_with_its_store_open_has_ended_it_in_order() {
        let (mut run, a) = run();
        let (before, after) = (raised(&[a]), disk(&[a]));
        let end = RecoveryEnd::Refused { error: "a table could not be written".to_owned() };
        run.recover(Fault::PowerLoss, Recovery { end, before, after, again: None });
        run.restart(Fault::ProcessKill, disk(&[a]), raised(&[a]));
        run.assert_green();
    }

    #[test]
    fn a_disk_that_fails_at_the_stop_or_the_start_is_no_fault_of_the_store() {
        let error = || Fault::InputOutputError { path: "store/abort".into() };
        let (mut stalled, a) = run();
        stalled.fault(error());
        stalled.restart(Fault::Stopped, raised(&[a]), raised(&[a]));
        stalled.assert_green();
        let (mut lost, a) = run();
        lost.fault(Fault::DiskLost);
        lost.fault(Fault::Started);
        lost.fault(error());
        lost.restart(Fault::ProcessKill, disk(&[]), raised(&[]));
        lost.assert_green();
        let (mut earlier, a) = (lost, a);
        earlier.fault(Fault::Started);
        earlier.restart(Fault::Stopped, raised(&[a]), raised(&[a]));
        earlier.assert_red(&[]);
    }

    #[test]
    fn a_start_that_was_killed_does_not_forget_the_error_of_the_life_before() {
        let killed_amid_a_start = |error: Option<Fault>| {
            let (mut run, a) = run();
            error.into_iter().for_each(|error| run.fault(error));
            run.fault(Fault::ProcessKill);
            run.fault(Fault::Started);
            run.restart(Fault::PowerLoss, disk(&[a]), raised(&[a]));
            run
        };
        // It may have ended its store in order before the full disk kept it from the rest.
        killed_amid_a_start(Some(Fault::NoSpace)).assert_green();
        killed_amid_a_start(None).assert_red(&[]);
    }

    #[test]
    fn who_met_an_error_and_gave_up_leaves_the_file() {
        let life = |before: fn(&[crate::identity::Identity]) -> NodeDisk| {
            let (mut run, a) = run();
            run.fault(Fault::InputOutputError { path: "store/commitlog/0".into() });
            run.fault(Fault::GaveUp);
            run.restart(Fault::ProcessKill, before(&[a]), raised(&[a]));
            run
        };
        life(raised).assert_green();
        life(disk).assert_red(&[]);
    }

    #[test]
    fn a_file_that_is_missing_or_left_and_a_start_that_changes_something_are_caught() {
        let (mut bare, a) = run();
        bare.restart(Fault::ProcessKill, disk(&[a]), raised(&[a]));
        bare.assert_red(&[]);
        let (mut left, a) = run();
        left.restart(Fault::Stopped, raised(&[a]), raised(&[a]));
        left.assert_red(&[]);
        let (mut cut, a) = run();
        cut.restart(Fault::Stopped, disk(&[a]), raised(&[]));
        cut.assert_red(&[]);
        let (mut unraised, a) = run();
        unraised.quiet(&[disk(&[a])]);
        unraised.assert_red(&[]);
    }
}
