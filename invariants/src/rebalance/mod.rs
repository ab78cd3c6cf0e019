//! B: a group deals its queues among its members.

mod one_owner;

pub use one_owner::OneOwner;
