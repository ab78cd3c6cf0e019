//! The plan of producers.
//!
//! Order of draws, for each producer from a stream of its own: how it sends, then for each
//! operation its pause, its kind, its topic, and each message's body, tag, keys and flag.

use invariants::identity::Identity;
use message::{Message, property};
use runtime::Rng;
use serde::{Deserialize, Serialize};

use crate::body;
use crate::scenario::Span;

/// Tags that messages get; the last two have the same hash.
pub const TAGS: [&str; 4] = ["TagA", "TagB", "Aa", "BB"];

/// Messages in a batch.
const BATCH: Span = Span { low: 2, high: 6 };

/// What the plan is drawn from.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// The number of the first producer: identities of a run must not repeat.
    pub first: u32,
    /// How many.
    pub producers: Span,
    /// Messages each sends.
    pub messages: Span,
    /// Bytes of a body.
    pub body: Span,
    /// Where they go.
    pub topics: Vec<String>,
    /// How long the traffic lasts, about.
    pub lasts_ms: u64,
    /// Whether messages are sent that hit edges: see [`OpKind::Fit`] and [`MessagePlan`].
    pub odd: bool,
}

/// All producers of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The topics they send to.
    pub topics: Vec<String>,
    /// One after the other.
    pub producers: Vec<ProducerPlan>,
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProducerPlan {
    /// Its number in identities.
    pub number: u32,
    /// For one send with all its attempts.
    pub send_timeout_ms: u64,
    /// Attempts after the first.
    pub retries_max: u32,
    /// What it sends, one after the other.
    pub ops: Vec<Op>,
}

/// One call of the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Op {
    /// The pause before it.
    pub pause_ms: u64,
    /// How it is sent.
    pub kind: OpKind,
    /// Which of the topics.
    pub topic: usize,
    /// The number of its first message; the others' follow.
    pub first: u32,
    /// One, or a batch's.
    pub messages: Vec<MessagePlan>,
}

/// How messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpKind {
    /// One, answered.
    Send,
    /// Several at once.
    Batch,
    /// One, not answered.
    Oneway,
    /// Two to learn from their answers where the broker's log stands, and a third that ends so many
    /// bytes behind where the log's file just takes it: at 0 it fits to the byte.
    Fit(i64),
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessagePlan {
    /// Bytes of its body.
    pub len: u64,
    /// What the body is made from.
    pub fill: u64,
    /// Its tag.
    pub tag: Option<String>,
    /// Its keys.
    pub keys: Option<String>,
    /// The user's flag.
    pub flag: i32,
    /// Whether its answer shall not wait for the flush.
    #[serde(default)]
    pub hasty: bool,
    /// Whether the checksum of its body shall be 0.
    #[serde(default)]
    pub checksum_0: bool,
}

/// Draws a plan.
pub fn plan(rng: &Rng, knobs: &Knobs) -> Plan {
    let count = knobs.producers.draw(rng) as u32;
    let producers = (knobs.first..knobs.first + count)
        .map(|number| plan_producer(&rng.stream(&format!("producer/{number}")), number, knobs))
        .collect();
    Plan { topics: knobs.topics.clone(), producers }
}

fn plan_producer(rng: &Rng, number: u32, knobs: &Knobs) -> ProducerPlan {
    let send_timeout_ms = Span { low: 1_000, high: 5_000 }.draw(rng);
    let retries_max = rng.below(3) as u32;
    let messages = knobs.messages.draw(rng);
    let mean_ms = knobs.lasts_ms / messages.max(1);
    let (mut ops, mut sent) = (Vec::new(), 0);
    // From a stream of their own: other plans stay as they are.
    let odd = knobs.odd.then(|| rng.stream("odd"));
    while u64::from(sent) < messages {
        let mut op = plan_op(rng, sent, mean_ms, knobs);
        if let Some(odd) = &odd {
            make_odd(odd, &mut op);
        }
        sent += op.messages.len() as u32;
        ops.push(op);
    }
    ProducerPlan { number, send_timeout_ms, retries_max, ops }
}

fn plan_op(rng: &Rng, first: u32, mean_ms: u64, knobs: &Knobs) -> Op {
    // Half of them come in a rush, so that appends meet in one lock and one flush.
    let pause_ms = if rng.chance(0.5) { rng.below(5) } else { rng.below(4 * mean_ms + 1) };
    let (kind, count) = match rng.below(100) {
        0..8 => (OpKind::Batch, BATCH.draw(rng)),
        8..14 => (OpKind::Oneway, 1),
        _ => (OpKind::Send, 1),
    };
    let topic = rng.below(knobs.topics.len() as u64) as usize;
    let messages = (0..count).map(|at| plan_message(rng, first + at as u32, knobs)).collect();
    Op { pause_ms, kind, topic, first, messages }
}

fn plan_message(rng: &Rng, number: u32, knobs: &Knobs) -> MessagePlan {
    let Span { low, high } = knobs.body;
    let small = Span { low, high: high.min(low + 100) };
    let len = if rng.chance(0.7) { small } else { knobs.body }.draw(rng);
    let fill = rng.next_u64();
    let tag = rng.chance(0.7).then(|| TAGS[rng.below(TAGS.len() as u64) as usize].to_owned());
    let keys = rng.chance(0.3).then(|| format!("key{number} common"));
    let flag = if rng.chance(0.1) { rng.next_u64() as i32 } else { 0 };
    MessagePlan { len, fill, tag, keys, flag, hasty: false, checksum_0: false }
}

/// Lets an operation hit an edge, or not.
fn make_odd(rng: &Rng, op: &mut Op) {
    let (kind, amount) = (rng.below(100), rng.below(3) as i64 - 1);
    match (kind, op.kind) {
        (0..10, OpKind::Send) => {
            let small = |plan: &MessagePlan| MessagePlan {
                len: 1 + plan.len % 100,
                tag: None,
                keys: None,
                flag: 0,
                ..plan.clone()
            };
            op.messages = vec![small(&op.messages[0]); 3];
            op.kind = OpKind::Fit(amount);
        }
        (10..30, OpKind::Send) => op.messages[0].hasty = true,
        (30..40, _) => op.messages.iter_mut().for_each(|message| {
            message.len = message.len.max(4);
            message.checksum_0 = true;
        }),
        _ => {}
    }
}

impl ProducerPlan {
    /// The name of its node.
    pub fn name(&self) -> String {
        format!("producer-{}", self.number)
    }
}

impl MessagePlan {
    /// The message, with an identity.
    pub(crate) fn message(&self, topic: &str, id: Identity) -> Message {
        let body = body::of(self.len, self.fill);
        let body = if self.checksum_0 { body::with_checksum_0(body) } else { body };
        let mut message = id.stamp(Message::new(topic, body));
        message.flag = self.flag;
        if self.hasty {
            message = message.with_property(property::WAIT, "false");
        }
        message = self.tag.iter().fold(message, |message, tag| message.with_tags(tag));
        self.keys.iter().fold(message, |message, keys| message.with_keys(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knobs() -> Knobs {
        Knobs {
            first: 3,
            producers: Span { low: 2, high: 4 },
            messages: Span { low: 40, high: 60 },
            body: Span { low: 1, high: 3_000 },
            topics: vec!["A".to_owned(), "B".to_owned()],
            lasts_ms: 60_000,
            odd: false,
        }
    }

    #[test]
    fn one_stream_gives_one_plan_and_it_survives_being_written_down() {
        let knobs = Knobs { odd: true, ..knobs() };
        let drawn = plan(&Rng::from_seed([1; 32]), &knobs);
        assert_eq!(drawn, plan(&Rng::from_seed([1; 32]), &knobs));
        assert_ne!(drawn, plan(&Rng::from_seed([2; 32]), &knobs));
        let text = toml::to_string(&drawn).expect("a plan is plain data");
        assert_eq!(toml::from_str::<Plan>(&text).expect("its own text"), drawn);
    }

    #[test]
    fn no_identity_is_planned_twice_and_every_body_has_a_size_that_was_asked_for() {
        for seed in 0..20 {
            let odd = seed % 2 == 1;
            let drawn = plan(&Rng::from_seed([seed; 32]), &Knobs { odd, ..knobs() });
            for producer in &drawn.producers {
                let mut expected = 0;
                for op in &producer.ops {
                    assert_eq!(op.first, expected);
                    expected += op.messages.len() as u32;
                    let many = matches!(op.kind, OpKind::Batch | OpKind::Fit(_));
                    assert_eq!(op.messages.len() > 1, many);
                    assert!(op.messages.iter().all(|at| (1..=3_000).contains(&at.len)));
                }
                assert!((40..=66).contains(&expected), "{expected}");
            }
        }
    }
}
