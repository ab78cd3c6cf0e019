//! Randomness: named, independent ChaCha streams.

use std::sync::{Arc, Mutex};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of random numbers. Clones share the stream; [`Rng::stream`] makes an independent one,
/// so that a new draw in one place never shifts another.
#[derive(Clone)]
pub struct Rng {
    seed: [u8; 32],
    stream: Arc<Mutex<ChaCha8Rng>>,
}

impl Rng {
    /// The root stream of `seed`: entropy of the machine in production, the run's in simulation.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { seed, stream: Arc::new(Mutex::new(ChaCha8Rng::from_seed(seed))) }
    }

    /// The stream of that name. The same name of the same parent gives the same numbers, whatever
    /// was drawn elsewhere before.
    pub fn stream(&self, name: &str) -> Rng {
        let mut keyed = ChaCha8Rng::from_seed(self.seed);
        keyed.set_stream(fnv64(name));
        let mut seed = [0; 32];
        keyed.fill_bytes(&mut seed);
        Rng::from_seed(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        self.locked().next_u64()
    }

    /// A number in `0 .. bound`, by multiplication (bias below 2⁻³² for bounds below 2³²).
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing is below 0");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with `probability` (0 never, 1 always). Draws exactly once.
    pub fn chance(&self, probability: f64) -> bool {
        ((self.next_u64() >> 11) as f64 / (1u64 << 53) as f64) < probability
    }

    /// Fills the buffer.
    pub fn fill(&self, into: &mut [u8]) {
        self.locked().fill_bytes(into);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, ChaCha8Rng> {
        self.stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// FNV-1a, to turn a stream's name into its number.
fn fnv64(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_in_one_stream_does_not_shift_another() {
        let (quiet, busy) = (Rng::from_seed([7; 32]), Rng::from_seed([7; 32]));
        for _ in 0..9 {
            busy.next_u64();
            busy.stream("net").next_u64();
        }
        assert_eq!(quiet.stream("disk").next_u64(), busy.stream("disk").next_u64());
        assert_ne!(quiet.stream("disk").next_u64(), quiet.stream("net").next_u64());
    }

    #[test]
    fn below_stays_below_and_reaches_both_ends() {
        let rng = Rng::from_seed([1; 32]);
        let seen: std::collections::BTreeSet<u64> = (0..200).map(|_| rng.below(5)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn chance_keeps_its_ends() {
        let rng = Rng::from_seed([2; 32]);
        assert!((0..100).all(|_| !rng.chance(0.0)));
        assert!((0..100).all(|_| rng.chance(1.0)));
    }
}
