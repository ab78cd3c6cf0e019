//! Consumes as a member of a group.

use std::sync::Arc;
use std::time::Duration;

use hotfire_client::{
    ConsumeFrom, ConsumeStatus, Delivery, MessageListener, PushConfig, PushConsumer, Subscription,
};
use runtime::Boxed;

use super::sink::Sink;
use crate::cli::ConsumeArgs;
use crate::failure::Failure;
use crate::position::Position;
use crate::tool::Tool;

/// Messages of one call, when there is no count that a call could pass.
const BATCH_MAX: usize = 32;

/// Writes what the group is dealt until the sink takes no more.
pub(crate) async fn run(
    tool: &Tool,
    args: &ConsumeArgs,
    group: &str,
    sink: Arc<Sink>,
) -> Result<(), Failure> {
    let config = PushConfig {
        from: match args.from {
            Position::First => ConsumeFrom::First,
            Position::Last => ConsumeFrom::Last,
            Position::Time(ms) => ConsumeFrom::Timestamp(ms),
        },
        // One call at a time keeps a queue's order on the output. With a count, one message each:
        // a call is confirmed whole, and what was not written must not be.
        concurrency_max: 1,
        batch_max: if args.max.is_some() { 1 } else { BATCH_MAX },
        shutdown_drain: Duration::from_millis(200),
        ..PushConfig::new(group)
    };
    let subscription = Subscription::new(args.cluster.topic.clone(), args.tag.clone());
    let listener = Arc::new(Listener(sink.clone()));
    let consumer = PushConsumer::start(&tool.client, config, vec![subscription], listener)
        .map_err(|error| tool.failed("cannot consume", &error))?;
    sink.ended().await;
    consumer.shutdown().await;
    Ok(())
}

struct Listener(Arc<Sink>);

impl MessageListener for Listener {
    fn consume<'a>(&'a self, delivery: &'a Delivery) -> Boxed<'a, ConsumeStatus> {
        Box::pin(async move {
            let queue = format!("{}:{}", delivery.queue.broker_name, delivery.queue.queue_id);
            if delivery.messages.iter().all(|message| self.0.write(&queue, message)) {
                return ConsumeStatus::Success;
            }
            // Not written, so neither done nor failed: the group's next member gets it, at once.
            std::future::pending().await
        })
    }
}
