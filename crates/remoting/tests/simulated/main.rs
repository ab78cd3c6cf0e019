//! Servers, clients and connections in the simulator.

mod both_directions;
mod bounds;
mod failures;
mod fast_path;
mod ground;
mod lives;
