//! True time, and alarms at a point of it that can be taken back.
//!
//! madsim's own sleeps round up to a millisecond and are never cancelled: one more timer stays in
//! its heap for each poll. So alarms stand in a queue of our own, and madsim is asked for a wake-up
//! only when none that it already owes comes early enough.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use madsim::time::TimeHandle;

/// Past this nothing ever happens; a deadline beyond it is "never".
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The world's time since its beginning, and its alarms. Clones are the same.
#[derive(Clone)]
pub(crate) struct Timers(Arc<Shared>);

struct Shared {
    time: TimeHandle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By deadline, then in order of arrival.
    queue: BTreeMap<(Duration, u64), Waker>,
    arrivals: u64,
    /// When madsim will wake the driver.
    armed: BTreeSet<Duration>,
    driver: Option<Waker>,
}

impl Timers {
    pub(crate) fn new(time: TimeHandle) -> Self {
        Self(Arc::new(Shared { time, state: Mutex::default() }))
    }

    /// True time since the world began.
    pub(crate) fn now(&self) -> Duration {
        self.0.time.elapsed()
    }

    /// Rings at `deadline`.
    pub(crate) fn at(&self, deadline: Duration) -> Alarm {
        Alarm { timers: self.clone(), deadline, ticket: None }
    }

    /// Rings once `duration` has passed.
    pub(crate) fn after(&self, duration: Duration) -> Alarm {
        self.at(self.now().saturating_add(duration))
    }

    /// Wakes what is due, for ever. The world runs this as a task of its own node.
    pub(crate) async fn drive(self) {
        std::future::poll_fn(|context| {
            self.tick(context.waker());
            Poll::<()>::Pending
        })
        .await;
    }

    /// Forgets all alarms, so that the tasks that wait for them can be freed.
    pub(crate) fn clear(&self) {
        let cleared = std::mem::take(&mut *self.state());
        drop(cleared);
    }

    fn tick(&self, driver: &Waker) {
        let now = self.now();
        let mut state = self.state();
        state.driver = Some(driver.clone());
        while state.armed.first().is_some_and(|at| *at <= now) {
            state.armed.pop_first();
        }
        let mut due = Vec::new();
        while let Some(first) = state.queue.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
        if let Some((&(deadline, _), _)) = state.queue.first_key_value() {
            self.arm(&mut state, deadline);
        }
        drop(state);
        due.into_iter().for_each(Waker::wake);
    }

    /// Sees to it that the driver is woken at `deadline` or before.
    fn arm(&self, state: &mut State, deadline: Duration) {
        let Some(driver) = state.driver.clone() else { return };
        if state.armed.first().is_some_and(|&first| first <= deadline) {
            return;
        }
        let now = self.now();
        let mut sleep = self.0.time.sleep(Duration::ZERO);
        // `reset` takes the deadline as it is, where `sleep` would round it up.
        let wait = deadline.saturating_sub(now);
        Pin::new(&mut sleep).reset(self.0.time.now_instant() + wait);
        match Pin::new(&mut sleep).poll(&mut Context::from_waker(&driver)) {
            Poll::Ready(()) => driver.wake(),
            Poll::Pending => {
                state.armed.insert(deadline);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait for a point of true time. Dropping it leaves nothing behind.
pub(crate) struct Alarm {
    timers: Timers,
    deadline: Duration,
    ticket: Option<u64>,
}

impl Alarm {
    /// When it rings.
    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.timers.now() >= self.deadline {
            return Poll::Ready(());
        }
        if self.deadline >= NEVER {
            return Poll::Pending;
        }
        let Self { timers, deadline, ticket } = &mut *self;
        let mut state = timers.state();
        let ticket = *ticket.get_or_insert_with(|| {
            state.arrivals += 1;
            state.arrivals
        });
        match state.queue.get_mut(&(*deadline, ticket)) {
            // Polled again by the same task: it is in line, and the driver is armed for it.
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                state.queue.insert((*deadline, ticket), context.waker().clone());
                timers.arm(&mut state, *deadline);
            }
        }
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let waker = self.timers.state().queue.remove(&(self.deadline, ticket));
            drop(waker);
        }
    }
}
