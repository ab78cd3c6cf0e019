//! The way from one node to another: its randomness and what is wrong with it.

use std::time::Duration;

use runtime::Rng;

use super::shape::NetShape;
use crate::latency::Latency;

/// One direction between two nodes.
pub(crate) struct Link {
    pub(crate) rng: Rng,
    pub(crate) loopback: bool,
    /// Nothing gets through.
    pub(crate) cut: bool,
    /// Everything takes so much longer.
    pub(crate) extra: Duration,
    /// The chance that a connection is refused although somebody listens.
    pub(crate) refuse: f64,
    /// In place of the shape's latency.
    pub(crate) latency: Option<Latency>,
    /// In place of the shape's bandwidth, in bytes a second.
    pub(crate) bandwidth: Option<u64>,
    /// In place of the shape's loss: one in so many pieces.
    pub(crate) loss_one_in: Option<u64>,
    /// In place of the shape's splitting: one in so many writes.
    pub(crate) split_one_in: Option<u64>,
}

/// The longest wait for a retransmission after the way is open again.
const RETRANSMIT_MAX: Duration = Duration::from_millis(3000);

impl Link {
    pub(crate) fn new(rng: Rng, loopback: bool) -> Self {
        Self {
            rng,
            loopback,
            cut: false,
            extra: Duration::ZERO,
            refuse: 0.0,
            latency: None,
            bandwidth: None,
            loss_one_in: None,
            split_one_in: None,
        }
    }

    /// How long the next piece takes.
    pub(crate) fn latency(&self, shape: &NetShape) -> Duration {
        let usual = if self.loopback { shape.loopback } else { shape.latency };
        let mut latency = self.latency.unwrap_or(usual).draw(&self.rng) + self.extra;
        let loss_one_in = self.loss_one_in.unwrap_or(shape.loss_one_in);
        if loss_one_in > 0 && !self.loopback && self.rng.below(loss_one_in) == 0 {
            latency += Duration::from_millis(200 << self.rng.below(3));
        }
        latency
    }

    /// How long it takes until a sender tries again.
    pub(crate) fn retransmission(&self) -> Duration {
        Duration::from_micros(self.rng.below(RETRANSMIT_MAX.as_micros() as u64))
    }
}
