//! The clock of a node: skew, drift and jumps.
//!
//! Faults played here: a wall clock that starts off by some time ([`crate::fault::clock`]), runs at
//! another rate, jumps forward or backward. The monotonic clock never falls and no jump moves it,
//! but it drifts with the same crystal, and its origin is another after each start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runtime::{Boxed, ClockBackend, Monotonic};

use crate::ground::Ground;

const MILLION: i128 = 1_000_000;

/// The clock chip of one node, the same through every restart. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct NodeClock(Arc<Shared>);

struct Shared {
    ground: Ground,
    /// What the true wall clock showed when the world began, in ms since the Unix epoch.
    epoch_ms: u64,
    /// Local time minus UTC, all over this world.
    utc_offset_ms: i64,
    state: Mutex<State>,
}

/// All in nanoseconds.
#[derive(Clone, Copy, Default)]
struct State {
    /// True time at the last change of the rate.
    true_base: i128,
    /// What the crystal had counted then.
    local_base: i128,
    /// How much faster than true time the crystal runs, in parts per million.
    drift_ppm: i64,
    /// Wall clock minus crystal.
    wall_offset: i128,
}

impl State {
    fn local(&self, now: Duration) -> i128 {
        let passed = now.as_nanos() as i128 - self.true_base;
        // A division of 128 bits is dear, and every look at a clock comes here.
        match self.drift_ppm {
            0 => self.local_base + passed,
            ppm => self.local_base + passed * (MILLION + i128::from(ppm)) / MILLION,
        }
    }

    /// The first true time at which the crystal shows `local` or more.
    fn true_time(&self, local: i128) -> Duration {
        let rate = MILLION + i128::from(self.drift_ppm);
        let passed = match self.drift_ppm {
            0 => (local - self.local_base).max(0),
            _ => ((local - self.local_base) * MILLION + rate - 1) / rate,
        };
        let nanos = (self.true_base + passed + 1).clamp(0, i128::from(u64::MAX));
        Duration::from_nanos(nanos as u64)
    }
}

impl NodeClock {
    pub(crate) fn new(ground: Ground, epoch_ms: u64) -> Self {
        let zones = [-480, 0, 0, 330, 480];
        let zone = zones[ground.stream("clock/zone").below(zones.len() as u64) as usize];
        let utc_offset_ms = zone * 60_000;
        Self(Arc::new(Shared { ground, epoch_ms, utc_offset_ms, state: Mutex::default() }))
    }

    /// Moves the wall clock by so many milliseconds.
    pub(crate) fn jump(&self, by_ms: i64) {
        self.state().wall_offset += i128::from(by_ms) * MILLION;
    }

    /// Lets the crystal run faster (slower when negative) than true time from now on.
    pub(crate) fn set_drift(&self, ppm: i64) {
        let now = self.0.ground.now();
        let mut state = self.state();
        state.local_base = state.local(now);
        state.true_base = now.as_nanos() as i128;
        state.drift_ppm = ppm.clamp(-900_000, 9_000_000);
    }

    /// Wall clock minus true wall clock, in milliseconds.
    pub(crate) fn error_ms(&self) -> i64 {
        let now = self.0.ground.now();
        let state = self.state();
        ((state.local(now) + state.wall_offset - now.as_nanos() as i128) / MILLION) as i64
    }

    /// The clock as an incarnation sees it: its monotonic clock shows `shows` now.
    pub(crate) fn incarnation(&self, shows: Duration) -> SimClock {
        let local = self.state().local(self.0.ground.now());
        SimClock { clock: self.clone(), origin: local - shows.as_nanos() as i128 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock door of one incarnation of a node.
#[derive(Clone)]
pub(crate) struct SimClock {
    clock: NodeClock,
    /// What the crystal showed at the origin of this process's monotonic clock.
    origin: i128,
}

impl SimClock {
    fn shows(&self) -> Duration {
        let shared = &self.clock.0;
        let local = self.clock.state().local(shared.ground.now()) - self.origin;
        Duration::from_nanos(local.clamp(0, i128::from(u64::MAX)) as u64)
    }
}

impl ClockBackend for SimClock {
    fn now_ms(&self) -> u64 {
        let shared = &self.clock.0;
        let state = self.clock.state();
        let since = state.local(shared.ground.now()) + state.wall_offset;
        let since = match i64::try_from(since) {
            Ok(since) => i128::from(since.div_euclid(MILLION as i64)),
            Err(_) => since.div_euclid(MILLION),
        };
        (i128::from(shared.epoch_ms) + since).clamp(0, i128::from(i64::MAX)) as u64
    }

    fn utc_offset_ms(&self, _at_ms: u64) -> i64 {
        self.clock.0.utc_offset_ms
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.shows())
    }

    fn sleep_until(&self, deadline: Monotonic) -> Boxed<'static, ()> {
        let clock = self.clone();
        Box::pin(async move {
            // The rate may change under a sleeper, so it looks again when it wakes.
            while clock.shows() < deadline.0 {
                let local = clock.origin.saturating_add(deadline.0.as_nanos() as i128);
                let alarm = clock.clock.state().true_time(local);
                clock.clock.0.ground.timers.at(alarm).await;
            }
        })
    }
}
