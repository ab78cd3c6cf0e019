//! What the ledger says of a file that a broker removed.

use bytes::Bytes;
use invariants::disk::{DiskImage, LogScan};
use invariants::ledger::Deletion;
use sim::Removal;
use store::Retention;

/// The deletion that it is; `None` for other files, and for the cut of a recovery, which takes the
/// newest file first.
pub(crate) fn of(removal: &Removal, at_ms: u64, policy: &Retention) -> Option<Deletion> {
    let mut parts = removal.path.rsplit('/');
    let (name, directory) = (parts.next()?, parts.next()?);
    let base: u64 = name.parse().ok().filter(|_| directory == "commitlog")?;
    let bases = |name: &String| name.parse::<u64>().ok();
    let left: Vec<(u64, bool)> =
        removal.left.iter().filter_map(|(name, holds)| Some((bases(name)?, *holds))).collect();
    if !left.iter().any(|(other, _)| *other > base) {
        return None;
    }
    let alone: DiskImage = [(removal.path.clone(), Bytes::clone(&removal.bytes))].into();
    let records = LogScan::of(&alone).records;
    Some(Deletion {
        base,
        end: base + removal.bytes.len() as u64,
        newest_ms: records.iter().map(|record| record.store_timestamp).max(),
        at_ms,
        kept_ms: policy.reserved_ms,
        used_percent: removal.used * 100 / removal.capacity.max(1),
        forcible_percent: policy.disk_forcible_percent,
        older_left: left.iter().any(|(other, _)| *other < base),
        was_last: !left.iter().any(|(other, holds)| *other > base && *holds),
    })
}
