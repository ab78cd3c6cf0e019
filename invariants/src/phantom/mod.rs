//! P: nothing appears that was not sent.

mod delivered_was_sent;
mod filter_is_sound;
mod refused_is_not_delivered;

pub use delivered_was_sent::DeliveredWasSent;
pub use filter_is_sound::FilterIsSound;
pub use refused_is_not_delivered::RefusedIsNotDelivered;
