//! The wire against recordings of real clients, golden bytes, and whatever proptest makes.

mod bodies;
mod captures;
mod conversations;
mod fast_path;
mod golden;
mod recorded;
mod round_trips;
mod strategies;
