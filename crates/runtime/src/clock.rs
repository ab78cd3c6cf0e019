//! Time: two clocks, never mixed.

use std::sync::Arc;
use std::time::Duration;

use crate::Boxed;
use crate::sync::{Either, race};

/// A point on this node's monotonic clock: the time since an origin that only this process knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// The time from `earlier` to this point; zero if `earlier` is later.
    pub fn since(self, earlier: Monotonic) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::ops::Add<Duration> for Monotonic {
    type Output = Monotonic;

    fn add(self, by: Duration) -> Monotonic {
        Monotonic(self.0.saturating_add(by))
    }
}

/// A wait that reached its deadline first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl std::fmt::Display for Elapsed {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("the deadline passed")
    }
}

impl std::error::Error for Elapsed {}

/// What a twin provides.
pub trait ClockBackend: Send + Sync {
    /// This node's wall clock, in milliseconds since the Unix epoch. It may drift and jump, also
    /// backwards.
    fn now_ms(&self) -> u64;
    /// See [`Clock::utc_offset_ms`].
    fn utc_offset_ms(&self, at_ms: u64) -> i64;
    /// This node's monotonic clock. It never falls and no jump of the wall clock moves it.
    fn monotonic(&self) -> Monotonic;
    /// Returns at `deadline` or a little later, never earlier.
    fn sleep_until(&self, deadline: Monotonic) -> Boxed<'static, ()>;
}

/// The door to time.
#[derive(Clone)]
pub struct Clock(Arc<dyn ClockBackend>);

impl Clock {
    /// Opens the door onto a twin.
    pub fn new(backend: impl ClockBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// This node's wall clock in milliseconds since the Unix epoch: for timestamps that are stored
    /// or shown. It may jump, so no timeout is measured with it.
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    /// Local time minus UTC in ms, at the moment `at_ms` of the wall clock: for what operators give
    /// in hours of their day.
    pub fn utc_offset_ms(&self, at_ms: u64) -> i64 {
        self.0.utc_offset_ms(at_ms)
    }

    /// This node's monotonic clock: for timeouts, leases and intervals.
    pub fn monotonic(&self) -> Monotonic {
        self.0.monotonic()
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.monotonic() + duration).await;
    }

    /// Waits until the monotonic clock shows `deadline`.
    pub fn sleep_until(&self, deadline: Monotonic) -> Boxed<'static, ()> {
        self.0.sleep_until(deadline)
    }

    /// The future's output, unless `duration` passes first.
    ///
    /// # Errors
    /// [`Elapsed`] when the time is up; the future is dropped then.
    pub async fn timeout<F: Future>(
        &self,
        duration: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        self.timeout_at(self.monotonic() + duration, future).await
    }

    /// The future's output, unless the monotonic clock reaches `deadline` first.
    ///
    /// # Errors
    /// [`Elapsed`] when the time is up; the future is dropped then.
    pub async fn timeout_at<F: Future>(
        &self,
        deadline: Monotonic,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        match race(future, self.sleep_until(deadline)).await {
            Either::Left(output) => Ok(output),
            Either::Right(()) => Err(Elapsed),
        }
    }
}
