//! A key and a value as they were written, and what can be wrong with them.

use std::path::PathBuf;

use thiserror::Error;

/// Where a pair was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A line of a file.
    File {
        /// Its name as it was given.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// The command line.
    CommandLine,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File { name, line } => write!(to, "{name}:{line}"),
            Origin::CommandLine => to.write_str("--set"),
        }
    }
}

/// A key and a value, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The property's name.
    pub(crate) key: String,
    /// What it is set to.
    pub(crate) value: String,
    /// Where.
    pub(crate) origin: Origin,
}

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Read {
        /// Its path as it was given.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not what its name says.
    #[error("{0}")]
    Syntax(String),
    /// Keys or values that are refused, one line each.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
}

/// The pair of one `--set key=value`.
pub(crate) fn from_command_line(pair: &str) -> Result<Pair, ConfigError> {
    match pair.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok(Pair {
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            origin: Origin::CommandLine,
        }),
        _ => Err(ConfigError::Syntax(format!(
            "--set {pair}: expected key=value, for example --set flushDiskType=SYNC_FLUSH"
        ))),
    }
}
