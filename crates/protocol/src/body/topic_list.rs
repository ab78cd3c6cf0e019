//! Lists of names.

use serde::{Deserialize, Serialize};

use crate::body::json::{json_body, some_text};

/// Names of topics.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicList {
    /// With the system topics of a name server: the address of one broker.
    #[serde(deserialize_with = "some_text", skip_serializing_if = "Option::is_none")]
    pub broker_addr: Option<String>,
    /// The names.
    pub topic_list: Vec<String>,
}

/// Names of groups.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GroupList {
    /// The names.
    pub group_list: Vec<String>,
}

json_body!(TopicList, GroupList);
