//! A reader that belongs to no group: pulls queues by hand and notes every answer.

use std::collections::BTreeMap;
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, ClientError, PullConsumer, PullOptions, PullStatus};
use invariants::history::{Pull, PullStatus as Noted, Seen, What};
use message::{MessageQueue, QueueOffset};
use runtime::sync::{Either, race};
use runtime::{Rng, sometimes};
use serde::{Deserialize, Serialize};

use crate::recorder::Recorder;
use crate::scenario::Span;
use crate::stage::Stage;

/// A reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReaderPlan {
    /// Its node.
    pub name: String,
    /// What it draws from.
    pub seed: u64,
    /// The most it pauses between two pulls.
    pub pause_ms_max: u64,
    /// The most that a pull may be held.
    pub hold_ms_max: u64,
    /// How many pulls of a thousand begin anywhere instead of where the last ended.
    pub jumps_per_thousand: u64,
}

/// Draws a plan.
pub(crate) fn plan(rng: &Rng, number: u32) -> ReaderPlan {
    ReaderPlan {
        name: format!("reader-{number}"),
        seed: rng.next_u64(),
        pause_ms_max: Span { low: 100, high: 3_000 }.draw(rng),
        hold_ms_max: if rng.chance(0.5) { rng.below(10_000) } else { 0 },
        jumps_per_thousand: rng.below(100),
    }
}

/// Reads until nothing new is sent.
pub(crate) async fn read(stage: &Stage, plan: &ReaderPlan, topics: &[String]) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&plan.seed.to_le_bytes());
    let rng = Rng::from_seed(seed).stream(&stage.incarnation.to_string());
    let name = format!("{}.{}", plan.name, stage.incarnation);
    let config = ClientConfig { instance_name: name, ..ClientConfig::new(stage.namesrv.clone()) };
    let client = Client::start(&stage.runtime, config);
    let puller = PullConsumer::new(&client, "readers").expect("the name is valid");
    let mut places = BTreeMap::new();
    loop {
        let pause = Duration::from_millis(rng.below(plan.pause_ms_max + 1));
        let one = async {
            stage.runtime.clock.sleep(pause).await;
            let topic = &topics[rng.below(topics.len() as u64) as usize];
            // What cannot be read now is read later.
            let _ = one_pull(stage, plan, (&puller, topic), (&rng, &mut places)).await;
        };
        if let Either::Left(()) = race(stage.quiet.stopped(), one).await {
            break;
        }
    }
    client.shutdown().await;
}

async fn one_pull(
    stage: &Stage,
    plan: &ReaderPlan,
    (puller, topic): (&PullConsumer, &str),
    (rng, places): (&Rng, &mut BTreeMap<MessageQueue, QueueOffset>),
) -> Result<(), ClientError> {
    let queues = puller.queues(topic).await?;
    let Some(queue) = queues.get(rng.below(queues.len().max(1) as u64) as usize) else {
        return Ok(());
    };
    let from = match places.get(queue) {
        Some(place) => *place,
        None => puller.min_offset(queue).await?,
    };
    let jumps = rng.below(1_000) < plan.jumps_per_thousand;
    let from = if jumps { QueueOffset(rng.below(2 * from.0 + 10)) } else { from };
    let hold = Duration::from_millis(rng.below(plan.hold_ms_max + 1));
    let options = PullOptions { hold, ..PullOptions::default() };
    let next = noted_pull(&stage.recorder, puller, (queue, from), &options).await?.next;
    places.insert(queue.clone(), next);
    Ok(())
}

/// Pulls once and notes the answer.
pub(crate) async fn noted_pull(
    recorder: &Recorder,
    puller: &PullConsumer,
    (queue, from): (&MessageQueue, QueueOffset),
    options: &PullOptions,
) -> Result<Pull, ClientError> {
    let started_ms = recorder.now_ms();
    let answer = puller.pull(queue, from, 32, options).await?;
    let status = match answer.status {
        PullStatus::Found => Noted::Found,
        PullStatus::NoNewMessage => Noted::NotFound,
        PullStatus::NoMatch => Noted::NoMatch,
        PullStatus::OffsetMoved => Noted::Illegal,
    };
    sometimes!("a reader found messages", status == Noted::Found);
    sometimes!("a reader's offset was not in the queue", status == Noted::Illegal);
    let pull = Pull {
        started_ms,
        queue: queue.clone(),
        from,
        status,
        next: answer.next_begin,
        min: answer.min,
        max: answer.max,
        seen: answer.messages.iter().map(|at| Seen::new(&queue.broker_name, at)).collect(),
    };
    recorder.record(What::Pulled(pull.clone()));
    Ok(pull)
}
