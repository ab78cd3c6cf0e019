//! The promises of [`Clock`].

use std::time::Duration;

use crate::sync::{Either, race};
use crate::{Clock, Elapsed, Monotonic};

pub(super) async fn suite(clock: &Clock) {
    never_falls(clock).await;
    never_wakes_early(clock).await;
    a_past_deadline_is_now(clock).await;
    the_time_limit_ends_only_what_is_not_done(clock).await;
}

async fn never_falls(clock: &Clock) {
    let mut before = clock.monotonic();
    for round in 0..300 {
        if round % 100 == 0 {
            clock.sleep(Duration::from_millis(1)).await;
        }
        let now = clock.monotonic();
        assert!(now >= before, "the monotonic clock fell from {before:?} to {now:?}");
        before = now;
    }
    assert!(clock.now_ms() > 0, "the wall clock stands at the epoch");
}

async fn never_wakes_early(clock: &Clock) {
    for millis in [0, 1, 7, 30] {
        let asked = Duration::from_millis(millis);
        let begin = clock.monotonic();
        clock.sleep(asked).await;
        let slept = clock.monotonic().since(begin);
        assert!(slept >= asked, "asked for {asked:?}, slept {slept:?}");
    }
}

async fn a_past_deadline_is_now(clock: &Clock) {
    clock.sleep_until(Monotonic(Duration::ZERO)).await;
    // Further away than any clock goes: it waits, it does not overflow.
    let never = clock.sleep_until(Monotonic(Duration::MAX));
    let first = race(never, clock.sleep(Duration::from_millis(1))).await;
    assert_eq!(first, Either::Right(()), "a deadline at the end of time passed");
}

async fn the_time_limit_ends_only_what_is_not_done(clock: &Clock) {
    let limit = Duration::from_millis(20);
    let begin = clock.monotonic();
    assert_eq!(clock.timeout(limit, std::future::pending::<()>()).await, Err(Elapsed));
    let waited = clock.monotonic().since(begin);
    assert!(waited >= limit, "gave up after {waited:?} of {limit:?}");
    assert_eq!(clock.timeout(Duration::ZERO, std::future::ready(7)).await, Ok(7));
    assert_eq!(clock.timeout(Duration::MAX, clock.sleep(limit)).await, Ok(()));
}
