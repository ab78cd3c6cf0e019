//! D5: what is lost is the log's end, without holes.

use std::collections::{BTreeMap, BTreeSet};

use message::PhysicalOffset;

use crate::history::Sent;
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct LossIsASuffix {
    /// What earlier starts lost: its place may be another message's by now.
    lost: BTreeSet<Identity>,
    /// How long the history was at each start of each node.
    starts: BTreeMap<String, Vec<usize>>,
}

/// What D5 claims.
const CLAIM: Claim = Claim {
    id: "D5",
    sentence: "If a message is lost on a log, everything physically behind it is lost, too.",
    source: "the CommitLog is one sequence; a hole would be a lost page taken for nothing",
    limits: "Plain messages whose answer said where they stand, of the disk at hand; not one that \
             was on its way during an earlier start, because its answer may be older than that, \
             nor one whose record is damaged where it stands, as the ledger says.",
};

impl Invariant for LossIsASuffix {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end != RecoveryEnd::Started {
            return;
        }
        let starts = self.starts.entry(recovery.node().to_owned()).or_default();
        let spans = |sent: &Sent| {
            let ended = sent.ended.as_ref().map_or(usize::MAX, |ended| ended.index);
            starts.iter().any(|start| (sent.started + 1..=ended).contains(start))
        };
        let deleted = world.ledger.deletions(recovery.node()).map(|deletion| deletion.end);
        let kept_from = deleted.max().unwrap_or(0);
        // A log on another disk is another log.
        let swaps = world.ledger.of(recovery.node()).filter(|e| e.fault == Fault::DiskLost);
        let swapped_ms = swaps.map(|entry| entry.at_ms).max();
        let mut stored: Vec<(PhysicalOffset, &Sent)> = world
            .stored_on(recovery.node())
            .filter(|(sent, _)| Some(sent.started_ms) > swapped_ms)
            .filter(|(sent, _)| !self.lost.contains(&sent.id) && !spans(sent))
            .filter_map(|(sent, placed)| Some((placed.address()?, sent)))
            // The head that retention deleted is no loss.
            .filter(|(address, _)| address.0 >= kept_from)
            .collect();
        let is_there = |address: PhysicalOffset, sent: &Sent| {
            recovery.after.log.record_of(sent.id, Some(address)).is_some()
        };
        // Of two in one place the one that is there comes first.
        stored.sort_by_key(|(address, sent)| (*address, !is_there(*address, sent)));
        starts.push(world.history.events().len());
        let is_damaged = |address: PhysicalOffset| {
            let record = recovery.after.log.at(address.0);
            record.is_some_and(|at| world.ledger.is_struck(recovery.node(), &at.span()))
        };
        let mut first_lost: Option<&Sent> = None;
        let mut newest = 0;
        for (address, sent) in stored {
            let is_there = is_there(address, sent);
            if !is_there && is_damaged(address) {
                continue;
            }
            if !is_there {
                self.lost.insert(sent.id);
                // What came later stands before it: the log was cut there in between, by a start
                // that nobody looked at, and went on.
                if sent.ended.as_ref().is_none_or(|ended| ended.index >= newest) {
                    first_lost = first_lost.or(Some(sent));
                }
            } else {
                newest = newest.max(sent.started);
                let lost = first_lost.map(|lost| lost.id);
                let events = first_lost.map(Sent::indices).unwrap_or_default();
                let events = events.into_iter().chain(sent.indices());
                found.check(lost.is_none(), events, || {
                    format!("{lost:?} is lost and {} at {address}, behind it, is not", sent.id)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, disk, placed};

    #[test]
    fn a_lost_tail_is_fine_also_when_its_place_is_used_again() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Async);
        let a = run.send(0, 0);
        run.send(1, 1);
        run.send(2, 2);
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[a]));
        let (d, e) = (run.send(3, 1), run.send(4, 2));
        run.restart(Fault::ProcessKill, disk(&[a, d, e]), disk(&[a, d, e]));
        run.assert_green();
    }

    #[test]
    fn an_answer_that_comes_after_the_start_that_lost_its_message_is_fine() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Async);
        let (a, b) = (run.send(0, 0), run.begin(1));
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[a]));
        run.end(b, Outcome::Ok(placed(1)));
        let (c, d) = (run.send(2, 1), run.send(3, 2));
        for _ in 0..2 {
            run.restart(Fault::ProcessKill, disk(&[a, c, d]), disk(&[a, c, d]));
        }
        run.assert_green();
    }

    #[test]
    fn a_new_log_on_another_disk_is_fine() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Sync);
        run.send(0, 1);
        run.fault(Fault::DiskLost);
        let (b, c) = (run.send(1, 0), run.send(2, 2));
        let other = disk(&[b, Identity::new(9, 9, 9), c]);
        run.restart(Fault::ProcessKill, other.clone(), other);
        run.assert_green();
    }

    /// misdirected_write, seed 659060: the sync of one start damaged what the next one cut.
    #[test]
    fn a_log_that_was_cut_unseen_and_went_on_is_fine() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Async);
        let a = run.send(0, 0);
        run.send(1, 1);
        run.send(2, 2);
        run.fault(Fault::Started);
        let (d, e, f) = (run.send(3, 1), run.send(4, 2), run.send(5, 3));
        let disk = disk(&[a, d, e, f]);
        run.restart(Fault::ProcessKill, disk.clone(), disk);
        run.assert_green();
    }

    #[test]
    fn a_hole_is_caught() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Async);
        let (a, _, c) = (run.send(0, 0), run.send(1, 1), run.send(2, 2));
        let other = Identity::new(9, 9, 9);
        let holed = disk(&[a, other, c]);
        run.restart(Fault::PowerLoss, holed.clone(), holed);
        run.assert_red(&[2, 3, 4, 5]);
    }

    #[test]
    fn a_record_that_is_damaged_where_it_stands_is_no_hole() {
        let mut run = Run::new(LossIsASuffix::default(), Flush::Async);
        let (a, _, c) = (run.send(0, 0), run.send(1, 1), run.send(2, 2));
        let other = disk(&[a, Identity::new(9, 9, 9), c]);
        run.fault(Fault::BitRot { path: LOG.into(), offset: address(1) + 100, len: 1 });
        run.restart(Fault::PowerLoss, other.clone(), other);
        run.assert_green();
    }
}
