//! Producers: whose turn it is, what is tried again, and what is known afterwards.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use hotfire_client::{
    Attempt, AttemptHook, AttemptOutcome, Producer, ProducerConfig, SendError, SendStatus, Stored,
};
use message::{Message, MessageQueue, property};
use protocol::ResponseCode;

use crate::fake_broker::Script;
use crate::stage::{Stage, TOPIC, message, queue};

#[test]
fn every_queue_gets_its_turn() {
    let stage = Stage::new(2, 1, 2);
    stage.play(async || {
        let producer = stage.producer();
        for number in 0..8 {
            let sent = producer.send(message(&number.to_string())).await.expect("sent");
            assert_eq!(sent.status, SendStatus::Ok);
            assert_eq!(sent.attempts.len(), 1);
        }
        let counts = [0, 1].map(|at| stage.brokers.each_count(at));
        assert_eq!(counts, [[2, 2], [2, 2]]);
    });
}

trait EachCount {
    fn each_count(&self, queue_id: u32) -> [usize; 2];
}

impl EachCount for Vec<Arc<crate::fake_broker::FakeBroker>> {
    fn each_count(&self, queue_id: u32) -> [usize; 2] {
        [self[0].count(queue_id), self[1].count(queue_id)]
    }
}

#[test]
fn a_refused_send_goes_to_the_other_broker_and_later_ones_keep_away() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        let refusal = Script::Refuse(ResponseCode::SERVICE_NOT_AVAILABLE);
        stage.brokers[0].state().script.extend([refusal; 9]);
        let producer = stage.producer();
        let mut refused = 0;
        for _ in 0..6 {
            let sent = producer.send(message("m")).await.expect("the other broker takes it");
            assert_eq!(sent.queue, queue("b", 0));
            refused += sent.attempts.len() - 1;
        }
        assert_eq!(refused, 1, "after its failure, broker a is kept away from");
        assert_eq!(stage.brokers[1].count(0), 6);
    });
}

#[test]
fn a_refusal_that_no_other_broker_would_change_is_final() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        for broker in &stage.brokers {
            broker.state().script.push_back(Script::Refuse(ResponseCode::MESSAGE_ILLEGAL));
        }
        match stage.producer().send(message("m")).await {
            Err(SendError::Rejected { code, remark, attempts }) => {
                assert_eq!((code, remark.as_str()), (ResponseCode::MESSAGE_ILLEGAL, "as scripted"));
                assert_eq!(attempts.len(), 1);
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn one_lost_attempt_makes_the_whole_send_unknown_although_the_retry_was_refused() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        stage.brokers[0].state().script.push_back(Script::StoreSilently);
        stage.brokers[1].state().script.push_back(Script::StoreSilently);
        let producer = stage.producer();
        let killing = async {
            stage.pause(1).await;
            let first = stage.brokers.iter().position(|broker| broker.count(0) == 1);
            let first = first.expect("the first attempt was stored");
            let other = &stage.brokers[1 - first];
            other.state().script = [Script::Refuse(ResponseCode::MESSAGE_ILLEGAL)].into();
            stage.world.kill(&stage.world.node(&stage.brokers[first].name));
        };
        let (sent, ()) = tokio::join!(producer.send(message("m")), killing);
        match sent {
            Err(SendError::Unknown { attempts, .. }) => {
                assert!(matches!(attempts[0].outcome, AttemptOutcome::Unknown { .. }));
                assert!(matches!(attempts[1].outcome, AttemptOutcome::Answered { .. }));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn all_attempts_of_a_send_share_one_deadline() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        for broker in &stage.brokers {
            broker.state().script.extend([Script::Ignore; 5]);
        }
        let producer = stage.producer();
        let started = stage.world.elapsed();
        let failed = producer.send(message("m")).await.expect_err("nobody answers");
        assert!(matches!(failed, SendError::Unknown { .. }), "{failed}");
        let took = stage.world.elapsed() - started;
        assert!((3.0..3.5).contains(&took.as_secs_f64()), "{took:?}");
    });
}

#[test]
fn a_dead_broker_costs_one_attempt_that_was_certainly_not_sent() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        stage.world.kill(&stage.world.node("a"));
        let producer = stage.producer();
        let mut attempts = Vec::new();
        for _ in 0..2 {
            attempts.extend(producer.send(message("m")).await.expect("b is alive").attempts);
        }
        let not_sent = |attempt: &&Attempt| {
            matches!(attempt.outcome, AttemptOutcome::NotSent { .. })
                && attempt.queue.broker_name == "a"
        };
        assert_eq!(attempts.iter().filter(not_sent).count(), 1, "{attempts:?}");
        assert_eq!(stage.brokers[1].count(0), 2);
    });
}

#[test]
fn a_topic_that_does_not_exist_is_sent_to_where_the_template_is() {
    let stage = Stage::new(1, 1, 8);
    stage.play(async || {
        stage.namesrvs[0].knows_topic.store(false, Ordering::Relaxed);
        let producer = stage.producer();
        assert_eq!(producer.queues(TOPIC).await.expect("a guess").len(), 4);
        producer.send(message("m")).await.expect("sent");
        let sends = stage.brokers[0].state().sends.clone();
        assert_eq!((sends[0].topic.as_str(), sends[0].default_topic.as_str()), (TOPIC, "TBW102"));
        assert_eq!(sends[0].default_topic_queue_nums, 4);
        let unknown = producer.send(Message::new("TBW102", "m")).await;
        assert!(unknown.is_ok(), "the template itself is a topic");
    });
}

#[test]
fn the_next_name_server_is_asked_when_one_does_not_answer() {
    let stage = Stage::new(1, 3, 1);
    stage.play(async || {
        for dead in ["namesrv-0", "namesrv-2"] {
            stage.world.kill(&stage.world.node(dead));
        }
        stage.producer().send(message("m")).await.expect("one of three is enough");
        assert!(stage.namesrvs[1].asked.load(Ordering::Relaxed) > 0);
    });
}

#[test]
fn a_send_needs_no_name_server_once_the_route_is_known() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let producer = stage.producer();
        producer.send(message("m")).await.expect("sent");
        stage.world.kill(&stage.world.node("namesrv-0"));
        stage.pause(200).await;
        producer.send(message("m")).await.expect("sent without a name server");
    });
}

#[test]
fn a_batch_gets_consecutive_offsets_and_keeps_its_properties() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let producer = stage.producer();
        producer.send(message("before")).await.expect("sent");
        let batch = vec![message("x").with_tags("A"), message("y").with_tags("B")];
        let sent = producer.send_batch(batch).await.expect("sent");
        assert_eq!(sent.queue_offset.0, 1);
        assert_eq!(sent.message_id.split(',').count(), 2);
        assert_eq!(sent.offset_message_id.split(',').count(), 2);
        let log = stage.brokers[0].state().log[&0].concat();
        let stored = message::record::decode_all(log.into()).expect("records");
        let of = |at: usize| (&stored[at].message.body[..], stored[at].message.tags());
        assert_eq!([of(1), of(2)], [(&b"x"[..], Some("A")), (&b"y"[..], Some("B"))]);
        let unique = |at: usize| stored[at].message.unique_key().expect("an id").to_owned();
        assert_ne!(unique(1), unique(2));
        assert_eq!(stored[0].message.properties.get(property::WAIT), Some("true"));
    });
}

#[test]
fn what_no_broker_takes_is_refused_before_it_is_sent() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let producer = stage.producer();
        let delayed = message("d").with_delay_level(1);
        let elsewhere = Message::new("Other", "m");
        let too_large = Message::new(TOPIC, vec![0; 4 * 1024 * 1024 + 1]);
        for result in [
            producer.send(message("")).await,
            producer.send(Message::new("not a topic!", "m")).await,
            producer.send(too_large).await,
            producer.send_batch(Vec::new()).await,
            producer.send_batch(vec![message("m"), delayed]).await,
            producer.send_batch(vec![message("m"), elsewhere]).await,
        ] {
            assert!(matches!(result, Err(SendError::Message { .. })), "{result:?}");
        }
        assert!(stage.brokers[0].state().sends.is_empty());
    });
}

#[test]
fn a_oneway_send_arrives_and_a_dead_broker_is_told_apart() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let producer = stage.producer();
        assert_eq!(producer.send_oneway(message("m")).await.expect("left"), queue("a", 0));
        stage.pause(1).await;
        assert_eq!(stage.brokers[0].count(0), 1);
        stage.world.kill(&stage.world.node("a"));
        stage.pause(1).await;
        let failed = producer.send_oneway(message("m")).await.expect_err("nobody listens");
        assert!(matches!(failed, SendError::Rejected { .. }), "{failed}");
    });
}

#[derive(Default)]
struct Marks(Mutex<Vec<(Attempt, Option<Stored>)>>);

impl AttemptHook for Marks {
    fn starting(&self, number: u32, _: &MessageQueue, messages: &mut [Message]) {
        for message in messages {
            message.properties.set("attempt", (number + 1).to_string());
        }
    }

    fn ended(&self, attempt: &Attempt, stored: Option<&Stored>, _: &[Message]) {
        self.0.lock().expect("no panic").push((attempt.clone(), stored.cloned()));
    }
}

#[test]
fn each_attempt_can_be_marked_and_is_reported_with_what_is_known() {
    let stage = Stage::new(2, 1, 1);
    stage.play(async || {
        let hook = Arc::new(Marks::default());
        let config = ProducerConfig { hook: Some(hook.clone()), ..ProducerConfig::default() };
        for broker in &stage.brokers {
            broker.state().script.push_back(Script::Refuse(ResponseCode::SYSTEM_BUSY));
        }
        let producer = Producer::start(&stage.client("p"), "makers", config).expect("started");
        let sent = producer.send(message("m")).await.expect("the third attempt is taken");
        let seen = hook.0.lock().expect("no panic").clone();
        assert_eq!(seen.iter().map(|(at, _)| at.clone()).collect::<Vec<_>>(), sent.attempts);
        assert_eq!(
            seen.iter().map(|(_, at)| at.is_some()).collect::<Vec<_>>(),
            [false, false, true]
        );
        let broker = stage.brokers.iter().find(|at| at.name == sent.queue.broker_name);
        let properties = broker.expect("it has a name").state().sends[1].properties.clone();
        assert!(properties.contains("attempt\u{1}3"), "{properties:?}");
    });
}
