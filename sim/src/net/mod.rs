//! A network of byte streams that stall, split, break and fall silent.
//!
//! Faults played here:
//! - latency with a long tail, pieces split and merged at any boundary, short writes, loss that
//!   shows as a stall ([`NetShape`]);
//! - [`crate::fault::partition`]: nothing gets through, both ways or one; what was sent arrives
//!   after the heal, or the connection gives up;
//! - [`crate::fault::clog`]: everything takes longer;
//! - [`crate::fault::reset`]: connections are reset although nobody died;
//! - [`crate::fault::refuse`]: connections are refused although somebody listens;
//! - [`crate::fault::accept_error`]: an accept fails for want of file descriptors;
//! - a kill ([`crate::Control::kill`]): peers are reset or read to the end, then are reset;
//! - a power failure ([`crate::Control::power_fail`]): peers see silence until the machine is back
//!   and answers what it does not know with a reset.
//!
//! Never played: bytes lost, doubled, changed or out of order within a stream.

mod close;
mod door;
mod hub;
mod link;
mod shape;
mod stream;
mod ways;
mod wire;

pub use shape::NetShape;

pub(crate) use door::SimNet;
pub(crate) use hub::{Hub, SlowReader};
