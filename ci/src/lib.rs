//! House rules as tests, mutants, and interop with foreign clients.
//!
//! Every rule of the plan that a machine can hold is a function here from a tree of sources to the
//! violations in it. `tests/house_rules.rs` runs each over this tree, and over a small planted
//! tree that breaks it.

#![expect(clippy::disallowed_methods, reason = "it reads the tree that it judges")]

pub mod ambient;
pub mod doors;
pub mod floors;
pub mod knots;
pub mod manifests;
pub mod rooms;
pub mod sources;
