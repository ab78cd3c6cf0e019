//! What one connection saw, and the sum of all.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies are kept in µs with three digits; longer ones count as this long.
const LATENCY_MAX: Duration = Duration::from_secs(3600);
const DIGITS: u8 = 3;

/// Counts and latencies.
pub(crate) struct Tally {
    /// Messages that were confirmed, or read.
    pub(crate) messages: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Messages that were refused, by the answer.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Why a connection ended before its time.
    pub(crate) broken: Vec<String>,
    /// Of requests, in µs.
    pub(crate) latency: Histogram<u64>,
}

impl Tally {
    /// Nothing seen.
    pub(crate) fn new() -> Self {
        let most = LATENCY_MAX.as_micros() as u64;
        let latency = Histogram::new_with_bounds(1, most, DIGITS)
            .expect("the bounds and digits are in the histogram's range");
        Self { messages: 0, bytes: 0, refused: BTreeMap::new(), broken: Vec::new(), latency }
    }

    /// A request was answered.
    pub(crate) fn answered(&mut self, latency: Duration) {
        // Rounded up: no latency is ever shown shorter than it was.
        let micros = latency.min(LATENCY_MAX).as_nanos().div_ceil(1000);
        self.latency.saturating_record(u64::try_from(micros).unwrap_or(u64::MAX));
    }

    /// Messages were refused.
    pub(crate) fn refuse(&mut self, answer: String, messages: u64) {
        *self.refused.entry(answer).or_default() += messages;
    }

    /// Adds what another connection saw.
    pub(crate) fn add(&mut self, other: Tally) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        for (answer, messages) in other.refused {
            self.refuse(answer, messages);
        }
        self.broken.extend(other.broken);
        self.latency.add(other.latency).expect("both have the same bounds");
    }

    /// The latency that this share of the requests did not exceed, in µs.
    pub(crate) fn percentile_us(&self, percent: f64) -> u64 {
        self.latency.value_at_percentile(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_has_the_percentiles_of_all() {
        let (mut fast, mut slow) = (Tally::new(), Tally::new());
        for _ in 0..99 {
            fast.answered(Duration::from_micros(100));
        }
        slow.answered(Duration::from_millis(50));
        slow.refuse("SYSTEM_BUSY".to_owned(), 2);
        fast.add(slow);
        assert_eq!(fast.percentile_us(50.0), 100);
        assert!(fast.percentile_us(100.0) >= 50_000);
        assert_eq!(fast.refused["SYSTEM_BUSY"], 2);
    }

    #[test]
    fn what_is_longer_than_anything_is_kept_as_the_longest() {
        let mut tally = Tally::new();
        tally.answered(Duration::MAX);
        tally.answered(Duration::ZERO);
        assert!(tally.percentile_us(100.0) >= LATENCY_MAX.as_micros() as u64);
    }
}
