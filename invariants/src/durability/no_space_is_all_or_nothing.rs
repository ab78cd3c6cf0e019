//! D8: a full disk takes a batch or leaves it, and never ends a node for good.

use std::collections::BTreeSet;

use crate::disk::NodeDisk;
use crate::history::{Event, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::{Entry, Fault};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct NoSpaceIsAllOrNothing {
    /// The requests, in the order of their beginning.
    batches: Vec<Batch>,
    /// The last attempt that began, and its event.
    last: Option<(usize, Identity)>,
}

#[derive(Debug)]
struct Batch {
    began_ms: u64,
    began: usize,
    ids: Vec<Identity>,
}

/// What D8 claims.
const CLAIM: Claim = Claim {
    id: "D8",
    sentence: "On a node whose disk was full every batch stands in the log whole or not at all, \
               and the lack of space alone makes no node give up.",
    source: "design/museum.md 83: ENOSPC leaves half an append; diskSpaceWarningLevelRatio",
    limits: "What one request carries is told by its attempts' beginning in one moment. A batch \
             is not judged where power, an error of the disk, rot or a deletion may have taken \
             part of it. That a node serves when space returns is LV1's.",
};

impl Invariant for NoSpaceIsAllOrNothing {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, _found: &mut Found) {
        let What::SendStarted { id, .. } = event.what else { return };
        let before = self.last.replace((event.index, id));
        let follows = before.is_some_and(|(index, before)| {
            index + 1 == event.index && Identity { op: before.op + 1, ..before } == id
        });
        let batch = self.batches.last_mut().filter(|_| follows);
        if let Some(batch) = batch.filter(|batch| batch.began_ms == event.at_ms) {
            batch.ids.push(id);
            return;
        }
        self.batches.push(Batch { began_ms: event.at_ms, began: event.index, ids: vec![id] });
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            let is_full = |entry: &Entry| entry.fault == Fault::NoSpace;
            if !world.ledger.of(&disk.node).any(is_full) {
                continue;
            }
            found.about(Some(&disk.node));
            self.check_batches(world, disk, found);
            check_lives(world, &disk.node, found);
            found.about(None);
        }
    }
}

impl NoSpaceIsAllOrNothing {
    fn check_batches(&self, world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        let stored: BTreeSet<Identity> =
            disk.log.records.iter().filter_map(|record| record.id).collect();
        let takes = |fault: &Fault| {
            let ends = matches!(fault, Fault::PowerLoss | Fault::DiskLost | Fault::Deleted(_));
            ends || fault.is_disk_error() || matches!(fault, Fault::BitRot { .. })
        };
        let taken: Vec<u64> = world
            .ledger
            .of(&disk.node)
            .filter(|entry| takes(&entry.fault))
            .map(|entry| entry.at_ms)
            .collect();
        let several = self.batches.iter().filter(|batch| batch.ids.len() > 1);
        for batch in several.filter(|batch| taken.iter().all(|at_ms| *at_ms < batch.began_ms)) {
            let there = batch.ids.iter().filter(|id| stored.contains(*id)).count();
            found.check(there == 0 || there == batch.ids.len(), [batch.began], || {
                format!("{there} of {:?} are stored", batch.ids)
            });
        }
    }
}

/// No life of a node in which the disk was full, and nothing else was wrong with it, was given up.
fn check_lives(world: &World<'_>, node: &str, found: &mut Found) {
    for entry in world.ledger.of(node).filter(|entry| entry.fault == Fault::GaveUp) {
        let since = world.ledger.since_start(node, entry.at_ms);
        let was_full = since.iter().any(|entry| entry.fault == Fault::NoSpace);
        let had_cause = since.iter().any(|entry| entry.fault.is_disk_error());
        found.check(had_cause || !was_full, [], || {
            format!("at {} ms it gave up, and only space was lacking", entry.at_ms)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Kind;
    use crate::promise::Flush;
    use crate::testing::{Run, disk, message};

    /// A batch of three that began in one moment.
    fn batch(run: &mut Run) -> Vec<Identity> {
        let ids: Vec<Identity> = (0..3).map(|op| Identity::new(1, op, 0)).collect();
        let all = ids.iter().map(|id| What::send_started(&message(*id), Kind::Plain));
        run.events(all);
        ids
    }

    #[test]
    fn whole_batches_none_and_what_power_may_have_cut_are_fine() {
        for stored in [0, 3] {
            let mut run = Run::new(NoSpaceIsAllOrNothing::default(), Flush::Sync);
            run.fault(Fault::NoSpace);
            let ids = batch(&mut run);
            run.quiet(&[disk(&ids[..stored])]);
            run.assert_green();
        }
        let mut run = Run::new(NoSpaceIsAllOrNothing::default(), Flush::Async);
        run.fault(Fault::NoSpace);
        let ids = batch(&mut run);
        run.fault(Fault::PowerLoss);
        run.quiet(&[disk(&ids[..1])]);
        run.assert_no_violation();
    }

    #[test]
    fn half_a_batch_is_caught() {
        let mut run = Run::new(NoSpaceIsAllOrNothing::default(), Flush::Sync);
        run.fault(Fault::NoSpace);
        let ids = batch(&mut run);
        run.quiet(&[disk(&ids[..2])]);
        run.assert_red(&[0]);
    }

    #[test]
    fn a_node_that_gives_up_for_want_of_space_is_caught() {
        let mut run = Run::new(NoSpaceIsAllOrNothing::default(), Flush::Sync);
        run.fault(Fault::Started);
        run.fault(Fault::NoSpace);
        run.fault(Fault::GaveUp);
        run.quiet(&[disk(&[])]);
        run.assert_red(&[]);
        let mut run = Run::new(NoSpaceIsAllOrNothing::default(), Flush::Sync);
        run.fault(Fault::Started);
        run.fault(Fault::NoSpace);
        run.fault(Fault::InputOutputError { path: "x".into() });
        run.fault(Fault::GaveUp);
        run.quiet(&[disk(&[])]);
        run.assert_green();
    }
}
