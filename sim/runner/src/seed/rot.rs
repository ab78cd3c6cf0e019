//! Bits of a CommitLog, or of a ConsumeQueue, that turn over where they lie.

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

/// How long an entry of a queue is.
const ENTRY_LEN: u64 = 20;

/// How many bits of an entry lead to its record: of the offset 64, of the length 32. The others are
/// the code of its tags, which nothing in the format could tell.
const LEADING_BITS: u64 = 96;

/// The lowest bits of the offset, within a simulated log. Half of the strikes are these: a higher
/// one leads behind all there is.
const NEAR_BITS: std::ops::Range<u64> = 46..64;

/// Where in an entry the length stands.
const ENTRY_SIZE: std::ops::Range<usize> = 8..12;

/// Of so many strikes one is of a queue.
const QUEUE_EVERY: u64 = 3;

/// Turns a bit over; `None` when there is none that anybody could tell.
pub(crate) fn strike(control: &Control, node: &Node, strike: &Strike) -> Option<Fault> {
    let amount = strike.amount.unsigned_abs();
    let places = bit_rot::places(control, node);
    let in_queue =
        || strike_of(&places, "/consumequeue/", amount, queue_bit(control, node, amount));
    let in_log = || strike_of(&places, "/commitlog/", amount, log_bit(control, node, amount));
    let of_queue = (amount >> 40).is_multiple_of(QUEUE_EVERY);
    let (path, offset, bit) = if of_queue { in_queue().or_else(in_log)? } else { in_log()? };
    bit_rot::flip(control, node, &path, (offset, bit));
    Some(Fault::BitRot { path, offset, len: 1 })
}

/// One of the places in files of that kind, with what `bit` says of it.
fn strike_of(
    places: &[(String, u64)],
    kind: &str,
    amount: u64,
    bit: impl Fn(&str, u64) -> Option<(u64, u8)>,
) -> Option<(String, u64, u8)> {
    let places: Vec<_> = places.iter().filter(|(path, _)| path.contains(kind)).collect();
    let (path, page) = places[(amount / 5).checked_rem(places.len() as u64)? as usize];
    let (offset, bit) = bit(path, *page)?;
    Some((path.clone(), offset, bit))
}

/// A byte of a page of a log file, and its bit.
fn log_bit(control: &Control, node: &Node, amount: u64) -> impl Fn(&str, u64) -> Option<(u64, u8)> {
    move |path, page| {
        let offset = told(control, node, path, page + (amount >> 20) % PAGE)?;
        Some((offset, ((amount >> 32) % 8) as u8))
    }
}

/// A byte of an entry that begins in a page of a queue's file, and its bit; `None` when none does,
/// or when the entry would be none any more: nothing could tell where the queue ends then.
fn queue_bit(
    control: &Control,
    node: &Node,
    amount: u64,
) -> impl Fn(&str, u64) -> Option<(u64, u8)> {
    move |path, page| {
        let bytes = control.disk_image(node).cache.get(path)?.clone();
        let of_page = (page.div_ceil(ENTRY_LEN)..(page + PAGE).div_ceil(ENTRY_LEN))
            .map(|at| at * ENTRY_LEN)
            .filter(|at| {
                let entry = bytes.get(*at as usize..(at + ENTRY_LEN) as usize);
                entry.is_some_and(|entry| entry[ENTRY_SIZE].iter().any(|byte| *byte != 0))
            });
        let entries: Vec<u64> = of_page.collect();
        let start = entries[((amount >> 20) % (entries.len() as u64).max(1)) as usize..].first()?;
        let drawn = amount >> 32;
        let at = if drawn.is_multiple_of(2) {
            NEAR_BITS.start + drawn / 2 % (NEAR_BITS.end - NEAR_BITS.start)
        } else {
            drawn / 2 % LEADING_BITS
        };
        let (byte, bit) = (at / 8, 7 - (at % 8) as u8);
        let mut size = bytes.get(*start as usize..)?[ENTRY_SIZE].to_vec();
        if let Some(turned) = (byte as usize).checked_sub(ENTRY_SIZE.start) {
            size[turned] ^= 1 << bit;
        }
        size.iter().any(|byte| *byte != 0).then_some((start + byte, bit))
    }
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
