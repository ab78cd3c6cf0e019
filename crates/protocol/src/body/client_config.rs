//! May a consumer subscribe with this expression?

use serde::{Deserialize, Serialize};

use crate::body::json::{json_body, text};
use crate::body::subscription::SubscriptionData;

/// The body of CHECK_CLIENT_CONFIG.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CheckClientRequestBody {
    /// Who asks.
    #[serde(deserialize_with = "text")]
    pub client_id: String,
    /// The consumer group.
    #[serde(deserialize_with = "text")]
    pub group: String,
    /// What it wants.
    pub subscription_data: SubscriptionData,
}

json_body!(CheckClientRequestBody);
