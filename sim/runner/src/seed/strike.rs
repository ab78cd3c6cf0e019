//! From a strike on paper to the world, and back.

use invariants::ledger::Fault;
use runtime::sync::Stop;
use sim::fault::{
    bad_sector, clock, full_disk, io_error, misdirected_write, slow_disk, sync_error, wiped_disk,
};
use sim::{Control, Life, Node};
use sim_capsule::Strike;
use tokio::sync::mpsc::UnboundedSender;
use workloads::scenario::NemesisKind;

use super::servers::News;
use super::{class, disturb, rot};

/// A disk that was full has this much again.
const CAPACITY: u64 = 1 << 40;

/// Applies a strike. The faults that the ledger must know now; none for a disk that is only made
/// ready to fail, whose entries come when it does. `None` when it hits nothing: a dead node cannot
/// die.
pub(crate) fn apply(control: &Control, strike: &Strike) -> Option<Vec<Fault>> {
    let node = control.find(&strike.node)?;
    let life = control.life(&node);
    if disturb::is_between_nodes(strike.kind) {
        disturb::begin(control, &node, strike);
        let for_ms = strike.lasts.as_millis() as u64;
        let what = format!("{:?} for {for_ms} ms", strike.kind);
        return Some(vec![Fault::Network { what, for_ms }]);
    }
    match strike.kind {
        NemesisKind::Kill | NemesisKind::KillInRecovery => {
            alive(life)?;
            control.kill(&node);
            Some(vec![Fault::ProcessKill])
        }
        NemesisKind::PowerFail | NemesisKind::PowerFailInRecovery => {
            if life == Life::Dark {
                return None;
            }
            control.power_fail(&node);
            Some(vec![Fault::PowerLoss])
        }
        NemesisKind::SlowStart => {
            alive(life)?;
            control.kill(&node);
            slow_disk::factor(control, &node, strike.amount.unsigned_abs() as u32);
            Some(vec![Fault::ProcessKill, stall(strike)])
        }
        NemesisKind::ReplaceMachine | NemesisKind::WipeDisk | NemesisKind::UntoldWipe => {
            Some(wipe(control, &node, strike))
        }
        NemesisKind::ClockJump | NemesisKind::ClockSkew => {
            clock::jump(control, &node, strike.amount);
            Some(vec![Fault::Clock { off_by_ms: clock::error_ms(control, &node) }])
        }
        NemesisKind::ClockDrift => {
            clock::drift(control, &node, strike.amount);
            Some(vec![Fault::Clock { off_by_ms: clock::error_ms(control, &node) }])
        }
        NemesisKind::Pause => {
            alive(life)?;
            control.pause(&node);
            Some(vec![stall(strike)])
        }
        // The server's own doing, or the director's.
        NemesisKind::Stop | NemesisKind::PowerFailAmid => {
            alive(life)?;
            Some(Vec::new())
        }
        _ => turn_bad(control, &node, strike),
    }
}

/// Takes the node's disk, and all of the machine when it is replaced.
fn wipe(control: &Control, node: &Node, strike: &Strike) -> Vec<Fault> {
    control.power_fail(node);
    wiped_disk::wipe(control, node);
    match strike.kind {
        // Who hears of that only has no excuse for what is missing.
        NemesisKind::UntoldWipe => vec![Fault::PowerLoss],
        NemesisKind::ReplaceMachine => {
            clock::repair(control, node);
            clock::jump(control, node, strike.amount);
            vec![Fault::DiskLost, Fault::Clock { off_by_ms: clock::error_ms(control, node) }]
        }
        _ => vec![Fault::DiskLost],
    }
}

/// Lets the node's disk be slow, full or wrong, or fail now and then, or in one place.
fn turn_bad(control: &Control, node: &Node, strike: &Strike) -> Option<Vec<Fault>> {
    let amount = strike.amount.unsigned_abs();
    let chance = [0.02, 0.2, 0.9][(amount % 3) as usize];
    match strike.kind {
        NemesisKind::Evict => {
            sync_error::evict_clean_pages(control, node);
            return Some(vec![Fault::PagesEvicted]);
        }
        NemesisKind::BitRot => return rot::strike(control, node, strike).map(|fault| vec![fault]),
        NemesisKind::SlowDisk => {
            if class::stands_still(strike) {
                slow_disk::stall(control, node);
            } else {
                slow_disk::factor(control, node, amount as u32);
            }
            return Some(vec![stall(strike)]);
        }
        NemesisKind::FullDisk => {
            full_disk::capacity(control, node, 0);
            return Some(vec![Fault::NoSpace]);
        }
        NemesisKind::SyncError => sync_error::next(control, node, amount as u32),
        NemesisKind::RemoveError => io_error::removals(control, node, amount as u32),
        NemesisKind::MisdirectedWrite => {
            misdirected_write::evicted(control, node, amount.is_multiple_of(2));
            // A queue that was written over is made anew by hand only: see FORMAT.md.
            misdirected_write::within(control, node, "/commitlog/");
            misdirected_write::next(control, node, 1 + (amount / 2 % 3) as u32);
        }
        NemesisKind::WritebackError => sync_error::in_background(control, node, chance),
        NemesisKind::ReadError => io_error::reads(control, node, chance),
        NemesisKind::WriteError => io_error::writes(control, node, chance),
        NemesisKind::BadSector => return spoil(control, node, amount).then(Vec::new),
        _ => {}
    }
    Some(Vec::new())
}

/// Lets a page of a file of the store be unreadable. Whether there is one.
fn spoil(control: &Control, node: &Node, amount: u64) -> bool {
    let image = control.disk_image(node).cache;
    let of_store = |path: &&String| path.contains("/commitlog/") || path.contains("queue/");
    let files: Vec<(&String, u64)> = image
        .iter()
        .filter(|(path, bytes)| of_store(path) && !bytes.is_empty())
        .map(|(path, bytes)| (path, bytes.len() as u64))
        .collect();
    match files.get((amount % files.len().max(1) as u64) as usize) {
        Some((path, len)) => bad_sector::page(control, node, path, amount % len),
        None => false,
    }
}

/// Strikes a node after so many operations of its disk, in a way that counts as `class`, unless all
/// is healed by then. Sends the news when it did.
pub(crate) async fn doom(
    control: Control,
    node: Node,
    (operations, class): (u64, &'static str),
    (healed, to): (Stop, UnboundedSender<News>),
) {
    control.disk_operations(&node, operations).await;
    if control.life(&node) != Life::Running || healed.is_stopped() {
        return;
    }
    let fault = if class == class::of_doom(false, true) {
        control.kill(&node);
        Fault::ProcessKill
    } else {
        control.power_fail(&node);
        Fault::PowerLoss
    };
    // Nobody listens any more when the run is over.
    let _ = to.send(News::Struck { node, fault, class });
}

/// Undoes a strike that can be undone; for the others nothing happens.
pub(crate) fn undo(control: &Control, strike: &Strike) {
    let Some(node) = control.find(&strike.node) else { return };
    match strike.kind {
        kind if disturb::is_between_nodes(kind) => disturb::end(control, &node, kind),
        NemesisKind::SlowDisk | NemesisKind::SlowStart => {
            slow_disk::factor(control, &node, 1);
            slow_disk::release(control, &node);
        }
        NemesisKind::FullDisk => full_disk::capacity(control, &node, CAPACITY),
        NemesisKind::Pause => control.resume(&node),
        NemesisKind::ClockDrift => clock::drift(control, &node, 0),
        NemesisKind::WritebackError => sync_error::in_background(control, &node, 0.0),
        NemesisKind::ReadError => io_error::reads(control, &node, 0.0),
        NemesisKind::WriteError => io_error::writes(control, &node, 0.0),
        NemesisKind::BadSector => bad_sector::mend(control, &node),
        _ => {}
    }
}

fn alive(life: Life) -> Option<()> {
    (life == Life::Running).then_some(())
}

fn stall(strike: &Strike) -> Fault {
    Fault::Stall { for_ms: strike.lasts.as_millis() as u64 }
}
