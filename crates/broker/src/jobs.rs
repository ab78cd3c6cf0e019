//! What the broker does by the clock.

use std::sync::Arc;
use std::time::Duration;

use runtime::sync::{Either, race};

use crate::offset_file;
use crate::state::State;

/// How often silent clients and leases that ran out are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(10);

/// Writes the committed offsets while they change. Returns when the broker ends; the last word is
/// written by the shutdown.
pub(crate) async fn keep_offsets(state: Arc<State>) {
    let interval = Duration::from_millis(state.config.flush_consumer_offset_interval_ms);
    let mut written = state.offsets().changes();
    while pause(&state, interval).await {
        let changes = state.offsets().changes();
        if changes == written {
            continue;
        }
        match offset_file::write(&state).await {
            Ok(()) => written = changes,
            Err(error) => tracing::error!(%error, "consumer offsets not written; trying again"),
        }
    }
}

/// Forgets clients that sent no heartbeat for too long, and leases that nobody renewed.
pub(crate) async fn keep_expiring(state: Arc<State>) {
    let expiry = Duration::from_millis(state.config.client_expiry_ms);
    while pause(&state, EXPIRY_INTERVAL).await {
        let now = state.clock.monotonic();
        state.members.producers().expire(now, expiry);
        let changed = state.members.consumers().expire(now, expiry);
        for group in changed {
            state.notify_changed(&group);
        }
        state.locks().expire(now);
    }
}

/// Waits for `interval`; false when the broker ends first.
async fn pause(state: &State, interval: Duration) -> bool {
    let ended = race(state.draining.stopped(), state.clock.sleep(interval)).await;
    ended == Either::Right(())
}
