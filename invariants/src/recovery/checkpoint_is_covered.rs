//! S6: the checkpoint vouches for what is durable, and gets on.

use std::collections::BTreeSet;

use crate::disk::{Checkpoint, NodeDisk, missing};
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct CheckpointIsCovered;

/// What S6 claims.
const CLAIM: Claim = Claim {
    id: "S6",
    sentence: "What the checkpoint vouches for, log and queues, is durable and whole; its times \
               are of records below its mark; and it does not stand still.",
    source: "RocketMQ #678, #10073, #7233; internals.md 4.2",
    limits: "The disk as a start finds it: after a power loss that is what was durable; after a \
             kill it is compared with the device. The index is S3's. At the end the last record \
             of a sound log must be vouched for. Not judged where the ledger says that the log \
             has rotted, nor entries of which it says so.",
};

impl CheckpointIsCovered {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        let Some(checkpoint) = &disk.checkpoint else { return };
        found.check(checkpoint.damage.is_none(), [], || {
            format!("the checkpoint: {}", checkpoint.damage.as_deref().unwrap_or_default())
        });
        let Some(durable_to) = checkpoint.durable_to else { return };
        if world.ledger.log_rot(&disk.node).is_some() {
            return;
        }
        let is_struck =
            |queue: (&str, u32), at| world.ledger.is_entry_struck(&disk.node, queue, at);
        let wrong = wrong(disk, checkpoint, durable_to, is_struck);
        found.check(wrong.is_none(), [], || {
            format!("the checkpoint vouches up to {durable_to}: {}", wrong.unwrap_or_default())
        });
    }
}

/// What is not as the checkpoint says.
fn wrong(
    disk: &NodeDisk,
    checkpoint: &Checkpoint,
    durable_to: u64,
    is_struck: impl Fn((&str, u32), u64) -> bool,
) -> Option<String> {
    let sound = disk.log.sound_prefix();
    let end = match sound.len() == disk.log.records.len() {
        true => disk.log.end,
        false => disk.log.records[sound.len()].address,
    };
    if durable_to > end {
        return Some(format!("the log is whole up to {end} only"));
    }
    let below: Vec<_> = sound.iter().filter(|record| record.address < durable_to).collect();
    let newest_ms = below.iter().map(|record| record.store_timestamp).max();
    let told_ms = checkpoint.physic_ms.max(checkpoint.logics_ms);
    if newest_ms.is_some_and(|newest_ms| told_ms > newest_ms) {
        return Some(format!("it tells {told_ms} ms, the newest record is of {newest_ms:?}"));
    }
    let entries = disk.queues.values().flat_map(|queue| &queue.entries);
    let named: BTreeSet<u64> = entries.map(|entry| entry.address).collect();
    let queued = below.iter().filter(|record| {
        record.is_queued() && !is_struck((&record.topic, record.queue_id), record.queue_offset)
    });
    if let Some(lost) = queued.map(|record| record.address).find(|at| !named.contains(at)) {
        return Some(format!("no queue has an entry for the record at {lost}"));
    }
    let lost = missing(disk, disk.device.as_ref()?, durable_to, is_struck)?;
    Some(format!("{lost} is not on the device"))
}

impl Invariant for CheckpointIsCovered {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        Self::check(world, &recovery.before, found);
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            found.about(Some(&disk.node));
            Self::check(world, disk, found);
            let last = disk.log.records.last().filter(|_| world.serves_soundly(&disk.node));
            if let Some(last) = last {
                let durable_to = disk.checkpoint.as_ref().and_then(|page| page.durable_to);
                found.check(durable_to > Some(last.address), [], || {
                    format!("the last record is at {}, vouched is {durable_to:?}", last.address)
                });
            }
            found.about(None);
        }
    }
}

#[cfg(test)]
#[path = "../../tests/within/checkpoint_is_covered.rs"]
mod tests;
