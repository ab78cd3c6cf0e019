//! The members of a consumer group.

use serde::{Deserialize, Serialize};

use crate::body::json::json_body;

/// The answer to GET_CONSUMER_LIST_BY_GROUP. Members sort it themselves.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GetConsumerListByGroupResponseBody {
    /// Client ids.
    pub consumer_id_list: Vec<String>,
}

json_body!(GetConsumerListByGroupResponseBody);
