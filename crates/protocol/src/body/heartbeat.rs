//! A client's sign of life.

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::body::json::{integer, json_body, ordinal, text};
use crate::body::subscription::SubscriptionData;

/// The body of HEART_BEAT. Any list may be missing (C++ omits empty ones).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HeartbeatData {
    /// Who lives.
    #[serde(rename = "clientID", deserialize_with = "text")]
    pub client_id: String,
    /// The consumer groups it is a member of.
    pub consumer_data_set: Vec<ConsumerData>,
    /// Hash of the rest (5.x); 0: not used.
    #[serde(deserialize_with = "integer", skip_serializing_if = "is_zero")]
    pub heartbeat_fingerprint: i32,
    /// The producer groups it is a member of.
    pub producer_data_set: Vec<ProducerData>,
    /// Whether subscriptions are left out because they are known (5.x).
    #[serde(skip_serializing_if = "is_false")]
    pub without_sub: bool,
}

/// Membership in a producer group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProducerData {
    /// The group.
    #[serde(deserialize_with = "text")]
    pub group_name: String,
}

/// Membership in a consumer group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsumerData {
    /// Where a new group begins.
    pub consume_from_where: ConsumeFromWhere,
    /// Pull or push.
    pub consume_type: ConsumeType,
    /// The group.
    #[serde(deserialize_with = "text")]
    pub group_name: String,
    /// Whether members share the messages.
    pub message_model: MessageModel,
    /// What the group wants.
    pub subscription_data_set: Vec<SubscriptionData>,
    /// Whether it is of a unit.
    pub unit_mode: bool,
}

/// Declares an enum of Java, which peers send by name or by ordinal.
macro_rules! java_enum {
    ($(#[$meta:meta])* $kind:ident ($unknown:ident) {
        $($(#[$variant_meta:meta])* $variant:ident = $name:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
        pub enum $kind {
            $($(#[$variant_meta])* #[serde(rename = $name)] $variant,)*
        }

        impl Default for $kind {
            fn default() -> Self {
                Self::$unknown
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let names = [$(($name, Self::$variant)),*];
                ordinal(deserializer, &names, Self::$unknown)
            }
        }
    };
}

java_enum! {
    /// Who asks whom; push when not said.
    ConsumeType (Passively) {
        /// Pull: the application asks.
        Actively = "CONSUME_ACTIVELY",
        /// Push: a listener is called.
        Passively = "CONSUME_PASSIVELY",
        /// Pop (5.x).
        Pop = "CONSUME_POP",
    }
}

java_enum! {
    /// Who gets a message; one member when not said.
    MessageModel (Clustering) {
        /// Each member.
        Broadcasting = "BROADCASTING",
        /// One member.
        Clustering = "CLUSTERING",
    }
}

java_enum! {
    /// Where a group without offsets begins; at the end when not said.
    ConsumeFromWhere (LastOffset) {
        /// At the end.
        LastOffset = "CONSUME_FROM_LAST_OFFSET",
        /// Deprecated: as [`ConsumeFromWhere::LastOffset`].
        LastOffsetAndFromMinWhenBootFirst =
            "CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST",
        /// Deprecated: as [`ConsumeFromWhere::LastOffset`].
        MinOffset = "CONSUME_FROM_MIN_OFFSET",
        /// Deprecated: as [`ConsumeFromWhere::LastOffset`].
        MaxOffset = "CONSUME_FROM_MAX_OFFSET",
        /// At the beginning.
        FirstOffset = "CONSUME_FROM_FIRST_OFFSET",
        /// At a time.
        Timestamp = "CONSUME_FROM_TIMESTAMP",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

json_body!(HeartbeatData);
