//! A fault on paper.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use workloads::scenario::NemesisKind;

/// One fault that is going to strike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    /// When, from the start of the fault phase.
    #[serde(rename = "at_ms", with = "ms")]
    pub at: Duration,
    /// What.
    pub kind: NemesisKind,
    /// Whom: the name of a node.
    pub node: String,
    /// How long until it is undone, for what can be.
    #[serde(rename = "lasts_ms", with = "ms")]
    pub lasts: Duration,
    /// How much: ms of a jump, ppm of a drift, syncs that fail; its sign counts.
    pub amount: i64,
}

/// Durations of whole milliseconds, written as numbers.
mod ms {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(value.as_millis() as u64)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
