//! An offset that only rises, and those who wait for it to arrive somewhere.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The watermark will not rise any more. Whoever still waits is not owed what it waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Why, for the answer to the client and for the log.
    pub reason: Arc<str>,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.reason)
    }
}

impl std::error::Error for Closed {}

/// An offset that only rises. Clones are the same watermark.
///
/// Waits wake lowest target first, then in order of arrival. What was reached stays reached:
/// closing fails only the waits above it.
#[derive(Clone, Default)]
pub struct Watermark(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The copy that readers look at without the lock.
    reached: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    reached: u64,
    closed: Option<Closed>,
    /// Makes two waits for the same target different keys, in order of arrival.
    arrivals: u64,
    waiters: BTreeMap<(u64, u64), Waker>,
}

impl Watermark {
    /// A watermark that starts at `reached`.
    pub fn new(reached: u64) -> Self {
        let watermark = Self::default();
        watermark.raise_to(reached);
        watermark
    }

    /// The highest offset reached so far.
    pub fn reached(&self) -> u64 {
        self.0.reached.load(Ordering::Acquire)
    }

    /// Raises the watermark to `to` and wakes every wait that this satisfies. A lower or equal
    /// value changes nothing: several raisers may race, the highest wins.
    pub fn raise_to(&self, to: u64) {
        let mut state = self.state();
        if to <= state.reached {
            return;
        }
        state.reached = to;
        self.0.reached.store(to, Ordering::Release);
        // Most raises satisfy nobody: an append's, when those who wait stand elsewhere.
        if state.waiters.first_key_value().is_none_or(|((target, _), _)| *target > to) {
            return;
        }
        let still_waiting = match to.checked_add(1) {
            Some(above) => state.waiters.split_off(&(above, 0)),
            None => BTreeMap::new(),
        };
        let satisfied = std::mem::replace(&mut state.waiters, still_waiting);
        drop(state);
        satisfied.into_values().for_each(Waker::wake);
    }

    /// Ends every wait above what was reached, now and later, with `reason`. The first reason
    /// stays.
    pub fn close(&self, reason: &str) {
        let mut state = self.state();
        state.closed.get_or_insert_with(|| Closed { reason: reason.into() });
        let waiters = std::mem::take(&mut state.waiters);
        drop(state);
        waiters.into_values().for_each(Waker::wake);
    }

    /// Why it is closed, if it is.
    pub fn closed(&self) -> Option<Closed> {
        self.state().closed.clone()
    }

    /// Returns once the watermark has reached `target`.
    ///
    /// # Errors
    /// The returned future gives [`Closed`] when the watermark was closed below `target`.
    pub fn wait(&self, target: u64) -> Wait {
        Wait { watermark: self.clone(), target, ticket: None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait for a [`Watermark`]. Cancel safe: dropping it leaves nothing behind.
pub struct Wait {
    watermark: Watermark,
    target: u64,
    /// Our place among the waits for the same target, once we stand in line.
    ticket: Option<u64>,
}

impl Future for Wait {
    type Output = Result<(), Closed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let watermark = self.watermark.clone();
        let mut state = watermark.state();
        if state.reached >= self.target {
            return Poll::Ready(Ok(()));
        }
        if let Some(closed) = &state.closed {
            return Poll::Ready(Err(closed.clone()));
        }
        let ticket = *self.ticket.get_or_insert_with(|| {
            state.arrivals += 1;
            state.arrivals
        });
        state.waiters.insert((self.target, ticket), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.watermark.state().waiters.remove(&(self.target, ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    struct Order(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Order {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn waits_wake_by_target_then_by_arrival() {
        let (watermark, woken) = (Watermark::default(), Arc::new(Mutex::new(Vec::new())));
        let mut waits: Vec<_> = [30, 10, 30, 20].map(|target| watermark.wait(target)).into();
        for (number, wait) in waits.iter_mut().enumerate() {
            let waker = Waker::from(Arc::new(Order(number, woken.clone())));
            let mut context = Context::from_waker(&waker);
            assert!(Pin::new(wait).poll(&mut context).is_pending());
        }
        watermark.raise_to(20);
        assert_eq!(*woken.lock().unwrap(), [1, 3]);
        watermark.raise_to(u64::MAX);
        assert_eq!(*woken.lock().unwrap(), [1, 3, 0, 2]);
    }

    #[test]
    fn closing_fails_only_what_was_not_reached() {
        let watermark = Watermark::new(5);
        watermark.close("sync failed");
        watermark.close("a later reason");
        let waker = Waker::from(Arc::new(Count(AtomicUsize::new(0))));
        let mut context = Context::from_waker(&waker);
        assert_eq!(Pin::new(&mut watermark.wait(5)).poll(&mut context), Poll::Ready(Ok(())));
        let Poll::Ready(Err(closed)) = Pin::new(&mut watermark.wait(6)).poll(&mut context) else {
            panic!("a wait above a closed watermark ended well");
        };
        assert_eq!(&*closed.reason, "sync failed");
    }

    #[test]
    fn a_dropped_wait_leaves_nobody_in_line() {
        let watermark = Watermark::default();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(count.clone());
        let mut wait = watermark.wait(1);
        assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(wait);
        watermark.raise_to(1);
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
    }
}
