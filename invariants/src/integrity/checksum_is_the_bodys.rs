//! I6: the stored checksum is that of the stored body, and the body is the one that was sent.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::{Recovery, RecoveryEnd, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct ChecksumIsTheBodys;

/// What I6 claims.
const CLAIM: Claim = Claim {
    id: "I6",
    sentence: "Each record's stored CRC equals the CRC of its body, 0 included, and body, flag and \
               properties are those that were sent.",
    source: "RocketMQ #9121: a checksum that is 0 by right was read as none; internals.md 1.2",
    limits: "Records of a log that serves, after each start and at the end. A compressed body is \
             not compared with what was sent. A node whose log the ledger says has rotted, or, at \
             the end, met an error since its start, is not judged.",
};

impl ChecksumIsTheBodys {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        if world.ledger.log_rot(&disk.node).is_some() {
            return;
        }
        for record in &disk.log.records {
            found.check(record.crc_is_exact, [], || {
                format!("the record at {} holds another checksum than its body's", record.address)
            });
            let sent = record.id.and_then(|id| world.history.sent(id));
            let (Some(sent), Some(digest)) = (sent, record.digest) else { continue };
            found.check(digest == sent.digest, sent.indices(), || {
                format!("the record at {} is not {} as it was sent", record.address, sent.id)
            });
        }
    }
}

impl Invariant for ChecksumIsTheBodys {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        if recovery.end == RecoveryEnd::Started {
            Self::check(world, &recovery.after, found);
        }
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks.iter().filter(|disk| world.serves_soundly(&disk.node)) {
            found.about(Some(&disk.node));
            Self::check(world, disk, found);
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{LOG, Run, changed, disk, image, record};

    fn id() -> Identity {
        Identity::new(1, 0, 0)
    }

    #[test]
    fn what_was_sent_is_fine_and_rot_is_not_the_stores_fault() {
        let mut run = Run::new(ChecksumIsTheBodys, Flush::Sync);
        let a = run.send(0, 0);
        run.restart(Fault::ProcessKill, disk(&[a]), disk(&[a]));
        run.fault(Fault::BitRot { path: LOG.into(), offset: 88, len: 1 });
        run.quiet(&[changed(image(&[a]), LOG, |bytes| bytes[88] ^= 1)]);
        run.assert_green();
    }

    #[test]
    fn a_checksum_that_does_not_hold_is_caught() {
        let mut run = Run::new(ChecksumIsTheBodys, Flush::Sync);
        run.quiet(&[changed(image(&[id()]), LOG, |bytes| bytes[11] ^= 1)]);
        run.assert_red(&[]);
    }

    #[test]
    fn a_record_with_another_body_and_its_checksum_is_caught() {
        let mut run = Run::new(ChecksumIsTheBodys, Flush::Sync);
        let (a, other) = (run.send(0, 0), Identity::new(1, 1, 0));
        let swapped = changed(image(&[a]), LOG, |bytes| {
            let (of_a, mut of_other) = (record(a, 0, 0), record(other, 0, 0));
            // The identity says that it is a.
            let at = of_a.windows(6).position(|six| six == a.to_string().as_bytes()).unwrap();
            of_other[at..at + 6].copy_from_slice(&of_a[at..at + 6]);
            bytes[..of_other.len()].copy_from_slice(&of_other);
        });
        run.quiet(&[swapped]);
        run.assert_red(&[0, 1]);
    }
}
