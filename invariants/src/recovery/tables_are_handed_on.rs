//! S16: what RocketMQ left in the configuration is handed on.

use crate::disk::NodeDisk;
use crate::invariant::{Claim, Found, Invariant};
use crate::recovery::tables_are_whole;
use crate::world::{Recovery, World};

/// The property; [`Invariant::claim`] says it in words.
#[derive(Debug, Default)]
pub struct TablesAreHandedOn;

/// What S16 claims.
const CLAIM: Claim = Claim {
    id: "S16",
    sentence: "The progress of delay levels and the filters that RocketMQ left on a broker's disk \
               are still there, in the table or in its .bak, whatever starts and crashes follow.",
    source: "RocketMQ #6881 (museum 66): the empty table is written before the old one is read",
    limits: "By the tables' text without its spaces. Nobody changes them while no broker delivers \
             delayed messages or takes SQL92. Not on nodes where S14 does not look, nor \
             on disks without any table.",
};

/// The tables that RocketMQ left on every broker's disk, and what is in them.
pub const LEFT: [(&str, &str); 2] = [
    ("store/config/delayOffset.json", "{\n\t\"offsetTable\":{1:3,2:0,18:7\n\t}\n}"),
    (
        "store/config/consumerFilter.json",
        r#"{"filterDataByTopic":{"t":{"groupFilterData":{"g":{"bornTime":5,"clientVersion":4,
        "consumerGroup":"g","dead":true,"deadTime":9,"expression":"a>5","expressionType":"SQL92",
        "topic":"t"}},"topic":"t"}}}"#,
    ),
];

impl Invariant for TablesAreHandedOn {
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
    let has_tables = disk.image.keys().any(|path| path.starts_with("store/config/"));
    if !has_tables || tables_are_whole::are_struck(world, &disk.node) {
        return;
    }
    for (path, left) in LEFT {
        let texts = [disk.image.get(path), disk.image.get(&format!("{path}.bak"))];
        let kept = texts.into_iter().flatten().next();
        let kept = kept.map(|text| String::from_utf8_lossy(text).into_owned());
        found.check(kept.as_deref().map(bare) == Some(bare(left)), [], || {
            let now = kept.unwrap_or_else(|| "nothing".to_owned());
            format!("{}: {path} says {now}", disk.node)
        });
    }
}

/// The text without its spaces.
fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Fault;
    use crate::promise::Flush;
    use crate::testing::{Run, disk};

    fn with(tables: &[(&str, &str)]) -> NodeDisk {
        let mut disk = disk(&[]);
        let tables = tables.iter();
        disk.image
            .extend(tables.map(|(path, text)| (path.to_string(), text.as_bytes().to_vec().into())));
        disk
    }

    fn restarted_on(before: NodeDisk) -> Run {
        let mut run = Run::new(TablesAreHandedOn, Flush::Sync);
        run.restart(Fault::PowerLoss, before, disk(&[]));
        run
    }

    #[test]
    fn tables_in_another_dress_and_last_versions_are_fine() {
        restarted_on(with(&LEFT)).assert_green();
        let written = bare(LEFT[0].1);
        let backup = ("store/config/delayOffset.json.bak", written.as_str());
        restarted_on(with(&[backup, LEFT[1]])).assert_green();
    }

    #[test]
    fn a_table_that_is_gone_or_empty_is_caught() {
        restarted_on(with(&[LEFT[0]])).assert_red(&[]);
        let empty = ("store/config/delayOffset.json", "{\"offsetTable\":{}}");
        restarted_on(with(&[empty, LEFT[1]])).assert_red(&[]);
    }
}
