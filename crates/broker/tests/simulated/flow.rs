//! Whole flows with our own client: produce, consume, rebalance, and a broker that dies between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hotfire_client::{
    Client, ClientConfig, ConsumeFrom, ConsumeStatus, Delivery, MessageListener, Producer,
    ProducerConfig, PushConfig, PushConsumer, SendStatus, Subscription,
};
use message::Message;
use runtime::Boxed;
use sim::Node;
use store::FlushMode;

use crate::scene::{SECOND, Scene, TOPIC, config, run};

/// How often each body was consumed.
#[derive(Clone, Default)]
struct Consumed(Arc<Mutex<BTreeMap<String, u32>>>);

impl MessageListener for Consumed {
    fn consume<'a>(&'a self, delivery: &'a Delivery) -> Boxed<'a, ConsumeStatus> {
        let mut consumed = self.0.lock().expect("nobody panicked");
        for message in &delivery.messages {
            let body = String::from_utf8_lossy(&message.message.body).into_owned();
            *consumed.entry(body).or_default() += 1;
        }
        Box::pin(async { ConsumeStatus::Success })
    }
}

impl Consumed {
    fn count(&self) -> usize {
        self.0.lock().expect("nobody panicked").len()
    }

    fn most_often(&self) -> u32 {
        self.0.lock().expect("nobody panicked").values().copied().max().unwrap_or(0)
    }
}

fn client(scene: &Scene, node: &Node) -> Client {
    let runtime = scene.control.runtime(node);
    let config = ClientConfig::new(vec!["namesrv:9876".into()]);
    Client::start(&runtime, ClientConfig { host: node.ip(), ..config })
}

fn consumer(client: &Client, consumed: &Consumed) -> PushConsumer {
    let config = PushConfig { from: ConsumeFrom::First, ..PushConfig::new("CG") };
    let subscription = vec![Subscription::new(TOPIC, "TagA")];
    PushConsumer::start(client, config, subscription, Arc::new(consumed.clone()))
        .expect("the consumer starts")
}

async fn produce(producer: &Producer, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let tag = if number % 5 == 0 { "TagB" } else { "TagA" };
        let message = Message::new(TOPIC, number.to_string()).with_tags(tag);
        let sent = producer.send(message).await.expect("it is stored");
        assert_eq!(sent.status, SendStatus::Ok);
    }
}

#[test]
fn two_members_share_the_queues_and_consume_each_wanted_message_once() {
    run(61, config(FlushMode::Sync), async |scene| {
        let (one, two) = (scene.control.node("one"), scene.control.node("two"));
        let (first, second) = (client(&scene, &one), client(&scene, &two));
        let consumed = Consumed::default();
        let producer = Producer::start(&first, "PG", ProducerConfig::default()).expect("a group");
        produce(&producer, 0..10).await;
        let (left, right) = (consumer(&first, &consumed), consumer(&second, &consumed));
        scene.control.sleep(40 * SECOND).await;
        assert_eq!((left.owned().len(), right.owned().len()), (2, 2));
        produce(&producer, 10..200).await;
        scene.control.sleep(5 * SECOND).await;
        assert_eq!((consumed.count(), consumed.most_often()), (160, 1));
    });
}

#[test]
fn a_member_takes_over_when_the_other_dies_and_nothing_is_missed() {
    run(62, config(FlushMode::Sync), async |scene| {
        let (one, two) = (scene.control.node("one"), scene.control.node("two"));
        let (first, second) = (client(&scene, &one), client(&scene, &two));
        let consumed = Consumed::default();
        let producer = Producer::start(&first, "PG", ProducerConfig::default()).expect("a group");
        produce(&producer, 0..10).await;
        let _left = consumer(&first, &consumed);
        let _right = consumer(&second, &consumed);
        scene.control.sleep(40 * SECOND).await;
        scene.control.kill(&two);
        produce(&producer, 10..100).await;
        // Its connection closed, so the other was told at once: no need to wait for 120 s.
        scene.control.sleep(10 * SECOND).await;
        assert_eq!(consumed.count(), 80);
    });
}

#[test]
fn a_group_goes_on_where_it_was_after_the_broker_lost_its_power() {
    for seed in 0..5 {
        run(6_300 + seed, config(FlushMode::Sync), async |scene| {
            let node = scene.control.node("one");
            let client = client(&scene, &node);
            let consumed = Consumed::default();
            let producer =
                Producer::start(&client, "PG", ProducerConfig::default()).expect("a group");
            produce(&producer, 0..50).await;
            let _member = consumer(&client, &consumed);
            scene.control.sleep(30 * SECOND).await;
            assert_eq!(consumed.count(), 40);
            let _running = scene.power_cycle().await;
            scene.control.sleep(60 * SECOND).await;
            produce(&producer, 50..100).await;
            scene.control.sleep(40 * SECOND).await;
            assert_eq!(consumed.count(), 80);
            assert_eq!(consumed.most_often(), 1, "its commits were on the disk");
        });
    }
}
