//! Configuration: RocketMQ's property names, from a file and from `--set`.
//!
//! A source (a properties file, a TOML file, the command line) gives raw pairs with their origin.
//! [`Settings`] checks each against the table of [`known`] keys, and refuses what is unknown or
//! malformed before anything is started.

mod key;
pub(crate) mod known;
mod properties;
mod raw;
mod settings;
mod toml_file;

use std::path::Path;

pub(crate) use key::{Effect, Role};
pub(crate) use raw::ConfigError;
pub(crate) use settings::Settings;

/// Reads the settings of a role: the file first, then each `key=value`, a later one above an
/// earlier one.
///
/// # Errors
/// The file cannot be read or parsed, or a key or value is refused; all refusals at once.
pub(crate) fn load(
    role: Role,
    file: Option<&Path>,
    set: &[String],
) -> Result<Settings, ConfigError> {
    let mut pairs = match file {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
            let name = path.display().to_string();
            match path.extension().is_some_and(|extension| extension == "toml") {
                true => toml_file::parse(&name, &text)?,
                false => properties::parse(&name, &text)?,
            }
        }
    };
    for pair in set {
        pairs.push(raw::from_command_line(pair)?);
    }
    Settings::check(role, pairs)
}
