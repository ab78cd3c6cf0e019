//! A table of texts: runtime figures of a broker, keys of a namespace.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::body::json::json_body;

/// Names and values.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KvTable {
    /// The table.
    pub table: BTreeMap<String, String>,
}

json_body!(KvTable);
