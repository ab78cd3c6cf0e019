//! The client against brokers and name servers that follow a script, in a simulated world.

mod consuming;
mod fake_broker;
mod fake_namesrv;
mod pipelining;
mod sending;
mod stage;
