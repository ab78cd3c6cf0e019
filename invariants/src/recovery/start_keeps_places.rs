//! S17: a start gives no place again that a durable message had.

use crate::disk::{NodeDisk, QueueKey, QueueScan};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct StartKeepsPlaces;

/// What S17 claims.
const CLAIM: Claim = Claim {
    id: "S17",
    sentence: "A start leaves each queue as long as the checkpoint vouched for, whatever became of \
               the records that its entries lead to.",
    source: "Found here as seeds/S17: the place of a durable message whose record is damaged goes \
             to the next one, and a group that is past it never asks",
    limits: "By the entry of the highest place whose record ends below the checkpoint's mark. Not \
             judged are queues whose entries do not rise with their places, or of which the ledger \
             says that an entry's bits turned; nor disks whose checkpoint is damaged or missing.",
};

impl Invariant for StartKeepsPlaces {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        let checkpoint = recovery.before.checkpoint.as_ref().filter(|page| page.damage.is_none());
        let durable_to = checkpoint.and_then(|page| page.durable_to);
        let Some(durable_to) = durable_to.filter(|_| recovery.end == RecoveryEnd::Started) else {
            return;
        };
        for (key, queue) in &recovery.before.queues {
            let Some(vouched) = vouched(queue, durable_to) else { continue };
            let kept = kept(&recovery.after, key);
            if kept < vouched && !is_struck(world, recovery.node(), key, queue) {
                found.check(false, [], || {
                    format!("queue {key:?} ended at {vouched}, and at {kept} after the start")
                });
            } else {
                found.check(true, [], String::new);
            }
        }
    }
}

/// The place behind the last entry of a record below `durable_to`.
fn vouched(queue: &QueueScan, durable_to: u64) -> Option<u64> {
    let real = || queue.entries.iter().filter(|entry| !entry.is_filler());
    let rises = real().zip(real().skip(1)).all(|(one, next)| one.end() <= next.address);
    let last = real().take_while(|entry| entry.end() <= durable_to).last();
    last.filter(|_| rises && queue.damage.is_none()).map(|entry| entry.offset + 1)
}

fn kept(after: &NodeDisk, key: &QueueKey) -> u64 {
    after.queues.get(key).map_or(0, QueueScan::max)
}

fn is_struck(world: &World<'_>, node: &str, key: &QueueKey, queue: &QueueScan) -> bool {
    let (topic, queue_id) = (key.0.as_str(), key.1);
    let mut places = queue.entries.iter().map(|entry| entry.offset);
    places.any(|place| world.ledger.is_entry_struck(node, (topic, queue_id), place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, QUEUE, RECORD_LEN, Run, address, changed, checkpoint, image};

    /// Three messages, the last of them damaged, and a checkpoint that vouches for all.
    fn before() -> NodeDisk {
        vouched_for(3 * RECORD_LEN)
    }

    fn vouched_for(durable_to: u64) -> NodeDisk {
        let mut image = image(&[0, 1, 2].map(|op| Identity::new(1, op, 0)));
        image.insert("store/checkpoint".to_owned(), checkpoint(durable_to, 7).into());
        changed(image, LOG, |bytes| bytes[address(2) as usize + 4] ^= 1)
    }

    fn cut(before: &NodeDisk) -> NodeDisk {
        changed(before.image.clone(), QUEUE, |bytes| bytes[40..].fill(0))
    }

    fn run(fault: Fault, before: NodeDisk, after: NodeDisk) -> Run {
        let mut run = Run::new(StartKeepsPlaces, Flush::Sync);
        run.restart(fault, before, after);
        run
    }

    #[test]
    fn a_queue_that_keeps_its_length_is_fine_and_so_is_one_nobody_vouched_for() {
        run(Fault::ProcessKill, before(), before()).assert_green();
        let young = vouched_for(3 * RECORD_LEN - 1);
        let after = cut(&young);
        run(Fault::ProcessKill, young, after).assert_green();
    }

    #[test]
    fn a_queue_that_a_start_cuts_is_caught_also_if_nothing_is_left() {
        run(Fault::ProcessKill, before(), cut(&before())).assert_red(&[]);
        let mut gone = before().image;
        gone.remove(QUEUE);
        run(Fault::ProcessKill, before(), NodeDisk::new("n", gone)).assert_red(&[]);
    }

    #[test]
    fn bits_of_an_entry_excuse_its_queue_and_bits_of_the_log_do_not() {
        let struck = |path: &str, offset| Fault::BitRot { path: path.into(), offset, len: 1 };
        run(struck(QUEUE, 24), before(), cut(&before())).assert_no_violation();
        run(struck(LOG, address(2) + 4), before(), cut(&before())).assert_red(&[]);
    }
}
