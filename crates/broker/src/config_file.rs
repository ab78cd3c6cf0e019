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
}
