//! From a strike on paper to the world, and back.

use invariants::ledger::Fault;
use sim::fault::{clock, full_disk, io_error, partition, reset, slow_disk, sync_error};
use sim::{Control, Life, Node};
use workloads::scenario::NemesisKind;

use super::plan::Strike;

/// A disk that was full has this much again.
const CAPACITY: u64 = 1 << 40;

/// Applies a strike. The fault that it is, or `None` when it hits nothing: a dead node cannot die.
pub(crate) fn apply(control: &Control, strike: &Strike) -> Option<Fault> {
    let node = control.find(&strike.node)?;
    let life = control.life(&node);
    let words = || format!("{:?} for {} ms", strike.kind, strike.lasts.as_millis());
    match strike.kind {
        NemesisKind::Kill => {
            alive(life)?;
            control.kill(&node);
            return Some(Fault::ProcessKill);
        }
        NemesisKind::PowerFail => {
            if life == Life::Dark {
                return None;
            }
            control.power_fail(&node);
            return Some(Fault::PowerLoss);
        }
        NemesisKind::Partition => {
            others(control, &node).for_each(|other| partition::both_ways(control, &node, &other))
        }
        NemesisKind::OneWay => others(control, &node).for_each(|other| {
            if strike.at.as_millis().is_multiple_of(2) {
                partition::one_way(control, &node, &other);
            } else {
                partition::one_way(control, &other, &node);
            }
        }),
        NemesisKind::Reset => {
            others(control, &node).for_each(|other| {
                reset::between(control, &node, &other);
            });
        }
        NemesisKind::ClockJump => {
            clock::jump(control, &node, strike.amount);
            return Some(Fault::Clock { off_by_ms: clock::error_ms(control, &node) });
        }
        NemesisKind::ClockDrift => {
            clock::drift(control, &node, strike.amount);
            return Some(Fault::Clock { off_by_ms: clock::error_ms(control, &node) });
        }
        NemesisKind::SyncError => {
            sync_error::next(control, &node, strike.amount.unsigned_abs() as u32);
            // The ledger gets an entry when a sync has failed, not now.
            return None;
        }
        NemesisKind::RemoveError => {
            io_error::removals(control, &node, strike.amount.unsigned_abs() as u32);
            // As above.
            return None;
        }
        NemesisKind::SlowDisk => {
            if stands_still(strike) {
                slow_disk::stall(control, &node);
            } else {
                slow_disk::factor(control, &node, strike.amount.unsigned_abs() as u32);
            }
            return Some(stall(strike));
        }
        NemesisKind::FullDisk => {
            full_disk::capacity(control, &node, 0);
            return Some(Fault::NoSpace);
        }
        NemesisKind::Pause => {
            alive(life)?;
            control.pause(&node);
            return Some(stall(strike));
        }
    }
    Some(Fault::Network { what: words() })
}

/// Undoes a strike that can be undone.
pub(crate) fn undo(control: &Control, strike: &Strike) {
    let Some(node) = control.find(&strike.node) else { return };
    match strike.kind {
        NemesisKind::Partition | NemesisKind::OneWay => {
            others(control, &node).for_each(|other| partition::heal(control, &node, &other));
        }
        NemesisKind::SlowDisk => {
            slow_disk::factor(control, &node, 1);
            slow_disk::release(control, &node);
        }
        NemesisKind::FullDisk => full_disk::capacity(control, &node, CAPACITY),
        NemesisKind::Pause => control.resume(&node),
        NemesisKind::ClockDrift => clock::drift(control, &node, 0),
        NemesisKind::Kill
        | NemesisKind::PowerFail
        | NemesisKind::Reset
        | NemesisKind::ClockJump
        | NemesisKind::SyncError
        | NemesisKind::RemoveError => {}
    }
}

/// Whether a slow disk does not answer at all.
fn stands_still(strike: &Strike) -> bool {
    strike.amount % 2 == 0
}

fn alive(life: Life) -> Option<()> {
    (life == Life::Running).then_some(())
}

fn stall(strike: &Strike) -> Fault {
    Fault::Stall { for_ms: strike.lasts.as_millis() as u64 }
}

fn others<'a>(control: &Control, node: &'a Node) -> impl Iterator<Item = Node> + use<'a> {
    control.nodes().into_iter().filter(move |other| other != node)
}
