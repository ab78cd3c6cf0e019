//! S10: files of the log are filled to their end, and rolled no sooner than they must be.

use crate::disk::{Blank, NodeDisk};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::{Recovery, RecoveryEnd, World};

/// What must stay free behind a record: the head of a blank, in bytes.
const BLANK_HEAD_LEN: u64 = 8;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct RollIsExact;

/// What S10 claims.
const CLAIM: Claim = Claim {
    id: "S10",
    sentence: "A log file that the log went on behind ends in a blank that fills it, with zeros \
               behind its head, and the next file's first record would not have fitted.",
    source: "internals.md 2.4: END_OF_FILE; a record that fits to the byte stays",
    limits: "After each start and at the end, on nodes that run and whose log met no error since. \
             Not judged where the ledger says that the log has rotted. That the next record would \
             not have fitted only where no power loss and no error of the log could have taken \
             the one that stood there first.",
};

impl RollIsExact {
    fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
        if world.ledger.log_rot(&disk.node).is_some() {
            return;
        }
        for blank in &disk.log.blanks {
            let wrong = wrong(blank).or_else(|| early(world, disk, blank));
            found.check(wrong.is_none(), [], || {
                format!("the file's end at {}: {}", blank.address, wrong.unwrap_or_default())
            });
        }
    }
}

fn wrong(blank: &Blank) -> Option<String> {
    let Blank { stated, left, is_clean, .. } = *blank;
    if stated != left {
        return Some(format!("the blank says {stated} bytes and {left} are left"));
    }
    if !is_clean {
        return Some("behind the blank's head there are not only zeros".to_owned());
    }
    None
}

/// Whether the log went on in the next file although the record fits into this one.
fn early(world: &World<'_>, disk: &NodeDisk, blank: &Blank) -> Option<String> {
    let takes = |fault: &Fault| {
        matches!(fault, Fault::PowerLoss | Fault::PagesEvicted | Fault::DiskLost)
            || fault.is_disk_error()
    };
    if world.ledger.of(&disk.node).any(|entry| takes(&entry.fault)) {
        return None;
    }
    let (left, next) = (blank.left, disk.log.at(blank.address + blank.left)?);
    let fits = next.size() + BLANK_HEAD_LEN <= left;
    fits.then(|| format!("{left} bytes are left and the next record takes {}", next.size()))
}

impl Invariant for RollIsExact {
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
    use crate::promise::Flush;
    use crate::testing::{LOG, RECORD_LEN, Run, SEGMENT_LEN, changed, disk, image};

    fn ids() -> Vec<Identity> {
        (0..6).map(|op| Identity::new(1, op, 0)).collect()
    }

    /// Where the blank of the first file begins.
    const BLANK: usize = 5 * RECORD_LEN as usize;

    #[test]
    fn a_blank_that_fills_its_file_is_fine() {
        let mut run = Run::new(RollIsExact, Flush::Sync);
        run.quiet(&[disk(&ids())]);
        run.assert_green();
    }

    #[test]
    fn a_blank_of_another_length_and_one_that_is_not_clean_are_caught() {
        for at in [BLANK + 3, SEGMENT_LEN as usize - 1] {
            let mut run = Run::new(RollIsExact, Flush::Sync);
            run.quiet(&[changed(image(&ids()), LOG, |bytes| bytes[at] ^= 1)]);
            run.assert_red(&[]);
        }
    }

    #[test]
    fn a_roll_although_the_record_fits_is_caught() {
        let mut run = Run::new(RollIsExact, Flush::Sync);
        let early = changed(image(&ids()), LOG, |bytes| {
            let at = BLANK - RECORD_LEN as usize;
            let head = [bytes[BLANK..BLANK + 4].to_vec(), bytes[BLANK + 4..BLANK + 8].to_vec()];
            bytes[at..].fill(0);
            bytes[at + 4..at + 8].copy_from_slice(&head[1]);
            let left = (SEGMENT_LEN as u32) - at as u32;
            bytes[at..at + 4].copy_from_slice(&left.to_be_bytes());
        });
        run.quiet(std::slice::from_ref(&early));
        run.assert_red(&[]);
        let mut run = Run::new(RollIsExact, Flush::Async);
        run.restart(Fault::PowerLoss, early.clone(), early);
        run.assert_green();
    }
}
