//! Says how far a long recovery is: to who watches it, or in lines of the log.

use std::ops::Range;
use std::time::Duration;

use runtime::{Clock, Monotonic};

use crate::recovery_watch::RecoveryWatch;

/// How long nothing is said, at the least.
const PAUSE: Duration = Duration::from_secs(3);
/// So many bytes are read between two looks at the clock.
const LOOK_LEN: u64 = 16 << 20;

/// How far the walk along the log is.
pub(super) struct Progress<'a> {
    clock: &'a Clock,
    watch: &'a RecoveryWatch,
    from: u64,
    /// The end of the files: the log ends there at the latest.
    to: u64,
    begun: Monotonic,
    told: Monotonic,
    /// Where the clock is looked at next.
    look_at: u64,
}

impl<'a> Progress<'a> {
    /// A walk begins; says how much there is to be read, at the most.
    pub(super) fn begin(
        clock: &'a Clock,
        watch: &'a RecoveryWatch,
        Range { start: from, end: to }: Range<u64>,
    ) -> Self {
        let now = clock.monotonic();
        watch.tell(0, to.saturating_sub(from));
        let mb_max = to.saturating_sub(from) / 1_000_000;
        tracing::info!(from, mb_max, "reading the CommitLog from where the checkpoint ends");
        Self { clock, watch, from, to, begun: now, told: now, look_at: from + LOOK_LEN }
    }

    /// The walk has come to `offset`.
    pub(super) fn at(&mut self, offset: u64) {
        if offset < self.look_at {
            return;
        }
        self.look_at = offset + LOOK_LEN;
        self.watch.tell(offset - self.from, self.to.saturating_sub(self.from));
        let now = self.clock.monotonic();
        if !self.watch.is_watched() && now.since(self.told) >= PAUSE {
            self.told = now;
            let (percent, mb_per_s) = figures(self.from..self.to, offset, now.since(self.begun));
            tracing::info!(offset, percent, mb_per_s, "still reading the CommitLog");
        }
    }
}

/// How much of `all` is read, in percent, and how fast, in MB/s.
fn figures(all: Range<u64>, at: u64, took: Duration) -> (u64, u64) {
    let (len, read) = (all.end.saturating_sub(all.start), at.saturating_sub(all.start));
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    ((read.saturating_mul(100) / len.max(1)).min(100), read / micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_and_speed_are_of_what_is_read_since_the_beginning() {
        let gigabyte = 1_000_000_000;
        let took = Duration::from_secs(2);
        assert_eq!(figures(7..7 + 4 * gigabyte, 7 + gigabyte, took), (25, 500));
        assert_eq!(figures(7..7, 7, Duration::ZERO), (0, 0));
        assert_eq!(figures(0..10, 20, took).0, 100);
    }
}
