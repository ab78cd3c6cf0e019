//! A regression entry: a seed that once failed, with its story, in `seeds/`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::RunnerError;

/// What is kept of a failure that was fixed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// One line.
    #[expect(dead_code, reason = "for the reader of the file; required so that it is written")]
    pub(crate) title: String,
    /// Three sentences: what happened, why, what was changed.
    #[expect(dead_code, reason = "for the reader of the file; required so that it is written")]
    pub(crate) story: String,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// The seed.
    pub(crate) seed: u64,
    /// The invariant that was broken.
    #[expect(dead_code, reason = "for the reader of the file; required so that it is written")]
    pub(crate) invariant: String,
    /// The mutant that brings the bug back, if there is one.
    pub(crate) mutant: Option<String>,
}

impl Entry {
    /// Reads one entry.
    ///
    /// # Errors
    /// When the file cannot be read or is not an entry.
    pub(crate) fn read(path: &Path) -> Result<Self, RunnerError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RunnerError::File { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| RunnerError::Malformed {
            path: path.to_owned(),
            problem: error.to_string(),
        })
    }
}

/// Every entry below `dir`, by path.
///
/// # Errors
/// When one cannot be read or is not an entry.
pub(crate) fn all(dir: &Path) -> Result<Vec<(PathBuf, Entry)>, RunnerError> {
    let mut entries = Vec::new();
    for path in toml_files(dir) {
        let entry = Entry::read(&path)?;
        entries.push((path, entry));
    }
    Ok(entries)
}

/// The TOML files below a directory, sorted; none if there is no such directory.
pub(crate) fn toml_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut files = Vec::new();
    for path in listing.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(toml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files
}
