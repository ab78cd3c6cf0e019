//! S14: a configuration table is there, or the version before is.

use crate::disk::{NodeDisk, is_whole_json};
use crate::invariant::{Claim, Found, Invariant};
use crate::ledger::Fault;
use crate::world::{Recovery, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct TablesAreWhole;

/// What S14 claims.
const CLAIM: Claim = Claim {
    id: "S14",
    sentence: "Whatever a crash leaves, each of config/*.json is whole, or it is missing and its \
               .bak is whole; and a .bak that is there is whole.",
    source: "RocketMQ #5905: tables vanish, because nothing of their replacement is synced",
    limits: "Whole means that its brackets match to the end; which version it is, and what is in \
             it, is not judged. A damaged main file with a good .bak counts as broken: no crash \
             may leave one. Not on nodes whose tables the ledger says have rotted.",
};

const BACKUP: &str = ".bak";

impl Invariant for TablesAreWhole {
    fn claim(&self) -> &'static Claim {
        &CLAIM
    }

    fn on_recovery(&mut self, world: &World<'_>, recovery: &Recovery, found: &mut Found) {
        check(world, &recovery.before, found);
    }

    fn when_quiet(&mut self, world: &World<'_>, disks: &[NodeDisk], found: &mut Found) {
        disks.iter().for_each(|disk| check(world, disk, found));
    }
}

fn check(world: &World<'_>, disk: &NodeDisk, found: &mut Found) {
    if are_struck(world, &disk.node) {
        return;
    }
    for (path, text) in &disk.image {
        if is_table(path.trim_end_matches(BACKUP)) {
            found.check(is_whole_json(text), [], || {
                format!("{path} is no whole table: {} bytes", text.len())
            });
        }
    }
}

/// Whether faults of the node's disk have reached its tables.
pub(super) fn are_struck(world: &World<'_>, node: &str) -> bool {
    world.ledger.of(node).any(|entry| match &entry.fault {
        Fault::SyncError { path } => is_table(path),
        fault => fault.damage().is_some_and(|(path, _)| is_table(path)),
    })
}

/// Whether it is one of `config/*.json`.
fn is_table(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    parts.next().is_some_and(|name| name.ends_with(".json")) && parts.next() == Some("config")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promise::Flush;
    use crate::testing::{Run, disk};

    fn with(name: &str, text: &str) -> NodeDisk {
        let mut disk = disk(&[]);
        disk.image.insert(format!("store/config/{name}"), text.as_bytes().to_vec().into());
        disk
    }

    #[test]
    fn whole_tables_are_fine_and_so_are_other_files() {
        for (name, text) in [
            ("topics.json", "{\"dataVersion\":{},\"topicConfigTable\":{}}"),
            ("consumerOffset.json.bak", "{\n\t\"offsetTable\":{\"t@g\":{0:7,1:4}}}"),
            ("topics.json.tmp", ""),
        ] {
            let mut run = Run::new(TablesAreWhole, Flush::Sync);
            run.restart(Fault::PowerLoss, with(name, text), disk(&[]));
            run.assert_no_violation();
        }
    }

    #[test]
    fn an_empty_a_torn_and_a_zeroed_table_are_caught() {
        for (name, text) in [
            ("topics.json", ""),
            ("topics.json", "{\"dataVersion\":{"),
            ("consumerOffset.json.bak", "\0\0\0\0"),
        ] {
            let mut run = Run::new(TablesAreWhole, Flush::Sync);
            run.restart(Fault::PowerLoss, with(name, text), disk(&[]));
            run.assert_red(&[]);
        }
    }
}
