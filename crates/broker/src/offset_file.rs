//! `consumerOffset.json`.

use std::io;

use runtime::Disk;

use crate::config::BrokerConfig;
use crate::config_file;
use crate::error::StartError;
use crate::offsets::Offsets;
use crate::state::State;

const OFFSETS_FILE: &str = "consumerOffset.json";

/// Reads it; without a file nobody has committed anything. A damaged one is an error: forgetting
/// every offset in silence would make all groups start over or skip.
pub(crate) async fn read(disk: &Disk, config: &BrokerConfig) -> Result<Offsets, StartError> {
    let path = config.table_path(OFFSETS_FILE);
    Ok(config_file::load(disk, &path, Offsets::from_json).await?.unwrap_or_default())
}

/// Where it stands.
pub(crate) fn path(config: &BrokerConfig) -> String {
    config.table_path(OFFSETS_FILE)
}

/// Replaces it with the offsets of now; durable when it returns.
pub(crate) async fn write(state: &State) -> io::Result<()> {
    let json = state.offsets().to_json();
    config_file::replace(&state.disk, &path(&state.config), &json).await
}
