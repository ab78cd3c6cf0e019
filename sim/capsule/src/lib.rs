//! A run as data. A scenario and a seed resolve into a [`Plan`]: the world, what every client does,
//! which faults strike. A [`Capsule`] is a plan in a file, with what came of it; [`shrink`] makes a
//! plan smaller while something still holds.
//!
//! *Invariant:* this package runs nothing and knows no simulator, no process and no file.

mod capsule;
pub mod draw;
mod plan;
pub mod shrink;
mod strike;

pub use capsule::{Capsule, Expected, FORMAT, NotACapsule};
pub use plan::{BrokerPlan, CutOff, Flush, Phases, Plan, TOGETHER};
pub use strike::Strike;
