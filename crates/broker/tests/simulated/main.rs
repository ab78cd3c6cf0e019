//! The broker in a simulated world: with a name server, clients, and what can go wrong.

mod clean;
mod durability;
mod flow;
mod members;
mod overload;
mod pull;
mod query;
mod register;
mod scene;
mod send;
mod tables;
