//! A listener that notes what it is handed, takes its time and fails now and then.

use std::time::Duration;

use hotfire_client::{ConsumeStatus, Delivery, MessageListener};
use invariants::history::{Seen, What};
use runtime::{Boxed, Clock, Rng, sometimes};
use serde::{Deserialize, Serialize};

use crate::recorder::Recorder;
use crate::stage::Stage;

/// Failures of one message in a row; then it succeeds, so that groups drain.
const FAILURES_MAX: u32 = 3;

/// What a listener does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// What it draws from.
    pub seed: u64,
    /// How many calls of a thousand fail.
    pub fails_per_thousand: u64,
    /// The most that a call takes.
    pub takes_ms_max: u64,
}

/// A listener of one member.
pub(crate) struct Listener {
    recorder: Recorder,
    clock: Clock,
    rng: Rng,
    behaviour: Behaviour,
    group: String,
    consumer: String,
}

impl Listener {
    pub(crate) fn new(stage: &Stage, group: &str, consumer: &str, behaviour: &Behaviour) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&behaviour.seed.to_le_bytes());
        Self {
            recorder: stage.recorder.clone(),
            clock: stage.runtime.clock.clone(),
            rng: Rng::from_seed(seed).stream(consumer),
            behaviour: behaviour.clone(),
            group: group.to_owned(),
            consumer: consumer.to_owned(),
        }
    }
}

impl MessageListener for Listener {
    fn consume<'a>(&'a self, delivery: &'a Delivery) -> Boxed<'a, ConsumeStatus> {
        Box::pin(async move {
            sometimes!("a message was handed over again", delivery.failures > 0);
            let broker_name = &delivery.queue.broker_name;
            let all: Vec<Seen> =
                delivery.messages.iter().map(|at| Seen::new(broker_name, at)).collect();
            for seen in &all {
                self.recorder.record(What::Delivered {
                    group: self.group.clone(),
                    consumer: self.consumer.clone(),
                    in_order: false,
                    seen: seen.clone(),
                });
            }
            let takes_ms = self.rng.below(self.behaviour.takes_ms_max + 1);
            let fails = self.rng.below(1_000) < self.behaviour.fails_per_thousand;
            if takes_ms > 0 {
                self.clock.sleep(Duration::from_millis(takes_ms)).await;
            }
            if fails && delivery.failures < FAILURES_MAX {
                return ConsumeStatus::Later;
            }
            for id in all.iter().filter_map(|seen| seen.id) {
                let (group, consumer) = (self.group.clone(), self.consumer.clone());
                self.recorder.record(What::Processed { group, consumer, id });
            }
            ConsumeStatus::Success
        })
    }
}
