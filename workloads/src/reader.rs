//! A reader that belongs to no group: pulls queues by hand and notes every answer.

use std::collections::BTreeMap;
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, ClientError, PullConsumer, PullOptions, PullStatus};
use invariants::history::{Asked, Boundary, Pull, PullStatus as Noted, Question, Seen, What};
use message::{MessageQueue, QueueOffset};
use runtime::sync::{Either, race};
use runtime::{Monotonic, Rng, sometimes};
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
    /// Whether it also asks for bounds and times, and pulls where nothing can be.
    #[serde(default)]
    pub odd: bool,
}

/// Draws a plan.
pub(crate) fn plan(rng: &Rng, number: u32, odd: bool) -> ReaderPlan {
    ReaderPlan {
        name: format!("reader-{number}"),
        seed: rng.next_u64(),
        pause_ms_max: Span { low: 100, high: 3_000 }.draw(rng),
        hold_ms_max: if rng.chance(0.5) { rng.below(10_000) } else { 0 },
        jumps_per_thousand: rng.below(100),
        odd,
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
    let mut read = Read { found_at: stage.runtime.clock.monotonic(), ..Read::default() };
    loop {
        let quiet = stage.runtime.clock.monotonic().since(read.found_at);
        let pause = Duration::from_millis(rng.below(plan.pause_ms_max + 1)) + tired(quiet);
        let one = async {
            stage.runtime.clock.sleep(pause).await;
            let topic = &topics[rng.below(topics.len() as u64) as usize];
            // What cannot be read now is read later.
            let _ = one_pull(stage, plan, (&puller, topic), (&rng, &mut read)).await;
        };
        if let Either::Left(()) = race(stage.quiet.stopped(), one).await {
            break;
        }
    }
    client.shutdown().await;
}

/// What a reader remembers.
#[derive(Default)]
struct Read {
    /// Where it goes on in each queue.
    places: BTreeMap<MessageQueue, QueueOffset>,
    /// When messages were stored that it saw last, in ms.
    times_ms: Vec<u64>,
    /// How far it ever came in each queue.
    furthest: BTreeMap<MessageQueue, QueueOffset>,
    /// When it came further last.
    found_at: Monotonic,
}

/// How much longer a reader pauses that has found nothing new for so long: a run whose traffic
/// ended hours ago would do little but read nothing again and again.
fn tired(quiet: Duration) -> Duration {
    if quiet < QUIET_MIN { Duration::ZERO } else { (quiet / 16).min(PAUSE_MAX) }
}

/// Longer than the faults of any scenario last.
const QUIET_MIN: Duration = Duration::from_secs(300);

/// The most that a pause grows by.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// Times that a reader remembers.
const TIMES_MAX: usize = 64;

async fn one_pull(
    stage: &Stage,
    plan: &ReaderPlan,
    (puller, topic): (&PullConsumer, &str),
    (rng, read): (&Rng, &mut Read),
) -> Result<(), ClientError> {
    let queues = puller.queues(topic).await?;
    let Some(queue) = queues.get(rng.below(queues.len().max(1) as u64) as usize) else {
        return Ok(());
    };
    if plan.odd && rng.chance(0.3) {
        return ask(&stage.recorder, puller, queue, draw_question(rng, read)).await;
    }
    let from = match read.places.get(queue) {
        Some(place) => *place,
        None => puller.min_offset(queue).await?,
    };
    let jumps = rng.below(1_000) < plan.jumps_per_thousand;
    let from = if jumps { QueueOffset(rng.below(2 * from.0 + 10)) } else { from };
    let from = if plan.odd && rng.chance(0.2) { draw_odd(rng, from) } else { from };
    let hold = Duration::from_millis(rng.below(plan.hold_ms_max + 1));
    let options = PullOptions { hold, ..PullOptions::default() };
    let pull = noted_pull(&stage.recorder, puller, (queue, from), &options).await?;
    read.times_ms.extend(pull.seen.iter().map(|seen| seen.store_timestamp));
    let skip = read.times_ms.len().saturating_sub(TIMES_MAX);
    read.times_ms.drain(..skip);
    read.places.insert(queue.clone(), pull.next);
    // What it jumped back to is no news.
    if read.furthest.get(queue).is_none_or(|furthest| *furthest < pull.next) {
        read.furthest.insert(queue.clone(), pull.next);
        read.found_at = stage.runtime.clock.monotonic();
    }
    Ok(())
}

/// An offset at the edges: the queue's ends, next to them, far behind, and next to `from`.
fn draw_odd(rng: &Rng, from: QueueOffset) -> QueueOffset {
    let far = [0, 1, 19, 20, 21, 1 << 20, 1 << 40, i64::MAX as u64 - 1, i64::MAX as u64];
    match rng.below(3) {
        0 => QueueOffset(far[rng.below(far.len() as u64) as usize]),
        1 => QueueOffset(from.0.saturating_sub(1)),
        _ => QueueOffset((from.0 + 1 + rng.below(3)).min(i64::MAX as u64)),
    }
}

fn draw_question(rng: &Rng, read: &Read) -> Question {
    let boundary = if rng.chance(0.5) { Boundary::Lower } else { Boundary::Upper };
    let seen = read.times_ms.get(rng.below(read.times_ms.len().max(1) as u64) as usize);
    match (rng.below(6), seen) {
        (0, _) => Question::Min,
        (1, _) => Question::Max,
        (2, _) | (_, None) => Question::Time([0, i64::MAX as u64][rng.below(2) as usize], boundary),
        (_, Some(seen)) => Question::Time((seen + rng.below(3)).saturating_sub(1), boundary),
    }
}

/// Asks once and notes the answer.
pub(crate) async fn ask(
    recorder: &Recorder,
    puller: &PullConsumer,
    queue: &MessageQueue,
    question: Question,
) -> Result<(), ClientError> {
    let started_ms = recorder.now_ms();
    let answer = match question {
        Question::Min => puller.min_offset(queue).await?,
        Question::Max => puller.max_offset(queue).await?,
        Question::Time(time_ms, Boundary::Lower) => {
            puller.search_offset_by(queue, time_ms, hotfire_client::Boundary::Lower).await?
        }
        Question::Time(time_ms, Boundary::Upper) => {
            puller.search_offset_by(queue, time_ms, hotfire_client::Boundary::Upper).await?
        }
    };
    let queue = queue.clone();
    recorder.record(What::Asked(Asked { started_ms, queue, question, answer }));
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
        hold_ms: options.hold.as_millis() as u64,
        status,
        next: answer.next_begin,
        min: answer.min,
        max: answer.max,
        seen: answer.messages.iter().map(|at| Seen::new(&queue.broker_name, at)).collect(),
    };
    recorder.record(What::Pulled(pull.clone()));
    Ok(pull)
}
