//! The streams of a seed, by name.
//!
//! `net/<from>><to>`, `disk/<node>`, `clock/<node>`, `product/<node>/<incarnation>`,
//! `buggify/<site>`, `fault/…`: each name is a stream of its own, so that a new draw in one never
//! shifts another. Scheduling draws are madsim's, from the same seed.

use runtime::Rng;

/// The root stream of a seed; everything is drawn from its named children.
pub fn root(seed: u64) -> Rng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(b"hotfire\0");
    Rng::from_seed(bytes)
}
