//! How long things take: mostly near the least, now and then far from it.

use std::time::Duration;

use runtime::Rng;

/// A latency with a long tail: half of the draws lie within twice `least`, one in four to the
/// power of `n` is `2^n` times as long, and none passes `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// No draw is shorter.
    pub least: Duration,
    /// No draw is longer.
    pub most: Duration,
}

impl Latency {
    /// A latency between the two.
    pub const fn between(least: Duration, most: Duration) -> Self {
        Self { least, most }
    }

    /// One draw. Integers only, so that every machine draws the same.
    pub(crate) fn draw(&self, rng: &Rng) -> Duration {
        let bits = rng.next_u64();
        let doublings = (bits.trailing_zeros() / 2).min(20);
        let least = self.least.as_nanos() as u64;
        let spread = (u128::from(least) * u128::from(bits >> 32)) >> 32;
        let nanos = (least.saturating_add(spread as u64)).saturating_mul(1 << doublings);
        Duration::from_nanos(nanos).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_draws_are_short_and_a_few_are_long() {
        let latency = Latency::between(Duration::from_millis(1), Duration::from_millis(100));
        let rng = Rng::from_seed([3; 32]);
        let mut draws: Vec<_> = (0..10_000).map(|_| latency.draw(&rng)).collect();
        draws.sort();
        assert!(draws[0] >= latency.least && draws[9_999] <= latency.most);
        assert!(draws[5_000] < 2 * latency.least, "the median is short: {:?}", draws[5_000]);
        assert!(draws[9_990] > 10 * latency.least, "the tail is long: {:?}", draws[9_990]);
    }
}
