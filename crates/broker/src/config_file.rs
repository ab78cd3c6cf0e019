//! `config/*.json`: replaced whole, with the version before as `.bak`, as RocketMQ keeps them.
//!
//! | `X.json` | `X.json.bak` | the table is |
//! |---|---|---|
//! | whole | any | `X.json` |
//! | missing | whole | `.bak`: a replacement was cut short after the old version got that name |
//! | damaged | whole | `.bak`, and the damaged file is set aside as `X.json.damaged` |
//! | missing | missing | empty: nothing was ever written |
//! | otherwise | | the start is refused: nobody's offsets are forgotten in silence |

use std::fmt::Display;
use std::io::{self, ErrorKind};

use bytes::Bytes;
use runtime::Disk;

use crate::error::StartError;

/// Replaces the file at `path`; durable when it returns. At every moment it or its `.bak` is a
/// whole version, and `.bak` is the version before.
pub(crate) async fn replace(disk: &Disk, path: &str, text: &[u8]) -> io::Result<()> {
    disk.replace_keeping(path, &backup(path), text).await
}

/// Reads the table at `path`, or its last version; `None` when there never was one.
pub(crate) async fn load<T, E: Display>(
    disk: &Disk,
    path: &str,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Option<T>, StartError> {
    let text = read(disk, path).await?;
    let damage = match text.as_deref().map(&parse) {
        Some(Ok(table)) => return Ok(Some(table)),
        Some(Err(error)) => Some(error.to_string()),
        None => None,
    };
    let backup = backup(path);
    match (read(disk, &backup).await?.as_deref().map(&parse), damage) {
        (None, None) => Ok(None),
        (Some(Ok(table)), damage) => {
            let cause = damage.as_deref().unwrap_or("it is missing");
            tracing::warn!(path, cause, "the table's last version is used instead");
            if damage.is_some() {
                // Or the next replacement would keep the damaged one in place of the good one.
                set_aside(disk, path).await?;
            }
            Ok(Some(table))
        }
        (None, Some(cause)) => Err(StartError::Table { path: path.to_owned(), cause }),
        (Some(Err(error)), damage) => {
            let main = damage.unwrap_or_else(|| "it is missing".to_owned());
            let cause = format!("{main}; and {backup} is damaged, too: {error}");
            Err(StartError::Table { path: path.to_owned(), cause })
        }
    }
}

/// The name of the version before.
fn backup(path: &str) -> String {
    format!("{path}.bak")
}

async fn read(disk: &Disk, path: &str) -> Result<Option<Bytes>, StartError> {
    match disk.read(path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StartError::Disk { path: path.to_owned(), source }),
    }
}

async fn set_aside(disk: &Disk, path: &str) -> Result<(), StartError> {
    let moved = disk.rename(path, &format!("{path}.damaged")).await;
    moved.map_err(|source| StartError::Disk { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &[u8]) -> Result<u32, String> {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        text.parse().map_err(|_| format!("{text:?} is no number"))
    }

    /// What is loaded where these texts stand, and the names that are left.
    fn loaded(main: Option<&str>, backup: Option<&str>) -> (Result<Option<u32>, String>, String) {
        let world = sim::World::new(1);
        let node = world.node("broker");
        world.block_on(async {
            let disk = world.runtime(&node).disk;
            disk.create_dir("config").await.expect("there is room");
            for (name, text) in [("config/n.json", main), ("config/n.json.bak", backup)] {
                if let Some(text) = text {
                    disk.write(name, text.as_bytes()).await.expect("there is room");
                }
            }
            let loaded = load(&disk, "config/n.json", number).await;
            let names = disk.list("config").await.expect("it is there");
            let names: Vec<String> = names.into_iter().map(|entry| entry.name).collect();
            (loaded.map_err(|error| error.to_string()), names.join(" "))
        })
    }

    #[test]
    fn the_file_counts_and_its_last_version_only_where_it_does_not_read() {
        assert_eq!(loaded(Some("2"), Some("1")).0, Ok(Some(2)));
        assert_eq!(loaded(Some("2"), Some("x")).0, Ok(Some(2)));
        assert_eq!(loaded(None, Some("1")).0, Ok(Some(1)));
        let damaged = loaded(Some(""), Some("1"));
        assert_eq!(damaged, (Ok(Some(1)), "n.json.bak n.json.damaged".to_owned()));
        assert_eq!(loaded(None, None).0, Ok(None));
    }

    #[test]
    fn what_was_written_and_does_not_read_is_never_taken_for_nothing() {
        for (main, backup) in [(Some("x"), None), (None, Some("x")), (Some(""), Some(""))] {
            let error = loaded(main, backup).0.expect_err("somebody's table is lost");
            assert!(error.contains("n.json is damaged"), "{error}");
        }
    }

    const TABLE: &str = "config/n.json";
    /// Longer than two pages of a disk, so that a crash may leave a part.
    const DIGITS: usize = 9_000;

    fn version(number: u32) -> String {
        format!("{number:0>DIGITS$}")
    }

    /// What a start loads from this disk; never nothing at all once there was something.
    async fn loaded_from(world: &sim::World, node: &sim::Node) -> Option<u32> {
        let disk = world.runtime(node).disk;
        let whole = |text: &[u8]| {
            if text.len() == DIGITS { number(text) } else { Err("a part".to_owned()) }
        };
        load(&disk, TABLE, whole).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Topics, groups and offsets all go this way. Every crash in three replacements: killed after
    /// each operation of the disk, with each prefix of what was under way to the device, and with
    /// random parts of it. A start finds the version that was durable or the one under way, and its
    /// own replacement works, also when it follows a crash.
    ///
    /// Planted to see it fail: the table written in place (a part of it is left); renamed over the
    /// old one without a sync of the file or of the directory (the replacement is lost).
    #[test]
    fn after_every_crash_the_table_is_the_last_durable_one_or_the_one_under_way() {
        let world = sim::World::new(3);
        let node = world.node("broker");
        world.block_on(async {
            let disk = world.runtime(&node).disk;
            disk.create_dir("config").await.expect("there is room");
            replace(&disk, TABLE, version(1).as_bytes()).await.expect("there is room");
            world.record_crashes(&node);
            let mut done = vec![(0, 1)];
            for number in 2..=4 {
                replace(&disk, TABLE, version(number).as_bytes()).await.expect("there is room");
                done.push((world.recorded_operations(&node), number));
            }
            let crashes = world.recorded_crashes(&node);
            let rng = world.stream("samples");
            let mut images = 0;
            for at in 0..=crashes.operations() {
                let durable = done.iter().filter(|(when, _)| *when <= at).map(|(_, n)| *n).max();
                let durable = durable.expect("the first was there before");
                let mut wrecks = vec![crashes.killed(at)];
                wrecks.extend(crashes.prefixes(at));
                wrecks.extend((0..3).map(|_| crashes.sample(at, &rng)));
                for wreck in &wrecks {
                    images += 1;
                    let heir = world.node("heir");
                    world.restart_on(&heir, wreck);
                    let found = loaded_from(&world, &heir).await.expect("the table is not lost");
                    let when = crashes.operation(at);
                    assert!((durable..=durable + 1).contains(&found), "{found} after {when}");
                    let disk = world.runtime(&heir).disk;
                    replace(&disk, TABLE, version(9).as_bytes()).await.expect("there is room");
                    world.power_fail(&heir);
                    world.restart(&heir);
                    assert_eq!(loaded_from(&world, &heir).await, Some(9), "replaced after {when}");
                }
            }
            assert!(images > 100, "{images} images");
        });
    }
}
