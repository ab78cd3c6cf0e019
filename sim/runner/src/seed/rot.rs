//! Bits of a CommitLog that turn over where they lie.

use std::ops::Range;

use invariants::disk::{DiskImage, LogScan, Record, Stop};
use invariants::ledger::Fault;
use sim::fault::bit_rot;
use sim::{Control, Node, PAGE};
use sim_capsule::Strike;

/// Where in a record its size and magic stand.
const SIZE_AND_MAGIC: Range<u64> = 0..8;

/// Where in a record its magic begins.
const MAGIC: u64 = 4;

/// Where in a record it says where it stands.
const PLACE: Range<u64> = 28..36;

/// Where in a record the length of its body stands.
const BODY_LEN: Range<u64> = 84..88;

/// Where in a record its body begins.
const BODY: u64 = 88;

/// Turns a bit of the node's log over; `None` when there is none that anybody could tell.
pub(crate) fn strike(control: &Control, node: &Node, strike: &Strike) -> Option<Fault> {
    let amount = strike.amount.unsigned_abs();
    let mut places = bit_rot::places(control, node);
    places.retain(|(path, _)| path.contains("/commitlog/"));
    let at = (amount / 5).checked_rem(places.len() as u64)?;
    let (path, page) = places.swap_remove(at as usize);
    let offset = told(control, node, &path, page + (amount >> 20) % PAGE)?;
    let bit = ((amount >> 32) % 8) as u8;
    bit_rot::flip(control, node, &path, (offset, bit));
    Some(Fault::BitRot { path, offset, len: 1 })
}

/// The byte of a log file, or another of the same record if nothing in the format could tell that
/// it changed: RocketMQ has a checksum of the body alone, so a bit of the properties is delivered
/// as it is, and no store can know. `None` behind damage, where nobody knows what a byte is.
fn told(control: &Control, node: &Node, path: &str, offset: u64) -> Option<u64> {
    let bytes = control.disk_image(node).cache.get(path)?.clone();
    let base = path.rsplit('/').next().and_then(|name| name.parse::<u64>().ok())?;
    let alone: DiskImage = [(path.to_owned(), bytes)].into();
    let log = LogScan::of(&alone);
    let holds = |record: &&Record| record.span().contains(&(base + offset));
    let Some(record) = log.records.iter().find(holds) else {
        return (log.stop == Stop::Clean).then_some(offset);
    };
    let start = record.address - base;
    let within = offset - start;
    let is_head = [SIZE_AND_MAGIC, PLACE, BODY_LEN].iter().any(|head| head.contains(&within));
    if is_head || (BODY..BODY + record.body_len()).contains(&within) {
        return Some(offset);
    }
    Some(start + if record.body_len() > 0 { BODY } else { MAGIC })
}
