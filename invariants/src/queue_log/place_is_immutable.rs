//! Q2: what a consumer has seen at a place of a queue stands there, also after a restart.

use std::collections::BTreeMap;

use message::QueueOffset;

use crate::disk::{NodeDisk, Record};
use crate::history::{Event, Seen};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// Topic and queue, then offset.
type Places = BTreeMap<(String, u32), BTreeMap<QueueOffset, Exposed>>;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct PlaceIsImmutable {
    /// By broker, what was first seen at each place, until a start loses it.
    exposed: BTreeMap<String, Places>,
}

#[derive(Debug)]
struct Exposed {
    event: usize,
    at_ms: u64,
    seen: Seen,
}

/// What Q2 claims.
const CLAIM: Claim = Claim {
    id: "Q2",
    sentence: "Once a message was seen at an offset of a queue, no other message stands there, \
               after no restart.",
    source: "RocketMQ #7689: a restart gives the offsets of an unconfirmed tail to new messages",
    limits: "On the raw log of the queue's node, after each start and at the end. Whether it is \
             still there at all is D6's. Another may stand there after a loss that the ledger \
             excuses. Not what was nobody's when it was seen, where damage struck it.",
};

impl PlaceIsImmutable {
    fn check(&mut self, world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        let names = world.cluster.iter().filter(|(_, broker)| broker.node == disk.node);
        for (name, _) in names {
            let Some(places) = self.exposed.get_mut(name) else { continue };
            for record in disk.log.sound_prefix().iter().filter(|record| record.is_queued()) {
                let Some(queue) = places.get_mut(&(record.topic.clone(), record.queue_id)) else {
                    continue;
                };
                let offset = QueueOffset(record.queue_offset);
                let Some(exposed) = queue.get(&offset) else { continue };
                let is_same = is_same(&exposed.seen, record);
                let is_owed = !is_same
                    && !is_damaged(world, disk, &exposed.seen, record)
                    && world.owed_to_reader(&exposed.seen, exposed.at_ms).is_must();
                found.check(is_same || !is_owed, [exposed.event], || {
                    let (was, at) = (exposed.seen.id, &exposed.seen.queue);
                    format!("{at} offset {offset} was {was:?} and holds {:?}", record.id)
                });
                if !is_same {
                    queue.remove(&offset);
                }
            }
        }
    }
}

fn is_same(seen: &Seen, record: &Record) -> bool {
    seen.id == record.id
        && seen.address.0 == record.address
        && seen.store_timestamp == record.store_timestamp
        && record.digest.is_none_or(|digest| digest == seen.digest)
}

/// Whether nobody's message was seen where the ledger says that something struck the record: its
/// properties have no checksum, and everybody makes of them what they can.
fn is_damaged(world: &World<'_>, disk: &NodeDisk, seen: &Seen, record: &Record) -> bool {
    seen.id.is_none() && world.ledger.is_struck(&disk.node, &record.span())
}

impl Invariant for PlaceIsImmutable {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_event(&mut self, _world: &World<'_>, event: &Event, _found: &mut Found) {
        for seen in event.what.seen() {
            let (name, topic) = (&seen.queue.broker_name, &seen.queue.topic);
            if !self.exposed.contains_key(name) {
                self.exposed.insert(name.clone(), Places::new());
            }
            let places = self.exposed.get_mut(name).expect("it was made");
            let queue = places.entry((topic.clone(), seen.queue.queue_id)).or_default();
            let (event, at_ms) = (event.index, event.at_ms);
            let exposed = || Exposed { event, at_ms, seen: seen.clone() };
            queue.entry(seen.offset).or_insert_with(exposed);
        }
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            self.check(world, &recovery.after, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.serves_soundly(&disk.node)) {
            found.about(Some(&disk.node));
            self.check(world, disk, found);
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, disk, seen};

    #[test]
    fn the_same_message_is_fine_and_another_one_after_an_excused_loss() {
        let mut run = Run::new(PlaceIsImmutable::default(), Flush::Async);
        let (a, b) = (run.begin(0), run.begin(1));
        run.deliver(seen(a, 0));
        run.restart(Fault::ProcessKill, disk(&[a]), disk(&[a]));
        run.restart(Fault::PowerLoss, disk(&[b]), disk(&[b]));
        run.quiet(&[disk(&[b])]);
        run.assert_green();
    }

    /// misdirected_write, seed 662112.
    #[test]
    fn nobody_s_message_is_judged_only_where_nothing_struck_it() {
        for struck in [true, false] {
            let mut run = Run::new(PlaceIsImmutable::default(), Flush::Sync);
            let a = run.begin(0);
            if struck {
                run.fault(Fault::Misdirected { path: LOG.into(), offset: 0, len: 4_096 });
                run.restart(Fault::ProcessKill, disk(&[a]), disk(&[a]));
            }
            let event = run.deliver(Seen { id: None, ..seen(a, 0) });
            run.quiet(&[disk(&[a])]);
            if struck {
                run.assert_green();
            } else {
                run.assert_red(&[event]);
            }
        }
    }

    #[test]
    fn another_message_at_a_seen_place_is_caught() {
        let mut run = Run::new(PlaceIsImmutable::default(), Flush::Sync);
        let (a, b) = (run.begin(0), run.begin(1));
        let event = run.deliver(seen(a, 0));
        run.restart(Fault::PowerLoss, disk(&[a]), disk(&[b]));
        run.assert_red(&[event]);
        let mut run = Run::new(PlaceIsImmutable::default(), Flush::Sync);
        let a = run.begin(0);
        let event = run.deliver(Seen { store_timestamp: 8, ..seen(a, 0) });
        run.quiet(&[disk(&[a])]);
        run.assert_red(&[event]);
    }
}
