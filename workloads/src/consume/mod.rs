//! Consumer groups whose members come and go, and a reader that belongs to no group.

mod plan;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hotfire_client::{
    Client, ClientConfig, ConsumeFrom, GroupObserver, PushConfig, PushConsumer, Subscription,
};
use invariants::history::What;
use message::{MessageQueue, QueueOffset};
use runtime::sync::{Stop, race};
use runtime::{Boxed, Clock, sometimes};

use crate::listener::Listener;
use crate::reader;
use crate::recorder::Recorder;
use crate::stage::{Stage, Workload};
pub use plan::{GroupPlan, Knobs, MemberPlan, Plan, plan};

/// What must happen in some run.
pub const GOALS: [&str; 4] = [
    "a message was handed over again",
    "a member left and came back",
    "a reader found messages",
    "a reader's offset was not in the queue",
];

/// Consumers that follow a plan.
pub struct Consume {
    plan: Arc<Plan>,
    /// Whether each group's subscription is noted already.
    subscribed: Arc<Vec<AtomicBool>>,
}

impl Consume {
    /// Consumers at the beginning of their plan.
    pub fn new(plan: Plan) -> Self {
        let subscribed = plan.groups.iter().map(|_| AtomicBool::new(false)).collect();
        Self { plan: Arc::new(plan), subscribed: Arc::new(subscribed) }
    }

    /// What they follow.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Group and member of each client; the reader comes last, if there is one.
    fn members(&self) -> Vec<(usize, usize)> {
        let groups = self.plan.groups.iter().enumerate();
        groups.flat_map(|(at, group)| (0..group.members.len()).map(move |of| (at, of))).collect()
    }
}

impl Workload for Consume {
    fn clients(&self) -> Vec<String> {
        let name = |(at, of): (usize, usize)| {
            let group = &self.plan.groups[at];
            group.members[of].name(&group.group)
        };
        let mut names: Vec<String> = self.members().into_iter().map(name).collect();
        names.extend(self.plan.reader.iter().map(|reader| reader.name.clone()));
        names
    }

    fn drive(&self, client: usize, stage: Stage) -> Boxed<'static, ()> {
        let (plan, subscribed) = (self.plan.clone(), self.subscribed.clone());
        match self.members().get(client).copied() {
            Some((at, of)) => Box::pin(async move {
                let group = &plan.groups[at];
                // Its first offsets are the queues' first, so it is owed everything from here on.
                if !subscribed[at].swap(true, Ordering::Relaxed) {
                    for topic in &plan.topics {
                        stage.recorder.record(What::Subscribed {
                            group: group.group.clone(),
                            topic: topic.clone(),
                            tags: group.tags.clone(),
                        });
                    }
                }
                come_and_go(&stage, &plan.topics, group, of).await;
            }),
            None => Box::pin(async move {
                let reader = plan.reader.as_ref().expect("it is a client only if it is planned");
                reader::read(&stage, reader, &plan.topics).await;
            }),
        }
    }

    fn groups(&self) -> Vec<(String, Vec<String>)> {
        let topics = |at: &GroupPlan| (at.group.clone(), self.plan.topics.clone());
        self.plan.groups.iter().map(topics).collect()
    }

    fn topics(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One member's life: it leaves properly and comes back, until nothing new is sent; then it stays
/// until everything is drained.
async fn come_and_go(stage: &Stage, topics: &[String], group: &GroupPlan, of: usize) {
    let (plan, clock) = (&group.members[of], &stage.runtime.clock);
    // Who comes back after a kill does not wait for its turn again.
    if stage.incarnation == 0 {
        pause(clock, plan.joins_after_ms, &stage.quiet).await;
    }
    for (life, (stays_ms, away_ms)) in plan.stays.iter().enumerate() {
        if stage.quiet.is_stopped() {
            break;
        }
        let staying = pause(clock, *stays_ms, &stage.quiet);
        member(stage, topics, group, (of, life), staying).await;
        pause(clock, *away_ms, &stage.quiet).await;
        sometimes!("a member left and came back");
    }
    let staying = stage.leave.stopped();
    member(stage, topics, group, (of, plan.stays.len()), staying).await;
}

async fn pause(clock: &Clock, ms: u64, quiet: &Stop) {
    race(quiet.stopped(), clock.sleep(Duration::from_millis(ms))).await;
}

/// Consumes until `staying` ends, then leaves properly.
async fn member(
    stage: &Stage,
    topics: &[String],
    group: &GroupPlan,
    (of, life): (usize, usize),
    staying: impl Future<Output = ()>,
) {
    let plan = &group.members[of];
    let number = plan.number;
    let name = format!("{}-member-{number}.{}.{life}", group.group, stage.incarnation);
    let config =
        ClientConfig { instance_name: name.clone(), ..ClientConfig::new(stage.namesrv.clone()) };
    let client = Client::start(&stage.runtime, config);
    let watcher = Watcher {
        recorder: stage.recorder.clone(),
        group: group.group.clone(),
        consumer: name.clone(),
    };
    let listener = Listener::new(stage, &group.group, &name, &plan.behaviour);
    let config = PushConfig {
        from: ConsumeFrom::First,
        concurrency_max: plan.concurrency_max as usize,
        observer: Some(Arc::new(watcher)),
        ..PushConfig::new(group.group.clone())
    };
    let tags = group.tags.as_ref().map_or("*".to_owned(), |tags| tags.join("||"));
    let wants = topics.iter().map(|topic| Subscription::new(topic, tags.clone())).collect();
    let consumer = PushConsumer::start(&client, config, wants, Arc::new(listener));
    let consumer = consumer.expect("the name is valid and the client is new");
    staying.await;
    consumer.shutdown().await;
    client.shutdown().await;
}

/// Notes what a member owns, where it begins and what it commits.
struct Watcher {
    recorder: Recorder,
    group: String,
    consumer: String,
}

impl GroupObserver for Watcher {
    fn rebalanced(&self, queues: &[MessageQueue]) {
        let (group, consumer) = (self.group.clone(), self.consumer.clone());
        self.recorder.record(What::Rebalanced { group, consumer, queues: queues.to_vec() });
    }

    fn begins(&self, queue: &MessageQueue, to: QueueOffset) {
        let (group, consumer) = (self.group.clone(), self.consumer.clone());
        self.recorder.record(What::Rewound { group, consumer, queue: queue.clone(), to });
    }

    fn committed(&self, queue: &MessageQueue, offset: QueueOffset) {
        let group = self.group.clone();
        self.recorder.record(What::Committed { group, queue: queue.clone(), offset });
    }
}
