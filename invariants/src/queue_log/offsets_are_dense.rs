//! Q1: a queue's offsets have no gap and no repeat.

use std::collections::BTreeMap;

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
             message that had it.",
};

impl OffsetsAreDense {
    fn check_disk(disk: &NodeDisk, found: &mut Found) {
        found.about(Some(&disk.node));
        let mut next: BTreeMap<QueueKey, u64> = BTreeMap::new();
        for record in disk.log.records.iter().filter(|record| record.is_queued()) {
            let key = (record.topic.clone(), record.queue_id);
            // Where the log's start was removed, a queue may begin anywhere.
            let first = if disk.log.start == 0 { 0 } else { record.queue_offset };
            let expected = next.entry(key).or_insert(first);
            let (offset, wanted) = (record.queue_offset, *expected);
            found.check(offset == wanted, [], || {
                let (topic, queue) = (&record.topic, record.queue_id);
                let at = record.address;
                format!("the record at {at} has offset {offset} of {topic}:{queue}, not {wanted}")
            });
            *expected = offset + 1;
        }
        found.about(None);
    }
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

    fn on_recovery(&mut self, _world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            Self::check_disk(&recovery.after, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let is_up = |disk: &&NodeDisk| world.ledger.down(&disk.node).is_none();
        disks.iter().filter(is_up).for_each(|disk| Self::check_disk(disk, found));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, address, changed, disk, image, placed};

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
