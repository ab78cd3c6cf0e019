//! After the heal: does the cluster take messages again? A send to each topic at once, and one to
//! each queue when routes have had time to be known.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hotfire_client::{Client, ClientConfig, Producer, ProducerConfig, SendResult, SendStatus};
use invariants::history::What;
use invariants::identity::Identity;
use message::{Message, MessageQueue};
use runtime::sometimes;

use crate::attempts::Attempts;
use crate::settle::ROUTES_SETTLE;
use crate::stage::Stage;

/// The number in the identities of what the probe sends; no producer has it.
const PROBER: u32 = 900_000;
/// When it gives a place up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends to each topic, and later to each of its queues, until each send was `OK` or was given up;
/// notes how each ended.
pub async fn probe(stage: &Stage, topics: &[String]) {
    let instance_name = format!("prober.{}", stage.incarnation);
    let config = ClientConfig { instance_name, ..ClientConfig::new(stage.namesrv.clone()) };
    let client = Client::start(&stage.runtime, config);
    let config = ProducerConfig {
        send_timeout: Duration::from_secs(3),
        retries_max: 0,
        hook: Some(Arc::new(Attempts::new(stage.recorder.clone()))),
        ..ProducerConfig::default()
    };
    let producer = Producer::start(&client, "probers", config).expect("the name is valid");
    let prober = Prober { stage, producer: &producer, next: AtomicU32::new(0) };
    for topic in topics {
        prober.until_served(topic, None).await;
    }
    stage.runtime.clock.sleep(ROUTES_SETTLE).await;
    for topic in topics {
        for queue in producer.queues(topic).await.unwrap_or_default() {
            prober.until_served(topic, Some(&queue)).await;
        }
    }
    producer.shutdown().await;
    client.shutdown().await;
}

struct Prober<'a> {
    stage: &'a Stage,
    producer: &'a Producer,
    next: AtomicU32,
}

impl Prober<'_> {
    async fn until_served(&self, topic: &str, queue: Option<&MessageQueue>) {
        let (recorder, clock) = (&self.stage.recorder, &self.stage.runtime.clock);
        let started_ms = recorder.now_ms();
        let deadline = clock.monotonic() + GIVE_UP_AFTER;
        let served = loop {
            if self.send(topic, queue).await.is_some_and(|sent| sent.status == SendStatus::Ok) {
                break true;
            }
            if clock.monotonic() >= deadline {
                break false;
            }
            sometimes!("a probe was sent again");
            clock.sleep(PAUSE).await;
        };
        let about = queue.map_or_else(|| topic.to_owned(), ToString::to_string);
        recorder.record(What::Probed { about, started_ms, served });
    }

    async fn send(&self, topic: &str, queue: Option<&MessageQueue>) -> Option<SendResult> {
        let id = Identity::new(PROBER, self.next.fetch_add(1, Ordering::Relaxed), 0);
        let message = id.stamp(Message::new(topic, "probe"));
        match queue {
            Some(queue) => self.producer.send_to(queue, message).await.ok(),
            None => self.producer.send(message).await.ok(),
        }
    }
}
