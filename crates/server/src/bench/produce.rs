//! Measures sends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotfire_client::pipeline::{Outgoing, PipelineError, SendPipeline, SendPipelineConfig};
use hotfire_client::route::Route;
use hotfire_client::{Producer, ProducerConfig};
use message::{Message, Properties, batch, property};
use protocol::{ResponseCode, SerializeType};
use runtime::{Clock, Monotonic, Runtime};
use serde_json::json;
use tokio::sync::oneshot;

use super::progress::Progress;
use super::report::Report;
use super::tally::Tally;
use crate::cli::{BenchProduceArgs, Headers};
use crate::failure::Failure;
use crate::tool::Tool;

/// The group that the sends name.
const GROUP: &str = "hotfire-bench";
/// Queues of a topic that the measurement creates: a broker's own default.
const QUEUES_MAX: u32 = 8;
/// How long it runs when nobody says.
const DURATION_DEFAULT: Duration = Duration::from_secs(10);
/// A message sent so much later than it was due was late because of the timer, not of the broker.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// Sends until the count or the time is reached, and writes what it came to.
pub(crate) async fn run(args: BenchProduceArgs) -> Result<(), Failure> {
    let tool = Tool::start(args.bench.namesrv.clone())?;
    let topic = &args.bench.topic;
    create_topic(&tool, topic).await?;
    let route = tool
        .client
        .route_to_send(topic, QUEUES_MAX)
        .await
        .map_err(|error| tool.failed(format!("no route to {topic}"), &error))?;
    let lanes = connect(&tool, &args, &route).await?;
    let progress = Progress::start(&tool.runtime, args.bench.count);
    let begin = tool.runtime.clock.monotonic();
    let tally = drive(&tool.runtime, &args, lanes, progress.counter()).await;
    let elapsed = tool.runtime.clock.monotonic().since(begin);
    progress.finish().await;
    tool.client.shutdown().await;
    let mut setting = vec![
        ("benchmark", json!("produce")),
        ("topic", json!(topic)),
        ("connections", json!(args.bench.connections)),
        ("in flight", json!(args.in_flight)),
        ("body bytes", json!(args.size)),
        ("batch", json!(args.batch)),
    ];
    setting.extend(args.rate.map(|rate| ("rate", json!(rate))));
    Report { setting, elapsed, tally }.write(args.bench.json)
}

/// Sends one message the careful way: it creates the topic, and its failure is well explained.
async fn create_topic(tool: &Tool, topic: &str) -> Result<(), Failure> {
    let config =
        ProducerConfig { default_topic_queue_nums: QUEUES_MAX, ..ProducerConfig::default() };
    let producer = Producer::start(&tool.client, GROUP, config)
        .map_err(|error| Failure::from_error("cannot produce", &error))?;
    let sent = producer.send(Message::new(topic, "the first message of a benchmark")).await;
    producer.shutdown().await;
    sent.map(|_| ()).map_err(|error| tool.failed(format!("nothing can be sent to {topic}"), &error))
}

/// One connection and the queues it sends to, in turn.
struct Lane {
    pipeline: SendPipeline,
    queues: Vec<u32>,
}

async fn connect(
    tool: &Tool,
    args: &BenchProduceArgs,
    route: &Route,
) -> Result<Vec<Lane>, Failure> {
    let brokers: Vec<&String> = route.brokers.keys().collect();
    let mut lanes = Vec::new();
    for number in 0..args.bench.connections as usize {
        let broker_name = brokers[number % brokers.len()];
        let Some(address) = route.master(broker_name) else { continue };
        let mine = route.publish.iter().filter(|queue| queue.broker_name == *broker_name);
        let mut queues: Vec<u32> = mine.map(|queue| queue.queue_id).collect();
        if queues.is_empty() {
            continue;
        }
        // Connections that start together do not all begin with the same queue.
        let first = number / brokers.len() % queues.len();
        queues.rotate_left(first);
        let config = SendPipelineConfig {
            group: GROUP.to_owned(),
            topic: args.bench.topic.clone(),
            broker_name: broker_name.clone(),
            default_topic_queue_nums: QUEUES_MAX,
            serialize_type: match args.headers {
                Headers::Json => SerializeType::Json,
                Headers::Binary => SerializeType::RocketMq,
            },
            in_flight_max: args.in_flight as usize,
        };
        let (net, clock) = (&tool.runtime.net, &tool.runtime.clock);
        let pipeline = SendPipeline::connect(net, clock, address, config)
            .await
            .map_err(|error| tool.failed(format!("no connection to {address}"), &error))?;
        lanes.push(Lane { pipeline, queues });
    }
    match lanes.is_empty() {
        true => Err(Failure::new("no broker has a queue of the topic that can be sent to")),
        false => Ok(lanes),
    }
}

/// Runs all connections to their end.
async fn drive(
    runtime: &Runtime,
    args: &BenchProduceArgs,
    lanes: Vec<Lane>,
    done: Arc<AtomicU64>,
) -> Tally {
    let connections = lanes.len() as u64;
    let begin = runtime.clock.monotonic();
    let duration = args.bench.duration.or(args.bench.count.is_none().then_some(DURATION_DEFAULT));
    let mut results = Vec::new();
    for (number, lane) in lanes.into_iter().enumerate() {
        let sender = Sender {
            clock: runtime.clock.clone(),
            end: duration.map(|duration| begin + duration),
            requests_max: args.bench.count.map_or(u64::MAX, |count| {
                share(count.div_ceil(u64::from(args.batch)), connections, number as u64)
            }),
            pace: args.rate.map(|rate| {
                let period = f64::from(args.batch) * connections as f64 / rate as f64;
                Pace { begin, period: Duration::from_secs_f64(period) }
            }),
            load: Load::new(args),
            done: done.clone(),
            tally: Tally::new(),
        };
        let (to, result) = oneshot::channel();
        runtime.tasks.detach("bench-produce", async move {
            let _ = to.send(sender.run(lane).await);
        });
        results.push(result);
    }
    let mut sum = Tally::new();
    for result in results {
        match result.await {
            Ok(tally) => sum.add(tally),
            Err(_) => sum.broken.push("its task panicked".to_owned()),
        }
    }
    sum
}

/// The part of `count` that number `number` of `parts` has, so that all parts sum up to it.
fn share(count: u64, parts: u64, number: u64) -> u64 {
    count / parts + u64::from(number < count % parts)
}

/// What every request carries.
struct Load {
    properties: String,
    body: Vec<u8>,
    /// Messages in it.
    messages: u64,
    /// Bytes of their bodies.
    bytes: u64,
}

impl Load {
    fn new(args: &BenchProduceArgs) -> Self {
        let size = args.size as usize;
        let body: Vec<u8> = (b'!'..=b'~').cycle().take(size).collect();
        let mut properties = Properties::new();
        // As a client's message has them; the id is the same in all, nobody here looks for it.
        properties.set(property::UNIQ_KEY, "0".repeat(32));
        properties.set(property::WAIT, "true");
        let body = match args.batch {
            1 => body,
            count => {
                let message = Message { properties: properties.clone(), ..Message::new("", body) };
                batch::encode(&vec![message; count as usize]).to_vec()
            }
        };
        let messages = u64::from(args.batch);
        let properties = if args.batch == 1 { properties.encode() } else { String::new() };
        Self { properties, body, messages, bytes: messages * size as u64 }
    }
}

/// When requests are due, where a rate is asked for.
#[derive(Clone, Copy)]
struct Pace {
    begin: Monotonic,
    /// The time between two requests of one connection.
    period: Duration,
}

impl Pace {
    fn due(self, number: u64) -> Monotonic {
        self.begin + self.period.mul_f64(number as f64)
    }
}

/// One connection's task.
struct Sender {
    clock: Clock,
    end: Option<Monotonic>,
    requests_max: u64,
    pace: Option<Pace>,
    load: Load,
    done: Arc<AtomicU64>,
    tally: Tally,
}

impl Sender {
    async fn run(mut self, mut lane: Lane) -> Tally {
        let mut requests = 0;
        loop {
            if let Err(error) = self.send_what_is_due(&mut lane, &mut requests).await {
                self.tally.broken.push(error.to_string());
                return self.tally;
            }
            let now = self.clock.monotonic();
            if requests >= self.requests_max || self.end.is_some_and(|end| now >= end) {
                return self.tally;
            }
            // Only a rate makes a pipeline run dry before its end.
            let due = self.pace.map_or(now, |pace| pace.due(requests));
            self.clock.sleep_until(self.end.map_or(due, |end| due.min(end))).await;
        }
    }

    async fn send_what_is_due(
        &mut self,
        lane: &mut Lane,
        requests: &mut u64,
    ) -> Result<(), PipelineError> {
        let Self { end, requests_max, pace, load, done, tally, .. } = self;
        let (load, end, pace, requests_max) = (&*load, *end, *pace, *requests_max);
        let due = |number: u64| pace.map(|pace| pace.due(number));
        let (queues, mut ended) = (&lane.queues, false);
        let next = |number: u64, now: Monotonic| {
            ended |= number >= requests_max || end.is_some_and(|end| now >= end);
            if ended || due(number).is_some_and(|due| now < due) {
                return None;
            }
            *requests = number + 1;
            let queue_id = queues[number as usize % queues.len()];
            let Load { properties, body, .. } = load;
            Some(Outgoing { queue_id, properties, body, batch: load.messages > 1 })
        };
        lane.pipeline
            .run(next, |reply| {
                tally.answered(since_due(reply.latency, reply.sent_at, due(reply.number)));
                match reply.code {
                    ResponseCode::SUCCESS => {
                        tally.messages += load.messages;
                        tally.bytes += load.bytes;
                        done.fetch_add(load.messages, Ordering::Relaxed);
                    }
                    code => tally.refuse(code.to_string(), load.messages),
                }
            })
            .await
    }
}

/// The latency of a request that was sent at `sent` and due at `due`: from when it was due, if it
/// had to wait for earlier ones.
fn since_due(latency: Duration, sent: Monotonic, due: Option<Monotonic>) -> Duration {
    let late = due.map_or(Duration::ZERO, |due| sent.since(due));
    if late > TIMER_SLACK { latency + late } else { latency }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_up_to_the_count() {
        for (count, parts) in [(10, 3), (2, 16), (1000, 16), (7, 7)] {
            let sum: u64 = (0..parts).map(|number| share(count, parts, number)).sum();
            assert_eq!(sum, count);
        }
    }

    #[test]
    fn a_request_that_had_to_wait_is_measured_from_when_it_was_due() {
        let at = |millis| Monotonic(Duration::from_millis(millis));
        let latency = Duration::from_millis(3);
        assert_eq!(since_due(latency, at(10), None), latency);
        assert_eq!(since_due(latency, at(10), Some(at(9))), latency);
        assert_eq!(since_due(latency, at(110), Some(at(10))), Duration::from_millis(103));
    }
}
