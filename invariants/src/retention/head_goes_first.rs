//! S11: deletion takes the oldest file, never a later one and never the one that is written.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::world::World;

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct HeadGoesFirst;

/// What S11 claims.
const CLAIM: Claim = Claim {
    id: "S11",
    sentence: "Deletion takes the log's files in order, and never the last that holds a record.",
    source: "RocketMQ 390f73582b: the cleaner went on behind a file it could not delete, and left \
             a hole",
    limits: "Files of the CommitLog, as the page cache shows them at the removal. That a reader's \
             bytes stay is the door's promise, tested with the store.",
};

impl Invariant for HeadGoesFirst {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        for disk in disks {
            found.about(Some(&disk.node));
            for deletion in world.ledger.deletions(&disk.node) {
                let holds = !deletion.older_left && !deletion.was_last;
                found.check(holds, [], || format!("{deletion:?} took another than the oldest"));
            }
            found.about(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Deletion, Fault};
    use crate::promise::Flush;
    use crate::testing::{Run, deletion, disk};

    #[test]
    fn the_oldest_may_go() {
        let mut run = Run::new(HeadGoesFirst, Flush::Sync);
        run.fault(Fault::Deleted(deletion()));
        run.quiet(&[disk(&[])]);
        run.assert_green();
    }

    #[test]
    fn one_in_the_middle_and_the_one_that_is_written_are_caught() {
        for wrong in
            [Deletion { older_left: true, ..deletion() }, Deletion { was_last: true, ..deletion() }]
        {
            let mut run = Run::new(HeadGoesFirst, Flush::Sync);
            run.fault(Fault::Deleted(wrong));
            run.quiet(&[disk(&[])]);
            run.assert_red(&[]);
        }
    }
}
