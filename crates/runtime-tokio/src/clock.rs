//! This machine's clocks.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runtime::{Boxed, ClockBackend, Monotonic};

/// Deadlines further away than this are as good as never, and adding them cannot overflow.
const SLEEP_MAX: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// `CLOCK_REALTIME` and `CLOCK_MONOTONIC`.
pub(crate) struct MachineClock {
    /// Where our monotonic clock began.
    origin: Instant,
}

impl MachineClock {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl ClockBackend for MachineClock {
    fn now_ms(&self) -> u64 {
        // A wall clock before 1970 is one that nobody set; zero is as wrong as it is.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn utc_offset_ms(&self, at_ms: u64) -> i64 {
        let seconds = libc::time_t::try_from(at_ms / 1000).unwrap_or(libc::time_t::MAX);
        let mut local = MaybeUninit::<libc::tm>::zeroed();
        #[expect(unsafe_code, reason = "std knows no local time")]
        // SAFETY: both pointers are to live values, and zeroes are a value of every field.
        let local = unsafe {
            if libc::localtime_r(&seconds, local.as_mut_ptr()).is_null() {
                return 0;
            }
            local.assume_init()
        };
        local.tm_gmtoff * 1000
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.origin.elapsed())
    }

    fn sleep_until(&self, deadline: Monotonic) -> Boxed<'static, ()> {
        let deadline = self.origin + deadline.0.min(SLEEP_MAX);
        Box::pin(async move { tokio::time::sleep_until(deadline.into()).await })
    }
}
