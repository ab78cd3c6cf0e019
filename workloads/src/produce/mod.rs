//! Producers: messages of many sizes, tagged or not, now and then in batches or oneway.

mod fit;
mod plan;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, Producer, ProducerConfig};
use invariants::identity::Identity;
use message::Message;
use runtime::sync::{Either, race};
use runtime::{Boxed, sometimes};

use crate::attempts::Attempts;
use crate::stage::{Stage, Workload};
pub use plan::{Knobs, MessagePlan, Op, OpKind, Plan, ProducerPlan, TAGS, plan};

/// What must happen in some run.
pub const GOALS: [&str; 8] = [
    "a message of a fitting size was sent",
    "a batch was sent",
    "a message went oneway",
    "a message above a kilobyte was sent",
    "a send was tried again",
    "a send was refused",
    "a send ended unknown",
    "a send was stored with less than the promise",
];

/// Producers that follow a plan.
pub struct Produce {
    plan: Arc<Plan>,
    /// Each producer's next operation; a restart goes on behind what the killed process began, for
    /// an attempt begins once.
    next: Arc<Vec<AtomicUsize>>,
}

impl Produce {
    /// Producers at the beginning of their plan.
    pub fn new(plan: Plan) -> Self {
        let next = plan.producers.iter().map(|_| AtomicUsize::new(0)).collect();
        Self { plan: Arc::new(plan), next: Arc::new(next) }
    }

    /// What they follow.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Workload for Produce {
    fn clients(&self) -> Vec<String> {
        self.plan.producers.iter().map(ProducerPlan::name).collect()
    }

    fn drive(&self, client: usize, stage: Stage) -> Boxed<'static, ()> {
        let (plan, next) = (self.plan.clone(), self.next.clone());
        Box::pin(async move {
            let mine = &plan.producers[client];
            let name = format!("producer-{}.{}", mine.number, stage.incarnation);
            let config =
                ClientConfig { instance_name: name, ..ClientConfig::new(stage.namesrv.clone()) };
            let client_of_node = Client::start(&stage.runtime, config);
            produce(&stage, &client_of_node, mine, (&plan.topics, &next[client])).await;
            client_of_node.shutdown().await;
        })
    }

    fn groups(&self) -> Vec<(String, Vec<String>)> {
        Vec::new()
    }

    fn topics(&self) -> Vec<String> {
        self.plan.topics.clone()
    }
}

async fn produce(
    stage: &Stage,
    client: &Client,
    mine: &ProducerPlan,
    (topics, next): (&[String], &AtomicUsize),
) {
    let config = ProducerConfig {
        send_timeout: Duration::from_millis(mine.send_timeout_ms),
        retries_max: mine.retries_max,
        hook: Some(Arc::new(Attempts::new(stage.recorder.clone()))),
        ..ProducerConfig::default()
    };
    let producer = Producer::start(client, "producers", config).expect("the name is valid");
    while let Some(op) = mine.ops.get(next.load(Ordering::Relaxed)) {
        let pause = stage.runtime.clock.sleep(Duration::from_millis(op.pause_ms));
        if let Either::Left(()) = race(stage.quiet.stopped(), pause).await {
            break;
        }
        next.fetch_add(1, Ordering::Relaxed);
        send(&producer, mine.number, op, &topics[op.topic]).await;
    }
    producer.shutdown().await;
}

/// Sends what ends where a file of the log ends, to one of the topic's queues.
async fn send_fitting(producer: &Producer, number: u32, op: &Op, (topic, delta): (&str, i64)) {
    let Ok(queues) = producer.queues(topic).await else { return };
    let Some(queue) = queues.get(op.first as usize % queues.len().max(1)) else { return };
    let make = |at: usize, len: Option<u64>| {
        let plan = &op.messages[at];
        let plan = MessagePlan { len: len.unwrap_or(plan.len), ..plan.clone() };
        let identity = Identity::new(number, op.first + at as u32, 0);
        plan.message(topic, identity)
    };
    sometimes!("a message of a fitting size was sent");
    fit::send(producer, queue, delta, make).await;
}

/// Makes one call. How it ended is noted attempt by attempt.
async fn send(producer: &Producer, number: u32, op: &Op, topic: &str) {
    if let OpKind::Fit(delta) = op.kind {
        return send_fitting(producer, number, op, (topic, delta)).await;
    }
    let mut messages: Vec<Message> = (op.first..)
        .zip(&op.messages)
        .map(|(first, plan)| plan.message(topic, Identity::new(number, first, 0)))
        .collect();
    sometimes!("a message above a kilobyte was sent", messages.iter().any(|m| m.body.len() > 1024));
    match (op.kind, messages.pop()) {
        (OpKind::Batch, last) => {
            messages.extend(last);
            sometimes!("a batch was sent");
            let _ = producer.send_batch(messages).await;
        }
        (OpKind::Send, Some(message)) => {
            let _ = producer.send(message).await;
        }
        (OpKind::Oneway, Some(message)) => {
            sometimes!("a message went oneway");
            let _ = producer.send_oneway(message).await;
        }
        (OpKind::Fit(_), _) | (_, None) => {}
    }
}
