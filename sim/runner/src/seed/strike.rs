//! From a strike on paper to the world, and back.

use invariants::ledger::Fault;
use sim::fault::{
    bad_sector, bit_rot, clock, full_disk, io_error, misdirected_write, partition, reset,
    slow_disk, sync_error, wiped_disk,
};
use sim::{Control, Life, Node, PAGE};
use sim_capsule::Strike;
use tokio::sync::mpsc::UnboundedSender;
use workloads::scenario::NemesisKind;

use super::servers::News;

/// A disk that was full has this much again.
const CAPACITY: u64 = 1 << 40;

/// Applies a strike. The fault that it is, or `None` when it hits nothing: a dead node cannot die.
pub(crate) fn apply(control: &Control, strike: &Strike) -> Option<Fault> {
    let node = control.find(&strike.node)?;
    let life = control.life(&node);
    match strike.kind {
        NemesisKind::Kill | NemesisKind::KillInRecovery => {
            alive(life)?;
            control.kill(&node);
            Some(Fault::ProcessKill)
        }
        NemesisKind::PowerFail | NemesisKind::PowerFailInRecovery => {
            if life == Life::Dark {
                return None;
            }
            control.power_fail(&node);
            Some(Fault::PowerLoss)
        }
        NemesisKind::Partition | NemesisKind::OneWay | NemesisKind::Reset => {
            disturb(control, &node, strike);
            let what = format!("{:?} for {} ms", strike.kind, strike.lasts.as_millis());
            Some(Fault::Network { what })
        }
        NemesisKind::ClockJump => {
            clock::jump(control, &node, strike.amount);
            Some(Fault::Clock { off_by_ms: clock::error_ms(control, &node) })
        }
        NemesisKind::ClockDrift => {
            clock::drift(control, &node, strike.amount);
            Some(Fault::Clock { off_by_ms: clock::error_ms(control, &node) })
        }
        NemesisKind::WipeDisk => {
            control.power_fail(&node);
            wiped_disk::wipe(control, &node);
            Some(Fault::DiskLost)
        }
        NemesisKind::Evict => {
            sync_error::evict_clean_pages(control, &node);
            Some(Fault::PagesEvicted)
        }
        NemesisKind::BitRot => rot(control, &node, strike),
        // The ledger gets an entry whenever one of these fails, not now.
        NemesisKind::SyncError
        | NemesisKind::RemoveError
        | NemesisKind::WritebackError
        | NemesisKind::ReadError
        | NemesisKind::WriteError
        | NemesisKind::MisdirectedWrite
        | NemesisKind::BadSector => {
            turn_bad(control, &node, strike);
            None
        }
        // The server's own doing, and the director's.
        NemesisKind::Stop => None,
        NemesisKind::SlowDisk => {
            if stands_still(strike) {
                slow_disk::stall(control, &node);
            } else {
                slow_disk::factor(control, &node, strike.amount.unsigned_abs() as u32);
            }
            Some(stall(strike))
        }
        NemesisKind::FullDisk => {
            full_disk::capacity(control, &node, 0);
            Some(Fault::NoSpace)
        }
        NemesisKind::Pause => {
            alive(life)?;
            control.pause(&node);
            Some(stall(strike))
        }
    }
}

/// Turns a bit of the node's disk over: in two of five strikes one of its log.
fn rot(control: &Control, node: &Node, strike: &Strike) -> Option<Fault> {
    let amount = strike.amount.unsigned_abs();
    let among = ["/commitlog/", "/commitlog/", "/consumequeue/", "/index/", ""];
    let among = among[(amount % 5) as usize];
    let mut places = bit_rot::places(control, node);
    places.retain(|(path, _)| path.contains(among));
    let at = (amount / 5).checked_rem(places.len() as u64)?;
    let (path, page) = places.swap_remove(at as usize);
    let offset = page + (amount >> 20) % PAGE;
    let bit = ((amount >> 32) % 8) as u8;
    bit_rot::flip(control, node, &path, (offset, bit));
    Some(Fault::BitRot { path, offset, len: 1 })
}

/// Disturbs what the node says to others, or they to it.
fn disturb(control: &Control, node: &Node, strike: &Strike) {
    let one_way = strike.at.as_millis().is_multiple_of(2);
    for other in others(control, node) {
        match strike.kind {
            NemesisKind::Partition => partition::both_ways(control, node, &other),
            NemesisKind::OneWay if one_way => partition::one_way(control, node, &other),
            NemesisKind::OneWay => partition::one_way(control, &other, node),
            _ => {
                reset::between(control, node, &other);
            }
        }
    }
}

/// Whether a strike that the ledger does not know yet lasts until it is undone.
pub(crate) fn lasts(kind: NemesisKind) -> bool {
    matches!(
        kind,
        NemesisKind::WritebackError
            | NemesisKind::ReadError
            | NemesisKind::WriteError
            | NemesisKind::BadSector
    )
}

/// Lets the node's disk fail now and then, or in one place.
fn turn_bad(control: &Control, node: &Node, strike: &Strike) {
    let amount = strike.amount.unsigned_abs();
    let chance = [0.02, 0.2, 0.9][(amount % 3) as usize];
    match strike.kind {
        NemesisKind::SyncError => sync_error::next(control, node, amount as u32),
        NemesisKind::RemoveError => io_error::removals(control, node, amount as u32),
        NemesisKind::MisdirectedWrite => {
            misdirected_write::evicted(control, node, amount.is_multiple_of(2));
            misdirected_write::next(control, node, 1 + (amount / 2 % 3) as u32);
        }
        NemesisKind::WritebackError => sync_error::in_background(control, node, chance),
        NemesisKind::ReadError => io_error::reads(control, node, chance),
        NemesisKind::WriteError => io_error::writes(control, node, chance),
        _ => {
            let image = control.disk_image(node).cache;
            let of_store = |path: &&String| path.contains("/commitlog/") || path.contains("queue/");
            let files: Vec<(&String, u64)> = image
                .iter()
                .filter(|(path, bytes)| of_store(path) && !bytes.is_empty())
                .map(|(path, bytes)| (path, bytes.len() as u64))
                .collect();
            let Some((path, len)) = files.get((amount % files.len().max(1) as u64) as usize) else {
                return;
            };
            bad_sector::page(control, node, path, amount % len);
        }
    }
}

/// Strikes a node that recovers, after so many operations of its disk; with a loss of power if
/// `power`. Sends the news when it did.
pub(crate) async fn doom(
    control: Control,
    node: Node,
    (operations, power): (u64, bool),
    to: UnboundedSender<News>,
) {
    control.disk_operations(&node, operations).await;
    if control.life(&node) != Life::Running {
        return;
    }
    let fault = if power {
        control.power_fail(&node);
        Fault::PowerLoss
    } else {
        control.kill(&node);
        Fault::ProcessKill
    };
    // Nobody listens any more when the run is over.
    let _ = to.send(News::Struck { node, fault });
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
        NemesisKind::WritebackError => sync_error::in_background(control, &node, 0.0),
        NemesisKind::ReadError => io_error::reads(control, &node, 0.0),
        NemesisKind::WriteError => io_error::writes(control, &node, 0.0),
        NemesisKind::BadSector => bad_sector::mend(control, &node),
        NemesisKind::Kill
        | NemesisKind::Stop
        | NemesisKind::KillInRecovery
        | NemesisKind::PowerFailInRecovery
        | NemesisKind::Evict
        | NemesisKind::WipeDisk
        | NemesisKind::PowerFail
        | NemesisKind::Reset
        | NemesisKind::ClockJump
        | NemesisKind::SyncError
        | NemesisKind::BitRot
        | NemesisKind::MisdirectedWrite
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
