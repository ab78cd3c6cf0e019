//! Q1: a queue's offsets have no gap and no repeat.

use std::collections::BTreeMap;
use std::ops::Range;

use message::{MessageQueue, QueueOffset};

use crate::disk::{NodeDisk, QueueKey};
use crate::history::{Event, Kind, What};
use crate::identity::Identity;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct OffsetsAreDense {
    /// Who was answered with an offset.
    answered: BTreeMap<(MessageQueue, QueueOffset), Identity>,
}

/// What Q1 claims.
const CLAIM: Claim = Claim {
    id: "Q1",
    sentence: "The n-th message of a queue has offset n: no gap, no repeat.",
    source: "the ConsumeQueue is an array; RocketMQ #7689",
    limits: "Answers for plain messages; on disk all records that belong into a queue, from the \
             log's first on. An offset may be given again when the ledger excuses the loss of the \
             message that had it. In a log that the ledger says rotted, places that the queue \
             fills are given up, and nothing is judged behind bytes that are no record.",
};

impl OffsetsAreDense {
    fn check_disk(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        found.about(Some(&disk.node));
        let readable_to = world.readable_to(disk);
        let is_struck = world.ledger.log_rot(&disk.node).is_some();
        let mut next: BTreeMap<QueueKey, u64> = BTreeMap::new();
        let records = disk.log.records.iter().take_while(|record| record.address < readable_to);
        for record in records.filter(|record| record.is_queued()) {
            let key = (record.topic.clone(), record.queue_id);
            // Where the log's start was removed, a queue may begin anywhere.
            let first = if disk.log.start == 0 { 0 } else { record.queue_offset };
            let given_up = |places: Range<u64>| is_struck && are_filled(disk, &key, places);
            let expected = *next.get(&key).unwrap_or(&first);
            let (offset, wanted) = (record.queue_offset, expected);
            found.check(offset == wanted || given_up(wanted..offset), [], || {
                let (topic, queue) = (&record.topic, record.queue_id);
                let at = record.address;
                format!("the record at {at} has offset {offset} of {topic}:{queue}, not {wanted}")
            });
            next.insert(key, offset + 1);
        }
        found.about(None);
    }
}

/// Whether the queue says of each of these places, of which there are some, that it is given up:
/// one before its first entry is, too.
fn are_filled(disk: &NodeDisk, key: &QueueKey, places: Range<u64>) -> bool {
    let Some(queue) = disk.queues.get(key).filter(|_| !places.is_empty()) else { return false };
    let Some(first) = queue.entries.first().map(|entry| entry.offset) else { return false };
    let rest = places.start.max(first)..places.end;
    let filled = queue.entries.iter().filter(|entry| entry.is_filler());
    let within = filled.filter(|entry| rest.contains(&entry.offset));
    within.count() as u64 == rest.end.saturating_sub(rest.start)
}

impl Invariant for OffsetsAreDense {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, world: &World<'_>, event: &Event, found: &mut Found) {
        let What::SendEnded { id, .. } = &event.what else { return };
        let Some(sent) = world.history.sent(*id).filter(|sent| sent.kind == Kind::Plain) else {
            return;
        };
        let Some(placed) = sent.placed() else { return };
        let place = (placed.queue.clone(), placed.offset);
        let before = self.answered.get(&place).and_then(|before| world.history.sent(*before));
        // Answers may come in another order than the appends: either of the two may be the lost.
        let is_owed = world.owed(sent).is_must();
        let wrong = before.filter(|before| is_owed && world.owed(before).is_must());
        if is_owed || before.is_none() {
            self.answered.insert(place, *id);
        }
        let events = wrong.map(|before| before.indices()).unwrap_or_default();
        let events = events.into_iter().chain(sent.indices());
        found.check(wrong.is_none(), events, || {
            let other = wrong.map(|wrong| wrong.id);
            format!("{} offset {} is {other:?}'s and {id}'s", placed.queue, placed.offset)
        });
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            Self::check_disk(world, &recovery.after, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let is_up = |disk: &&NodeDisk| world.ledger.down(&disk.node).is_none();
        disks.iter().filter(is_up).for_each(|disk| Self::check_disk(world, disk, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, QUEUE, Run, address, changed, disk, image, placed};

    #[test]
    fn dense_offsets_are_fine_and_so_is_an_offset_again_after_an_excused_loss() {
        let mut run = Run::new(OffsetsAreDense::default(), Flush::Async);
        let (a, _) = (run.send(0, 0), run.send(1, 1));
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[a]));
        let c = run.send(2, 1);
        run.quiet(&[disk(&[a, c])]);
        run.assert_green();
    }

    #[test]
    fn an_answer_that_comes_after_its_place_was_given_away_is_fine() {
        let mut run = Run::new(OffsetsAreDense::default(), Flush::Async);
        let a = run.begin(0);
        run.fault(Fault::PowerLoss);
        run.send(1, 0);
        run.end(a, Outcome::Ok(placed(0)));
        run.assert_green();
    }

    #[test]
    fn one_offset_for_two_messages_is_caught() {
        let mut run = Run::new(OffsetsAreDense::default(), Flush::Sync);
        run.send(0, 0);
        run.fault(Fault::PowerLoss);
        run.send(1, 0);
        run.assert_red(&[0, 1, 2, 3]);
    }

    #[test]
    fn a_place_that_the_queue_gave_up_is_no_gap_in_a_log_that_was_struck() {
        let run_of = |struck: bool, filled: bool| {
            let mut run = Run::new(OffsetsAreDense::default(), Flush::Sync);
            let (a, b) = (run.begin(0), run.begin(1));
            let gap = changed(image(&[a, b]), LOG, |bytes| bytes[address(1) as usize + 27] = 2);
            let gap = changed(gap.image, QUEUE, |bytes| {
                bytes.copy_within(20..40, 40);
                bytes[20..40].fill(0);
                if filled {
                    bytes[28..32].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
                }
            });
            if struck {
                run.fault(Fault::BitRot { path: LOG.into(), offset: address(9), len: 1 });
            }
            run.quiet(&[gap]);
            run
        };
        run_of(true, true).assert_green();
        run_of(false, true).assert_red(&[]);
        run_of(true, false).assert_red(&[]);
    }

    #[test]
    fn places_before_the_queues_first_entry_are_given_up_in_a_log_that_was_struck() {
        let run_of = |struck: bool| {
            let mut run = Run::new(OffsetsAreDense::default(), Flush::Sync);
            let a = run.begin(0);
            let late = changed(image(&[a]), LOG, |bytes| bytes[address(0) as usize + 27] = 1);
            let late = changed(late.image, QUEUE, |bytes| {
                bytes.copy_within(0..20, 20);
                bytes[..20].fill(0);
                bytes[8..12].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
            });
            if struck {
                run.fault(Fault::BitRot { path: LOG.into(), offset: address(9), len: 1 });
            }
            run.quiet(&[late]);
            run
        };
        run_of(true).assert_green();
        run_of(false).assert_red(&[]);
    }

    #[test]
    fn a_gap_and_a_repeat_on_disk_are_caught() {
        for wrong in [0, 2] {
            let mut run = Run::new(OffsetsAreDense::default(), Flush::Sync);
            let (a, b) = (run.begin(0), run.begin(1));
            let disk = changed(image(&[a, b]), LOG, |bytes| {
                bytes[address(1) as usize + 27] = wrong;
            });
            run.quiet(&[disk]);
            run.assert_red(&[]);
        }
    }
}
