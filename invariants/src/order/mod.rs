//! O: what came first stands first.

mod acks_keep_order;
mod answered;
mod appends_follow_time;
mod offsets_rise;

pub use acks_keep_order::AcksKeepOrder;
pub use appends_follow_time::AppendsFollowTime;
pub use offsets_rise::OffsetsRise;
