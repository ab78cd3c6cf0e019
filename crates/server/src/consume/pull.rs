//! Reads every queue by pulls; keeps no progress.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hotfire_client::{ClientError, PullConsumer, PullOptions, PullStatus};
use message::{MessageQueue, QueueOffset};
use runtime::Clock;

use super::sink::Sink;
use crate::cli::ConsumeArgs;
use crate::failure::Failure;
use crate::position::Position;
use crate::tool::Tool;

/// The group that pulls name; its offsets are neither read nor written.
const GROUP: &str = "hotfire-consume";
/// Messages asked for in one pull.
const PULL_COUNT_MAX: u32 = 32;
/// How long a broker holds a pull that finds nothing.
const HOLD: Duration = Duration::from_secs(15);
/// The pause after a failure, and between two looks for new queues.
const PAUSE: Duration = Duration::from_secs(2);

/// Reads all queues; returns only when it cannot begin.
pub(crate) async fn run(tool: &Tool, args: &ConsumeArgs, sink: Arc<Sink>) -> Failure {
    let topic = &args.cluster.topic;
    let failed = |error: ClientError| tool.failed(format!("cannot read {topic}"), &error);
    let consumer = match PullConsumer::new(&tool.client, GROUP) {
        Ok(consumer) => consumer,
        Err(error) => return failed(error),
    };
    let mut readers = BTreeSet::new();
    // Queues that appear later are read from their beginning: nothing in them is old.
    let mut from = args.from;
    loop {
        match consumer.queues(topic).await {
            Err(error) if readers.is_empty() => return failed(error),
            Err(error) => tracing::warn!(%error, "cannot look for new queues"),
            Ok(queues) => {
                for queue in queues {
                    if readers.contains(&queue) {
                        continue;
                    }
                    let start = match position(&consumer, &queue, from).await {
                        Ok(start) => start,
                        Err(error) if readers.is_empty() => return failed(error),
                        Err(_) => continue,
                    };
                    readers.insert(queue.clone());
                    let reader = Reader {
                        consumer: consumer.clone(),
                        clock: tool.runtime.clock.clone(),
                        queue,
                        tags: args.tag.clone(),
                        sink: sink.clone(),
                    };
                    tool.runtime.tasks.detach("consume-queue", async move {
                        reader.read(start).await;
                    });
                }
                from = Position::First;
            }
        }
        tool.runtime.clock.sleep(PAUSE).await;
    }
}

/// The offset in a queue that a position means.
pub(crate) async fn position(
    consumer: &PullConsumer,
    queue: &MessageQueue,
    position: Position,
) -> Result<QueueOffset, ClientError> {
    match position {
        Position::First => consumer.min_offset(queue).await,
        Position::Last => consumer.max_offset(queue).await,
        Position::Time(ms) => consumer.search_offset(queue, ms).await,
    }
}

/// Reads one queue.
struct Reader {
    consumer: PullConsumer,
    clock: Clock,
    queue: MessageQueue,
    tags: String,
    sink: Arc<Sink>,
}

impl Reader {
    async fn read(self, mut next: QueueOffset) {
        let name = format!("{}:{}", self.queue.broker_name, self.queue.queue_id);
        let options = PullOptions { tags: self.tags, hold: HOLD, ..PullOptions::default() };
        loop {
            match self.consumer.pull(&self.queue, next, PULL_COUNT_MAX, &options).await {
                // The client is shut down before the readers are.
                Err(_) if self.sink.is_ended() => return,
                Err(error) => {
                    tracing::warn!(queue = %name, %error, "a pull failed; trying again");
                    self.clock.sleep(PAUSE).await;
                }
                Ok(pulled) => {
                    if !pulled.messages.iter().all(|message| self.sink.write(&name, message)) {
                        return;
                    }
                    if pulled.status == PullStatus::OffsetMoved {
                        let to = pulled.next_begin.0;
                        tracing::warn!(queue = %name, from = next.0, to, "messages are gone");
                    }
                    next = pulled.next_begin;
                }
            }
        }
    }
}
