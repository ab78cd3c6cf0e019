//! D1: an acknowledged message is there at the end.

use std::collections::BTreeMap;

use message::MessageQueue;

use super::kept::{at, on_disk, owed_on};
use crate::disk::NodeDisk;
use crate::history::{Seen, What};
use crate::invariant::{Claim, Found, Invariant};
use crate::outcome::Class;
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct AckedIsReadable;

/// What D1 claims.
const CLAIM: Claim = Claim {
    id: "D1",
    sentence: "Every OK message that is owed is readable at its queue offset, with equal payload.",
    source: "the promise of SEND_MESSAGE; Jepsen's lost write",
    limits: "Plain messages. On the raw disk of the queue's node, and by the final read of the \
             queue where there is one. A compressed body is compared only when it was read. \
             Nothing below the end of a file that retention deleted is owed.",
};

impl Invariant for AckedIsReadable {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        let mut read: BTreeMap<&MessageQueue, (usize, &[Seen])> = BTreeMap::new();
        for event in world.history.events() {
            if let What::ReadBack { queue, seen } = &event.what {
                read.insert(queue, (event.index, seen));
            }
        }
        for disk in disks {
            for (sent, placed) in owed_on(world, &disk.node, Class::Ok) {
                found.about(Some(&disk.node));
                let missing = on_disk(world, disk, sent, placed).err();
                let holds = missing.is_none();
                found.check(holds, sent.indices(), || {
                    format!("{} was OK at {} and {}", sent.id, at(placed), missing.unwrap_or(""))
                });
                found.about(None);
                let Some((event, seen)) = read.get(&placed.queue).filter(|_| holds) else {
                    continue;
                };
                let is_it = |seen: &&Seen| seen.offset == placed.offset;
                let met = seen.iter().find(is_it).map(|seen| (seen.id, seen.digest));
                let events = sent.indices().into_iter().chain([*event]);
                found.check(met == Some((Some(sent.id), sent.digest)), events, || {
                    format!("{} was OK at {} and a reader met {met:?}", sent.id, at(placed))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Outcome;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, changed, disk, image, placed, queue, seen};

    fn two_sent(flush: Flush) -> (Run, Identity, Identity) {
        let mut run = Run::new(AckedIsReadable, flush);
        let (a, b) = (run.send(0, 0), run.send(1, 1));
        (run, a, b)
    }

    #[test]
    fn what_was_acknowledged_and_is_there_is_fine() {
        let (mut run, a, b) = two_sent(Flush::Sync);
        run.fault(Fault::PowerLoss);
        run.event(What::ReadBack { queue: queue(), seen: vec![seen(a, 0), seen(b, 1)] });
        run.quiet(&[disk(&[a, b])]);
        run.assert_green();
    }

    #[test]
    fn what_was_acknowledged_and_is_gone_is_caught() {
        let (mut run, a, _) = two_sent(Flush::Sync);
        run.fault(Fault::PowerLoss);
        run.quiet(&[disk(&[a])]);
        run.assert_red(&[2, 3]);
    }

    #[test]
    fn a_damaged_record_and_one_that_a_reader_does_not_get_are_caught() {
        let (mut run, a, b) = two_sent(Flush::Sync);
        run.quiet(&[changed(image(&[a, b]), LOG, |bytes| bytes[88] ^= 1)]);
        run.assert_red(&[0, 1]);
        let (mut run, a, b) = two_sent(Flush::Sync);
        run.event(What::ReadBack { queue: queue(), seen: vec![seen(a, 0)] });
        run.quiet(&[disk(&[a, b])]);
        run.assert_red(&[2, 3, 4]);
    }

    #[test]
    fn a_kill_excuses_what_a_pool_had_just_taken_and_nothing_older() {
        let mut run = Run::pooled(AckedIsReadable);
        let a = run.send(0, 0);
        run.pass(crate::testing::COMMIT_MS);
        run.send(1, 1);
        run.fault(Fault::ProcessKill);
        run.quiet(&[disk(&[a])]);
        run.assert_green();
        let mut run = Run::pooled(AckedIsReadable);
        let a = run.send(0, 0);
        run.send(1, 1);
        run.pass(crate::testing::COMMIT_MS);
        run.fault(Fault::ProcessKill);
        run.quiet(&[disk(&[a])]);
        run.assert_red(&[2, 3]);
    }

    #[test]
    fn a_loss_that_the_ledger_excuses_is_none() {
        let (mut run, a, _) = two_sent(Flush::Async);
        run.fault(Fault::PowerLoss);
        let refused = run.begin(2);
        run.end(refused, Outcome::Rejected { code: 2 });
        let lost = run.begin(3);
        run.end(lost, Outcome::Unknown);
        run.pass(5_000);
        let late = run.begin(4);
        run.end(late, Outcome::Ok(placed(1)));
        run.quiet(&[disk(&[a, late])]);
        run.assert_green();
    }
}
