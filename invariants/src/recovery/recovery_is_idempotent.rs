//! S1: recovering what was just recovered changes nothing.

use std::collections::BTreeMap;

use crate::disk::{DiskImage, NodeDisk};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct RecoveryIsIdempotent {
    /// What the last start of each node left.
    last: BTreeMap<String, NodeDisk>,
}

/// What S1 claims.
const CLAIM: Claim = Claim {
    id: "S1",
    sentence: "recover(recover(d)) = recover(d), byte for byte.",
    source: "RocketMQ #495: two unclean stops in a row leave entries that point wrong",
    limits: "Files of the CommitLog and the ConsumeQueues; files of zeros only do not count. Needs \
             a second recovery of the same bytes: Recovery::again, or a node that was stopped \
             before anything was written. That a recovery cut short leads to the same end as one \
             that was not is seen only through the other properties. Nothing is judged where the \
             ledger says that the device damaged the log since the node went down.",
};

impl Invariant for RecoveryIsIdempotent {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        // What the device did to the first recovery's writes is no work of the second.
        let is_struck = world.ledger.is_struck_since_end(recovery.node(), &(0..u64::MAX));
        if recovery.end != RecoveryEnd::Started || is_struck {
            self.last.remove(recovery.node());
            return;
        }
        if let Some(again) = &recovery.again {
            check(&recovery.after, again, found);
        }
        let last = self.last.insert(recovery.node().to_owned(), recovery.after.clone());
        if last.is_some_and(|last| difference(&last.image, &recovery.before.image).is_none()) {
            check(&recovery.before, &recovery.after, found);
        }
    }
}

fn check(first: &NodeDisk, second: &NodeDisk, found: &mut Found) {
    let difference = difference(&first.image, &second.image);
    found.check(difference.is_none(), [], || {
        let (path, at) = difference.unwrap_or_default();
        format!("a second recovery changed {path} at byte {at}")
    });
}

/// The first file of the store that differs, and where.
fn difference<'a>(first: &'a DiskImage, second: &'a DiskImage) -> Option<(&'a str, usize)> {
    let counts =
        |path: &&String| path.split('/').any(|dir| matches!(dir, "commitlog" | "consumequeue"));
    let mut paths = first.keys().chain(second.keys()).filter(counts);
    paths.find_map(|path| Some((path.as_str(), differs(first.get(path), second.get(path))?)))
}

fn differs(first: Option<&bytes::Bytes>, second: Option<&bytes::Bytes>) -> Option<usize> {
    let (first, second) = (first.map_or(&[][..], |b| b), second.map_or(&[][..], |b| b));
    if first == second {
        return None;
    }
    let at = |bytes: &[u8], at: usize| bytes.get(at).copied().unwrap_or(0);
    (0..first.len().max(second.len())).find(|n| at(first, *n) != at(second, *n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, QUEUE, Run, changed, disk, image};

    fn ids() -> [Identity; 2] {
        [Identity::new(1, 0, 0), Identity::new(1, 1, 0)]
    }

    #[test]
    fn the_same_bytes_are_fine_and_a_prepared_file_does_not_count() {
        let mut run = Run::new(RecoveryIsIdempotent::default(), Flush::Sync);
        let next = "store/commitlog/00000000000000000630";
        let prepared = changed(image(&ids()), next, |bytes| bytes.resize(630, 0));
        let end = RecoveryEnd::Started;
        let (before, after, again) = (disk(&ids()[..1]), disk(&ids()), Some(prepared));
        run.recover(Fault::ProcessKill, Recovery { end, before, after, again });
        run.restart(Fault::ProcessKill, disk(&ids()), disk(&ids()));
        run.assert_green();
    }

    #[test]
    fn a_second_recovery_that_changes_something_is_caught() {
        let moved = || changed(image(&ids()), QUEUE, |bytes| bytes[27] += 1);
        let mut run = Run::new(RecoveryIsIdempotent::default(), Flush::Sync);
        run.restart(Fault::ProcessKill, disk(&[]), disk(&ids()));
        run.restart(Fault::ProcessKill, disk(&ids()), moved());
        run.assert_red(&[]);
        let mut run = Run::new(RecoveryIsIdempotent::default(), Flush::Sync);
        let (before, after, again) = (disk(&[]), disk(&ids()), Some(moved()));
        let end = RecoveryEnd::Started;
        run.recover(Fault::ProcessKill, Recovery { end, before, after, again });
        run.assert_red(&[]);
    }

    #[test]
    fn a_device_that_struck_the_first_recovery_excuses_the_second_and_an_older_strike_does_not() {
        let moved = || changed(image(&ids()), QUEUE, |bytes| bytes[27] += 1);
        let struck = || Fault::Misdirected { path: LOG.into(), offset: 0, len: 4_096 };
        let end = RecoveryEnd::Started;
        let run_of = |first: Fault, then: Fault| {
            let mut run = Run::new(RecoveryIsIdempotent::default(), Flush::Sync);
            run.fault(first);
            let (before, after, again) = (disk(&[]), disk(&ids()), Some(moved()));
            run.recover(then, Recovery { end: end.clone(), before, after, again });
            run
        };
        run_of(Fault::ProcessKill, struck()).assert_no_violation();
        run_of(struck(), Fault::ProcessKill).assert_red(&[]);
    }
}
