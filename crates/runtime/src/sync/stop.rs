//! A flag that is raised once and that any number of tasks can wait for.

use super::watermark::Watermark;

/// A request to stop: raised once, never lowered.
#[derive(Clone, Default)]
pub struct Stop(Watermark);

impl Stop {
    /// A flag that is not raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag. Again is harmless.
    pub fn stop(&self) {
        self.0.raise_to(1);
    }

    /// Whether the flag is raised.
    pub fn is_stopped(&self) -> bool {
        self.0.reached() == 1
    }

    /// Returns once the flag is raised. Cancel safe.
    pub async fn stopped(&self) {
        // Only `raise_to` touches this watermark and nothing closes it.
        let _ = self.0.wait(1).await;
    }
}
