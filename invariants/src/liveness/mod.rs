//! LV: after the heal the cluster gets on.

mod serves_after_the_heal;

pub use serves_after_the_heal::ServesAfterTheHeal;
