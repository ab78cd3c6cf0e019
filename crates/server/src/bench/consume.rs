//! Measures a catch-up read: every queue of a topic from its oldest message on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotfire_client::pipeline::{PullLane, PullPipeline, PullPipelineConfig};
use hotfire_client::route::{MASTER_ID, Route};
use hotfire_client::{ClientError, PullConsumer};
use message::QueueOffset;
use runtime::sync::{Either, race};
use runtime::{Clock, Monotonic};
use serde_json::json;
use tokio::sync::oneshot;

use super::progress::Progress;
use super::report::Report;
use super::tally::Tally;
use crate::cli::BenchConsumeArgs;
use crate::failure::Failure;
use crate::tool::Tool;

/// The group that the pulls name; its offsets are neither read nor written.
const GROUP: &str = "hotfire-bench";

/// Reads to the end of the topic, or until the count or the time is reached.
pub(crate) async fn run(args: BenchConsumeArgs) -> Result<(), Failure> {
    let tool = Tool::start(args.bench.namesrv.clone())?;
    let topic = &args.bench.topic;
    let failed = |error: ClientError| tool.failed(format!("cannot read {topic}"), &error);
    let route = tool.client.route_to_read(topic).await.map_err(failed)?;
    let mut lanes = lanes(&tool, &route).await.map_err(failed)?;
    if let Some(count) = args.bench.count {
        limit(&mut lanes, count);
    }
    let count: u64 = lanes.values().flatten().map(|lane| lane.end.0 - lane.next.0).sum();
    if count == 0 {
        return Err(Failure::new(format!("{topic} holds no message"))
            .remedy(format!("hotfire bench produce --topic {topic}")));
    }
    let readers = connect(&tool, &args, &route, lanes).await?;
    let connections = readers.len();
    let progress = Progress::start(&tool.runtime, Some(count));
    let begin = tool.runtime.clock.monotonic();
    let end = args.bench.duration.map(|duration| begin + duration);
    let tally = drive(&tool, readers, end, progress.counter()).await;
    let elapsed = tool.runtime.clock.monotonic().since(begin);
    progress.finish().await;
    tool.client.shutdown().await;
    let setting = vec![
        ("benchmark", json!("consume")),
        ("topic", json!(topic)),
        ("connections", json!(connections)),
        ("batch", json!(args.batch)),
    ];
    Report { setting, elapsed, tally }.write(args.bench.json)
}

/// The queues of each broker, from their oldest message to the newest of now.
async fn lanes(tool: &Tool, route: &Route) -> Result<BTreeMap<String, Vec<PullLane>>, ClientError> {
    let consumer = PullConsumer::new(&tool.client, GROUP)?;
    let mut lanes: BTreeMap<String, Vec<PullLane>> = BTreeMap::new();
    for queue in &route.subscribe {
        let next = consumer.min_offset(queue).await?;
        let end = consumer.max_offset(queue).await?.max(next);
        let lane = PullLane { queue_id: queue.queue_id, next, end };
        lanes.entry(queue.broker_name.clone()).or_default().push(lane);
    }
    Ok(lanes)
}

/// Brings the ends forward until only `count` messages are left, from every queue about as many.
fn limit(lanes: &mut BTreeMap<String, Vec<PullLane>>, count: u64) {
    let mut left = count;
    let mut to_come = lanes.values().map(Vec::len).sum::<usize>() as u64;
    // The shortest queues first: what they do not use is the others'.
    let mut all: Vec<&mut PullLane> = lanes.values_mut().flatten().collect();
    all.sort_by_key(|lane| lane.end.0 - lane.next.0);
    for lane in all {
        let mine = (lane.end.0 - lane.next.0).min(left.div_ceil(to_come));
        lane.end = QueueOffset(lane.next.0 + mine);
        left -= mine;
        to_come -= 1;
    }
}

/// One connection and the queues it reads.
struct Reader {
    pipeline: PullPipeline,
    lanes: Vec<PullLane>,
}

/// Connections to every broker; a queue is read by one of them, so there are at most as many.
async fn connect(
    tool: &Tool,
    args: &BenchConsumeArgs,
    route: &Route,
    lanes: BTreeMap<String, Vec<PullLane>>,
) -> Result<Vec<Reader>, Failure> {
    let per_broker = (args.bench.connections as usize).div_ceil(lanes.len().max(1));
    let mut readers = Vec::new();
    for (broker_name, lanes) in lanes {
        let Some(address) = route.reader(&broker_name, MASTER_ID) else { continue };
        let connections = per_broker.min(lanes.len());
        for number in 0..connections {
            let config = PullPipelineConfig {
                group: GROUP.to_owned(),
                topic: args.bench.topic.clone(),
                broker_name: broker_name.clone(),
                count_max: args.batch,
            };
            let (net, clock) = (&tool.runtime.net, &tool.runtime.clock);
            let pipeline = PullPipeline::connect(net, clock, address, config)
                .await
                .map_err(|error| tool.failed(format!("no connection to {address}"), &error))?;
            let lanes = lanes.iter().copied().skip(number).step_by(connections).collect();
            readers.push(Reader { pipeline, lanes });
        }
    }
    Ok(readers)
}

/// Runs all connections to their end.
async fn drive(
    tool: &Tool,
    readers: Vec<Reader>,
    end: Option<Monotonic>,
    done: Arc<AtomicU64>,
) -> Tally {
    let mut results = Vec::new();
    for reader in readers {
        let (to, result) = oneshot::channel();
        let (clock, done) = (tool.runtime.clock.clone(), done.clone());
        tool.runtime.tasks.detach("bench-consume", async move {
            let _ = to.send(read(reader, clock, end, done).await);
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

async fn read(reader: Reader, clock: Clock, end: Option<Monotonic>, done: Arc<AtomicU64>) -> Tally {
    let Reader { mut pipeline, lanes } = reader;
    let mut tally = Tally::new();
    let reading = pipeline.run(lanes, |page| {
        let count = page.count();
        tally.messages += count;
        tally.bytes += page.records.len() as u64;
        tally.answered(page.latency);
        done.fetch_add(count, Ordering::Relaxed);
    });
    let until = async {
        match end {
            Some(end) => clock.sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    let result = race(reading, until).await;
    match result {
        Either::Right(()) => {}
        Either::Left(Err(error)) => tally.broken.push(error.to_string()),
        Either::Left(Ok(lanes)) => {
            let missed: u64 = lanes.iter().map(|lane| lane.end.0.saturating_sub(lane.next.0)).sum();
            if missed > 0 {
                tally.refuse("no answer with messages".to_owned(), missed);
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(len: u64) -> PullLane {
        PullLane { queue_id: 0, next: QueueOffset(5), end: QueueOffset(5 + len) }
    }

    #[test]
    fn a_count_is_taken_from_all_queues_and_never_passed() {
        for (lens, count, expected) in [
            (vec![10, 10], 10, 10),
            (vec![1, 100, 100], 50, 50),
            (vec![3, 3], 100, 6),
            (vec![0, 7], 3, 3),
        ] {
            let mut lanes = BTreeMap::from([(
                "b".to_owned(),
                lens.iter().map(|len| lane(*len)).collect::<Vec<_>>(),
            )]);
            limit(&mut lanes, count);
            let left: u64 = lanes["b"].iter().map(|lane| lane.end.0 - lane.next.0).sum();
            assert_eq!(left, expected, "{lens:?} limited to {count}");
        }
    }
}
