//! How new a table is.

use serde::{Deserialize, Serialize};

use crate::body::json::{integer, json_body};

/// The version of a table of topics or groups. Two tables of one broker are the same if and only
/// if their versions are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataVersion {
    /// Rises with each change.
    #[serde(deserialize_with = "integer")]
    pub counter: i64,
    /// Of the controller's state machine (5.x); 0 elsewhere.
    #[serde(deserialize_with = "integer")]
    pub state_version: i64,
    /// When the table changed last, in ms.
    #[serde(deserialize_with = "integer")]
    pub timestamp: i64,
}

impl DataVersion {
    /// The version after a change at `now_ms`.
    pub fn next(self, now_ms: i64) -> Self {
        Self { counter: self.counter + 1, timestamp: now_ms, ..self }
    }
}

json_body!(DataVersion);
