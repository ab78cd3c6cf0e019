//! LP: pulls that wait are woken, and answered in time.

mod arrival_wakes;
mod held_in_bounds;

pub use arrival_wakes::ArrivalWakes;
pub use held_in_bounds::HeldInBounds;
