//! Consumers: who gets which queue, what is delivered, how far is committed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotfire_client::{
    ConsumeFrom, ConsumeStatus, Delivery, MessageListener, PullConsumer, PullOptions, PullStatus,
    PushConfig, PushConsumer, Subscription,
};
use message::{MessageQueue, QueueOffset};
use runtime::Boxed;

use crate::stage::{Stage, TOPIC, message, queue};

/// Notes the bodies that it was handed and answers as it is told.
#[derive(Default)]
struct Notes {
    bodies: Mutex<Vec<String>>,
    /// Bodies to refuse, once for each time they stand here.
    refuse: Mutex<Vec<String>>,
    /// Bodies on which it hangs for ever.
    hang: Option<String>,
    /// Calls under way, and the most there were.
    running: Mutex<(usize, usize)>,
    /// How long a call takes.
    takes: Option<(runtime::Clock, Duration)>,
}

impl Notes {
    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("no panic").clone()
    }

    fn sorted(&self) -> Vec<String> {
        let mut bodies = self.bodies();
        bodies.sort();
        bodies
    }
}

impl MessageListener for Notes {
    fn consume<'a>(&'a self, delivery: &'a Delivery) -> Boxed<'a, ConsumeStatus> {
        Box::pin(async move {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let body = text(&delivery.messages[0].message.body);
            let all = delivery.messages.iter().map(|message| text(&message.message.body));
            self.bodies.lock().expect("no panic").extend(all);
            {
                let mut running = self.running.lock().expect("no panic");
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            if self.hang.as_ref() == Some(&body) {
                std::future::pending::<()>().await;
            }
            if let Some((clock, takes)) = &self.takes {
                clock.sleep(*takes).await;
            }
            self.running.lock().expect("no panic").0 -= 1;
            let mut refuse = self.refuse.lock().expect("no panic");
            match refuse.iter().position(|refused| *refused == body) {
                Some(at) => {
                    refuse.remove(at);
                    ConsumeStatus::Later
                }
                None => ConsumeStatus::Success,
            }
        })
    }
}

fn config() -> PushConfig {
    PushConfig { from: ConsumeFrom::First, ..PushConfig::new("eaters") }
}

fn start(stage: &Stage, instance: &str, config: PushConfig, notes: &Arc<Notes>) -> PushConsumer {
    let subscriptions = vec![Subscription::all(TOPIC)];
    PushConsumer::start(&stage.client(instance), config, subscriptions, notes.clone())
        .expect("the group's name is valid")
}

async fn send(stage: &Stage, bodies: &[&str]) {
    let producer = stage.producer();
    for body in bodies {
        producer.send(message(body)).await.expect("sent");
    }
}

#[test]
fn everything_is_delivered_once_and_committed_to_its_end() {
    let stage = Stage::new(2, 1, 2);
    stage.play(async || {
        send(&stage, &["0", "1", "2", "3"]).await;
        let notes = Arc::new(Notes::default());
        let consumer = start(&stage, "c", config(), &notes);
        stage.pause(3).await;
        send(&stage, &["4", "5", "6", "7"]).await;
        stage.pause(10).await;
        assert_eq!(notes.sorted(), ["0", "1", "2", "3", "4", "5", "6", "7"]);
        consumer.shutdown().await;
        for broker in &stage.brokers {
            let committed = broker.state().offsets.clone();
            let ends = [0, 1].map(|at| (("eaters".to_owned(), at), broker.count(at) as u64));
            assert_eq!(committed, ends.into());
        }
    });
}

#[test]
fn a_commit_that_the_broker_has_forgotten_is_made_again_although_nothing_new_comes() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["a", "b"]).await;
        let notes = Arc::new(Notes::default());
        let consumer = start(&stage, "c", config(), &notes);
        let key = ("eaters".to_owned(), 0);
        let at = || stage.brokers[0].state().offsets[&key];
        stage.pause(10).await;
        assert_eq!(at(), 2);
        stage.brokers[0].state().offsets.insert(key.clone(), 1);
        stage.pause(40).await;
        assert_eq!(at(), 2, "it said so again");
        let commits = stage.brokers[0].state().commits.len();
        assert!(commits <= 3, "{commits} commits in 50 s are not rare");
        stage.brokers[0].state().offsets.insert(key.clone(), 1);
        consumer.shutdown().await;
        assert_eq!(at(), 2, "and when it left");
        assert_eq!(notes.sorted(), ["a", "b"]);
    });
}

#[test]
fn an_idle_consumer_is_held_by_the_broker_and_does_not_spin() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let notes = Arc::new(Notes::default());
        let _consumer = start(&stage, "c", config(), &notes);
        stage.pause(150).await;
        let pulls = stage.brokers[0].state().pulls;
        assert!((9..=10).contains(&pulls), "one pull in 15 s, not {pulls} in 150");
    });
}

#[test]
fn a_message_that_failed_comes_again_and_holds_the_commit_until_it_succeeds() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["a", "b", "c"]).await;
        let notes = Arc::new(Notes::default());
        notes.refuse.lock().expect("no panic").extend(vec!["b".to_owned(); 4]);
        let _consumer = start(&stage, "c", config(), &notes);
        // The pauses are 1, 2, 4 and 8 s: it succeeds in the sixteenth second.
        stage.pause(10).await;
        assert_eq!(stage.brokers[0].state().commits, [(0, 1)], "b is the ceiling");
        stage.pause(30).await;
        let mut commits = stage.brokers[0].state().commits.clone();
        commits.dedup();
        assert_eq!(commits, [(0, 1), (0, 3)]);
        assert_eq!(notes.sorted(), ["a", "b", "b", "b", "b", "b", "c"]);
    });
}

#[test]
fn a_listener_that_never_ends_does_not_let_its_message_be_committed_at_shutdown() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["a", "hang", "c"]).await;
        let notes = Arc::new(Notes { hang: Some("hang".into()), ..Notes::default() });
        let consumer = start(&stage, "c", config(), &notes);
        stage.pause(3).await;
        consumer.shutdown().await;
        assert_eq!(stage.brokers[0].state().offsets[&("eaters".to_owned(), 0)], 1);
        let next = Arc::new(Notes::default());
        let _consumer = start(&stage, "d", config(), &next);
        stage.pause(3).await;
        assert_eq!(next.sorted(), ["c", "hang"], "at least once, by the next member");
    });
}

#[test]
fn members_share_the_queues_and_a_leaver_hands_its_own_over_at_once() {
    let stage = Stage::new(2, 1, 4);
    stage.play(async || {
        let notes: Vec<Arc<Notes>> = (0..3).map(|_| Arc::default()).collect();
        let mut members = Vec::new();
        for (number, notes) in notes.iter().enumerate() {
            members.push(start(&stage, &format!("c{number}"), config(), notes));
            stage.pause(5).await;
        }
        let owned = |members: &[PushConsumer]| -> Vec<usize> {
            members.iter().map(|member| member.owned().len()).collect()
        };
        assert_eq!(owned(&members), [3, 3, 2]);
        let all: BTreeSet<MessageQueue> =
            members.iter().flat_map(|member| member.owned()).collect();
        assert_eq!(all.len(), 8);
        members.remove(0).shutdown().await;
        stage.pause(5).await;
        assert_eq!(owned(&members), [4, 4]);
        let bodies: Vec<String> = (0..16).map(|number| format!("{number:02}")).collect();
        send(&stage, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
        stage.pause(5).await;
        let mut seen = [notes[1].bodies(), notes[2].bodies()].concat();
        seen.sort();
        assert_eq!(seen, bodies, "each once");
    });
}

#[test]
fn a_dead_member_is_replaced_and_what_it_had_not_committed_comes_again() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["a", "b"]).await;
        let (first, second) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
        let runtime = stage.world.runtime(&stage.world.node("doomed"));
        let namesrv = vec![format!("{}:9876", stage.world.node("namesrv-0").ip())];
        let client = hotfire_client::Client::start(
            &runtime,
            hotfire_client::ClientConfig {
                instance_name: "doomed".into(),
                ..hotfire_client::ClientConfig::new(namesrv)
            },
        );
        let all = vec![Subscription::all(TOPIC)];
        let _doomed = PushConsumer::start(&client, config(), all, first.clone()).expect("started");
        stage.pause(2).await;
        assert_eq!(first.sorted(), ["a", "b"]);
        stage.world.kill(&stage.world.node("doomed"));
        let _consumer = start(&stage, "z", config(), &second);
        stage.pause(5).await;
        assert_eq!(second.sorted(), ["a", "b"], "nothing was committed yet");
    });
}

#[test]
fn an_offset_that_is_not_in_the_queue_is_corrected_once_and_not_to_its_ends() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["0", "1", "2", "3"]).await;
        stage.brokers[0].state().min.insert(0, 2);
        stage.brokers[0].state().offsets.insert(("eaters".to_owned(), 0), 1);
        let notes = Arc::new(Notes::default());
        let _consumer = start(&stage, "c", config(), &notes);
        stage.pause(10).await;
        assert_eq!(notes.sorted(), ["2", "3"], "the oldest that is there is where it goes on");
        assert_eq!(stage.brokers[0].state().commits, [(0, 4)]);
    });
}

#[test]
fn the_commit_follows_a_log_that_lost_its_end() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["0", "1", "2"]).await;
        let notes = Arc::new(Notes::default());
        let _consumer = start(&stage, "c", config(), &notes);
        stage.pause(8).await;
        stage.brokers[0].state().log.entry(0).or_default().truncate(1);
        stage.pause(20).await;
        assert_eq!(stage.brokers[0].state().commits, [(0, 3), (0, 1)]);
        send(&stage, &["new"]).await;
        stage.pause(20).await;
        assert_eq!(notes.sorted(), ["0", "1", "2", "new"]);
    });
}

#[test]
fn a_member_that_leaves_does_not_take_back_what_another_has_committed() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["0", "1"]).await;
        let notes = Arc::new(Notes::default());
        let consumer = start(&stage, "c", config(), &notes);
        stage.pause(2).await;
        let committed = ("eaters".to_owned(), 0);
        stage.brokers[0].state().offsets.insert(committed.clone(), 9);
        consumer.shutdown().await;
        assert_eq!(stage.brokers[0].state().offsets[&committed], 9);
        assert_eq!(stage.brokers[0].state().commits, []);
    });
}

#[test]
fn where_a_new_group_begins_is_what_it_asked_for() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["old"]).await;
        let (last, first) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
        let from_last = PushConfig { from: ConsumeFrom::Last, ..PushConfig::new("late") };
        let _late = start(&stage, "l", from_last, &last);
        let _eaters = start(&stage, "f", config(), &first);
        stage.pause(3).await;
        send(&stage, &["new"]).await;
        stage.pause(3).await;
        assert_eq!(
            (last.sorted(), first.sorted()),
            (vec!["new".into()], { vec!["new".to_owned(), "old".to_owned()] })
        );
    });
}

#[test]
fn a_tag_that_only_shares_its_hash_is_not_delivered_and_is_passed_over() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let producer = stage.producer();
        for (body, tag) in [("wanted", "Aa"), ("other", "BB")] {
            producer.send(message(body).with_tags(tag)).await.expect("sent");
        }
        let notes = Arc::new(Notes::default());
        let wants = vec![Subscription::new(TOPIC, "Aa")];
        let client = stage.client("c");
        let _consumer =
            PushConsumer::start(&client, config(), wants, notes.clone()).expect("started");
        stage.pause(10).await;
        assert_eq!(notes.bodies(), ["wanted"]);
        assert_eq!(stage.brokers[0].state().commits, [(0, 2)]);
    });
}

#[test]
fn calls_of_the_listener_and_messages_in_flight_stay_within_their_bounds() {
    let stage = Stage::new(1, 1, 2);
    stage.play(async || {
        let bodies: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
        send(&stage, &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let clock = stage.world.runtime(&stage.world.node("clients")).clock;
        let takes = Some((clock, Duration::from_secs(1)));
        let notes = Arc::new(Notes { takes, ..Notes::default() });
        let bounded = PushConfig {
            concurrency_max: 3,
            batch_max: 2,
            pull_count_max: 4,
            in_flight_count_max: 5,
            ..config()
        };
        let consumer = start(&stage, "c", bounded, &notes);
        stage.pause(5).await;
        // At most 5 + 4 - 1 in flight in each queue: the pulls stopped there.
        let pulled = stage.brokers[0].state().pulls;
        assert!(pulled <= 12, "{pulled} pulls of 4 messages");
        stage.pause(25).await;
        assert_eq!(notes.sorted(), bodies);
        assert_eq!(notes.running.lock().expect("no panic").1, 3);
        consumer.shutdown().await;
    });
}

#[test]
fn a_broker_that_restarted_is_told_who_we_are() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        let notes = Arc::new(Notes::default());
        let _consumer = start(&stage, "c", config(), &notes);
        stage.pause(5).await;
        let before = stage.brokers[0].state().heartbeats;
        let one = stage.world.node("a");
        sim::fault::reset::between(&stage.world, &one, &stage.world.node("clients"));
        stage.pause(5).await;
        assert!(stage.brokers[0].state().heartbeats > before, "with the new connection");
        send(&stage, &["after"]).await;
        stage.pause(2).await;
        assert_eq!(notes.bodies(), ["after"]);
    });
}

#[test]
fn a_pull_consumer_reads_where_it_likes_and_keeps_its_groups_offset() {
    let stage = Stage::new(1, 1, 1);
    stage.play(async || {
        send(&stage, &["0", "1", "2"]).await;
        let reader = PullConsumer::new(&stage.client("r"), "readers").expect("valid");
        let at = queue("a", 0);
        assert_eq!(reader.queues(TOPIC).await.expect("a route"), std::slice::from_ref(&at));
        assert_eq!(reader.max_offset(&at).await.expect("an answer"), QueueOffset(3));
        let options = PullOptions::default();
        let pull = async |from: u64| {
            reader.pull(&at, QueueOffset(from), 2, &options).await.expect("an answer")
        };
        let found = pull(1).await;
        assert_eq!((found.status, found.next_begin.0), (PullStatus::Found, 3));
        let offsets: Vec<u64> = found.messages.iter().map(|at| at.queue_offset.0).collect();
        assert_eq!(offsets, [1, 2]);
        assert_eq!(pull(3).await.status, PullStatus::NoNewMessage);
        let moved = pull(9).await;
        assert_eq!((moved.status, moved.next_begin.0), (PullStatus::OffsetMoved, 3));
        assert_eq!(reader.committed(&at).await.expect("an answer"), None);
        reader.commit(&at, QueueOffset(2)).await.expect("an answer");
        assert_eq!(reader.committed(&at).await.expect("an answer"), Some(QueueOffset(2)));
    });
}
