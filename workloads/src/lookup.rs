//! Users who look messages up: they send messages with keys and ask for them by key, now and
//! again, and at last, when everything is drained, for all of them.
//!
//! Some of their keys have one hash: pairs that Java's hash takes for equal, and several whose hash
//! is the one number without an absolute value.
//!
//! Order of draws, for each user from a stream of its own: for each operation its pause, its topic,
//! what it is, and its key.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, KeyQuery, Producer, ProducerConfig};
use invariants::history::{Queried, Seen, What};
use invariants::identity::Identity;
use message::{Message, java_hash};
use runtime::sync::{Either, race};
use runtime::{Boxed, Rng, sometimes};
use serde::{Deserialize, Serialize};

use crate::attempts::Attempts;
use crate::scenario::Span;
use crate::stage::{Stage, Workload};

/// What must happen in some run.
pub const GOALS: [&str; 2] = ["a key found several messages", "keys of one hash were asked for"];

/// The most keys that a user asks for at last: the newest.
const LAST_KEYS_MAX: usize = 60;
/// The most messages that an answer to a user holds.
const COUNT_MAX: u32 = 32;

/// What the plan is drawn from.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// The number of the first user: identities of a run must not repeat.
    pub first: u32,
    /// How many.
    pub users: Span,
    /// Messages and questions of each.
    pub operations: Span,
    /// Where messages go.
    pub topics: Vec<String>,
    /// How long the traffic lasts, about.
    pub lasts_ms: u64,
}

/// One thing that a user does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The pause before it.
    pub pause_ms: u64,
    /// Which of the topics.
    pub topic: usize,
    /// Whether it sends a message with the key, or asks for it.
    pub sends: bool,
    /// The key.
    pub key: String,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Its number in identities.
    pub number: u32,
    /// What it does, one after the other.
    pub ops: Vec<Op>,
}

impl User {
    /// The name of its node.
    pub fn name(&self) -> String {
        format!("user-{}", self.number)
    }
}

/// All users of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The topics they send to.
    pub topics: Vec<String>,
    /// One after the other.
    pub users: Vec<User>,
}

/// Draws a plan.
pub fn plan(rng: &Rng, knobs: &Knobs) -> Plan {
    let count = knobs.users.draw(rng) as u32;
    let user = |number: u32| {
        let rng = rng.stream(&format!("user/{number}"));
        let count = knobs.operations.draw(&rng);
        let mean_ms = knobs.lasts_ms / count.max(1);
        User { number, ops: (0..count).map(|_| plan_op(&rng, mean_ms, &knobs.topics)).collect() }
    };
    let users = (knobs.first..knobs.first + count).map(user).collect();
    Plan { topics: knobs.topics.clone(), users }
}

fn plan_op(rng: &Rng, mean_ms: u64, topics: &[String]) -> Op {
    let pause_ms = if rng.chance(0.4) { rng.below(5) } else { rng.below(3 * mean_ms + 1) };
    let topic = rng.below(topics.len() as u64) as usize;
    let sends = rng.chance(0.7);
    let of_one_hash = ["Aa", "BB", "AaAa", "BBBB", "AaBB"];
    let key = match rng.below(4) {
        0 => of_one_hash[rng.below(5) as usize].to_owned(),
        1 => word(&format!("{}#", topics[topic]), i32::MIN, rng.below(6)),
        _ => format!("order-{}", rng.below(40)),
    };
    Op { pause_ms, topic, sends, key }
}

/// The `nth` word, 0 to 5, that makes Java's hash of `prefix` and it `hash`: seven digits to the
/// base 31, for that is what the hash of characters is.
fn word(prefix: &str, hash: i32, nth: u64) -> String {
    const DIGITS: u32 = 7;
    let zeros = java_hash(&format!("{prefix}{}", "0".repeat(DIGITS as usize)));
    let mut rest = u64::from(hash.wrapping_sub(zeros).cast_unsigned()) + (nth << 32);
    let mut digits: Vec<u8> = Vec::new();
    for _ in 0..DIGITS {
        digits.push(b'0' + (rest % 31) as u8);
        rest /= 31;
    }
    digits.reverse();
    String::from_utf8(digits).expect("they are letters and signs")
}

/// What a user may ask for: topic, key, and whether it is a unique one.
type Keys = Mutex<Vec<(usize, String, bool)>>;

/// Users that follow a plan.
pub struct Lookup {
    plan: Arc<Plan>,
    /// Each user's next operation; a restart goes on behind what the killed process began.
    next: Arc<Vec<AtomicUsize>>,
    /// Each user's keys.
    keys: Arc<Vec<Keys>>,
}

impl Lookup {
    /// Users at the beginning of their plan.
    pub fn new(plan: Plan) -> Self {
        let next = plan.users.iter().map(|_| AtomicUsize::new(0)).collect();
        let keys = plan.users.iter().map(|_| Mutex::default()).collect();
        Self { plan: Arc::new(plan), next: Arc::new(next), keys: Arc::new(keys) }
    }
}

impl Workload for Lookup {
    fn clients(&self) -> Vec<String> {
        self.plan.users.iter().map(User::name).collect()
    }

    fn drive(&self, client: usize, stage: Stage) -> Boxed<'static, ()> {
        let (plan, next, keys) = (self.plan.clone(), self.next.clone(), self.keys.clone());
        Box::pin(async move {
            let user = &plan.users[client];
            let name = format!("user-{}.{}", user.number, stage.incarnation);
            let config =
                ClientConfig { instance_name: name, ..ClientConfig::new(stage.namesrv.clone()) };
            let client_of_node = Client::start(&stage.runtime, config);
            let hook = Some(Arc::new(Attempts::new(stage.recorder.clone())) as _);
            let config = ProducerConfig { hook, ..ProducerConfig::default() };
            let producer = Producer::start(&client_of_node, "users", config).expect("a valid name");
            let at_work = AtWork {
                stage: &stage,
                client: &client_of_node,
                producer: &producer,
                topics: &plan.topics,
                keys: &keys[client],
            };
            at_work.follow(user, &next[client]).await;
            stage.leave.stopped().await;
            at_work.ask_for_all().await;
            producer.shutdown().await;
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

struct AtWork<'a> {
    stage: &'a Stage,
    client: &'a Client,
    producer: &'a Producer,
    topics: &'a [String],
    keys: &'a Keys,
}

impl AtWork<'_> {
    async fn follow(&self, user: &User, next: &AtomicUsize) {
        while let Some(op) = user.ops.get(next.load(Ordering::Relaxed)) {
            let pause = self.stage.runtime.clock.sleep(Duration::from_millis(op.pause_ms));
            if let Either::Left(()) = race(self.stage.quiet.stopped(), pause).await {
                break;
            }
            let number = next.fetch_add(1, Ordering::Relaxed) as u32;
            if op.sends {
                self.send(op, Identity::new(user.number, number, 0)).await;
            } else {
                self.ask(op.topic, &op.key, false).await;
            }
        }
    }

    async fn send(&self, op: &Op, id: Identity) {
        let all = [&op.key, "all"].join(" ");
        let message = id.stamp(Message::new(&self.topics[op.topic], "kept").with_keys(&all));
        // Whatever comes of it: an answer that is lost says nothing.
        self.remember(op.topic, op.key.clone(), false);
        if let Ok(sent) = self.producer.send(message).await {
            self.remember(op.topic, sent.message_id, true);
        }
    }

    fn remember(&self, topic: usize, key: String, is_unique: bool) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let known = (topic, key, is_unique);
        if !keys.contains(&known) {
            keys.push(known);
        }
    }

    async fn ask_for_all(&self) {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (topic, key, is_unique) in keys.iter().rev().take(LAST_KEYS_MAX) {
            self.ask(*topic, key, *is_unique).await;
        }
    }

    /// Asks every broker that has the topic; notes what each answers.
    async fn ask(&self, topic: usize, key: &str, is_unique: bool) {
        let topic = &self.topics[topic];
        let Ok(queues) = self.producer.queues(topic).await else { return };
        let mut names: Vec<String> = queues.into_iter().map(|queue| queue.broker_name).collect();
        names.dedup();
        let query = KeyQuery {
            topic: topic.clone(),
            key: key.to_owned(),
            is_unique,
            count_max: COUNT_MAX,
            begin_ms: 0,
            end_ms: i64::MAX as u64,
        };
        for broker_name in names {
            let started_ms = self.stage.recorder.now_ms();
            // Who does not answer is asked again another time.
            let asked = self.client.query_message_at(&broker_name, &query).await;
            let Ok(answer) = asked else { continue };
            sometimes!("a key found several messages", answer.messages.len() > 1);
            sometimes!("keys of one hash were asked for", key == "Aa" || key == "BB");
            let (topic, key, count_max) = (topic.clone(), key.to_owned(), COUNT_MAX as usize);
            let seen = answer.messages.iter().map(|at| Seen::new(&broker_name, at)).collect();
            let strangers = answer.strangers;
            self.stage.recorder.record(What::Queried(Queried {
                started_ms,
                broker_name,
                topic,
                key,
                count_max,
                seen,
                strangers,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_of_one_hash_can_be_made() {
        let words: BTreeSet<String> = (0..6).map(|nth| word("Topic#", i32::MIN, nth)).collect();
        assert_eq!(words.len(), 6);
        for word in words {
            assert_eq!(java_hash(&format!("Topic#{word}")), i32::MIN, "{word}");
            assert!(!word.contains(' '));
        }
        assert_eq!(java_hash("Aa"), java_hash("BB"));
    }

    #[test]
    fn one_stream_gives_one_plan_and_it_survives_being_written_down() {
        let (users, operations) = (Span { low: 1, high: 3 }, Span { low: 10, high: 20 });
        let topics = vec!["A".to_owned(), "B".to_owned()];
        let knobs = Knobs { first: 7, users, operations, topics, lasts_ms: 60_000 };
        let drawn = plan(&Rng::from_seed([1; 32]), &knobs);
        assert_eq!(drawn, plan(&Rng::from_seed([1; 32]), &knobs));
        assert_ne!(drawn, plan(&Rng::from_seed([2; 32]), &knobs));
        let text = toml::to_string(&drawn).expect("a plan is plain data");
        assert_eq!(toml::from_str::<Plan>(&text).expect("its own text"), drawn);
    }
}
