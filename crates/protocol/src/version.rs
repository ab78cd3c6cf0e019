//! Versions are ordinals of RocketMQ's release enum (reference protocol.md §1.5).

/// What hotfire says of itself in every command: V4_9_8. Peers look at it: below 232 a consumer
/// refuses SQL92 subscriptions, below 121 a broker ignores a consumer's retry bound.
pub const VERSION: i32 = V4_9_8;

/// From here on REGISTER_BROKER's body is a `RegisterBrokerBody`.
pub const V3_0_11: i32 = 37;
/// From here on SEND_MSG_BACK's `maxReconsumeTimes` counts.
pub const V3_4_9: i32 = 121;
/// From here on a broker filters by SQL92.
pub const V4_1_0: i32 = 232;
/// From here on a client reads standard JSON routes (quoted map keys).
pub const V4_9_4: i32 = 401;
/// The release whose behaviour hotfire follows.
pub const V4_9_8: i32 = 409;
/// From here on a compressed REGISTER_BROKER body ends with a queue mapping section.
pub const V5_0_0: i32 = 413;
/// The newest release looked at.
pub const V5_3_3: i32 = 479;
