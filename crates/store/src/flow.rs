//! Flow control: why the store takes nothing for the moment, by name, and for how long that lasts.
//!
//! *Invariant:* a refusal of this kind leaves no byte and no queue offset behind, and ends by
//! itself: each cause is looked at anew by every append.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runtime::Monotonic;

/// What is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Room on the disk.
    Disk,
    /// The device: what was appended does not become durable fast enough.
    Flush,
    /// Buffers of the off-heap pool.
    Memory,
    /// The page cache: a write into the mapping stands still while the append lock is held.
    PageCache,
}

impl Busy {
    /// When another try may succeed, in ms: the hint that clients get.
    pub fn retry_after_ms(self) -> u64 {
        match self {
            // Space comes back with the next deletion of segments.
            Busy::Disk => 1_000,
            // About a group commit of a device that is behind, or an interval of the pool.
            Busy::Flush | Busy::Memory | Busy::PageCache => 200,
        }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Busy::Disk => "DISK",
            Busy::Flush => "FLUSH",
            Busy::Memory => "MEMORY",
            Busy::PageCache => "PAGE_CACHE",
        })
    }
}

/// Since when something goes on; read without a lock.
#[derive(Default)]
pub(crate) struct Since(AtomicU64);

impl Since {
    /// It begins, or begins anew.
    pub(crate) fn begin(&self, now: Monotonic) {
        self.0.store(now.0.as_micros() as u64 + 1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// For how long it has lasted; `now` is asked only if it goes on at all.
    pub(crate) fn lasts(&self, now: impl FnOnce() -> Monotonic) -> Option<Duration> {
        let micros = self.0.load(Ordering::Relaxed).checked_sub(1)?;
        Some(now().since(Monotonic(Duration::from_micros(micros))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_lasts_no_more() {
        let since = Since::default();
        let at = |ms| Monotonic(Duration::from_millis(ms));
        assert_eq!(since.lasts(|| at(7)), None);
        since.begin(at(0));
        assert_eq!(since.lasts(|| at(7)), Some(Duration::from_millis(7)));
        since.begin(at(5));
        assert_eq!(since.lasts(|| at(7)), Some(Duration::from_millis(2)));
        since.end();
        assert_eq!(since.lasts(|| at(7)), None);
    }
}
