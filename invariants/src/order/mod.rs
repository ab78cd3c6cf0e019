//! O: what came first stands first.

mod acks_keep_order;
mod offsets_rise;

pub use acks_keep_order::AcksKeepOrder;
pub use offsets_rise::OffsetsRise;
