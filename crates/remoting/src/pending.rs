//! Requests of ours that wait for their answer, by opaque.

use std::collections::BTreeMap;

use protocol::RemotingCommand;
use tokio::sync::oneshot;

/// The waiting requests of one connection. The peer's requests have opaques of their own that may
/// be the same numbers: only responses are ever looked up here.
#[derive(Default)]
pub(crate) struct Pending {
    waiters: BTreeMap<i32, oneshot::Sender<RemotingCommand>>,
    opaque: i32,
}

impl Pending {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// The opaque for the next request: one that nobody waits for.
    pub(crate) fn next_opaque(&mut self) -> i32 {
        loop {
            // Positive, as the old C++ client masks the sign bit away.
            self.opaque = self.opaque.wrapping_add(1) & i32::MAX;
            if !self.waiters.contains_key(&self.opaque) {
                return self.opaque;
            }
        }
    }

    /// Waits for the answer to `opaque`. The receiver fails when the connection ends.
    pub(crate) fn wait(&mut self, opaque: i32) -> oneshot::Receiver<RemotingCommand> {
        let (answer, waiter) = oneshot::channel();
        self.waiters.insert(opaque, answer);
        waiter
    }

    /// Gives up waiting.
    pub(crate) fn forget(&mut self, opaque: i32) {
        self.waiters.remove(&opaque);
    }

    /// Hands an answer to who waits for it; false when nobody does, because it came too late or
    /// was never asked for.
    pub(crate) fn answer(&mut self, response: RemotingCommand) -> bool {
        self.waiters.remove(&response.opaque).is_some_and(|waiter| waiter.send(response).is_ok())
    }

    /// Fails everyone.
    pub(crate) fn clear(&mut self) {
        self.waiters.clear();
    }
}
