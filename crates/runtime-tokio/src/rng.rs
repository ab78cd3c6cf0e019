//! Randomness from the operating system's entropy.

use std::fs::File;
use std::io::{self, Read};

use runtime::Rng;

/// The root stream, seeded once.
pub(crate) fn from_entropy() -> io::Result<Rng> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut seed))
        .map_err(|error| io::Error::new(error.kind(), format!("no entropy: {error}")))?;
    Ok(Rng::from_seed(seed))
}
