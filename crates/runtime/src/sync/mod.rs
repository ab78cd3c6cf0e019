//! Waits that wake in a fixed order.
//!
//! `tokio::sync` serves for channels and semaphores: it needs no runtime. What stands here is what
//! it lacks.

mod give_way;
mod race;
mod stop;
mod watermark;

pub use give_way::give_way;
pub use race::{Either, race};
pub use stop::Stop;
pub use watermark::{Closed, Wait, Watermark};
