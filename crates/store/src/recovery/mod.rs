//! Recovery: the checklist from a directory to a store that stands. Idempotent: killed at any
//! write, the next run starts over and comes to the same log.
//!
//! *Invariant:* nothing that the checkpoint vouches for is changed. What lies behind it is read
//! record by record, and the first that is not whole ends the log.

mod log;
mod queues;

use std::io;
use std::sync::Arc;

use runtime::{Clock, Disk};

use crate::checkpoint::Checkpoint;
use crate::commit_log::CommitLog;
use crate::config::StoreConfig;
use crate::consume_queue::Queues;
use crate::dispatch::{DispatchError, Dispatcher, Snapshot};
use crate::error::OpenError;
use crate::layout::Layout;

/// What recovery needs.
pub(crate) struct Ground {
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    pub(crate) layout: Layout,
    pub(crate) config: Arc<StoreConfig>,
}

/// What recovery gives: a log, its queues, and a dispatcher that has caught up with them.
pub(crate) struct Recovered {
    pub(crate) log: Arc<CommitLog>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) dispatcher: Dispatcher,
}

/// Brings the store at the root to a state that can be served. The lock is held already.
///
/// The steps, and what each is for:
/// 1. Was the last end unclean? Only then can pages be in doubt that the kernel calls clean.
/// 2. The checkpoint: what is durable, log and queues alike.
/// 3. The log: walk from there, find its end, cut off and zero what is behind, sync the rest.
/// 4. The queues: cut them back to the checkpoint.
/// 5. Dispatch again from there, so that queues hold exactly what the log holds.
/// 6. The next place of every queue: behind everything that the log or the queue holds.
/// 7. The abort file, durable before the first append.
pub(crate) async fn recover(ground: &Ground) -> Result<Recovered, OpenError> {
    let Ground { disk, clock, layout, config } = ground;
    let unclean = exists(disk, &layout.abort()).await?;
    let checkpoint = read_checkpoint(disk, layout).await?;
    let durable_to = checkpoint.map_or(0, |checkpoint| checkpoint.durable_to);
    let found = log::Doubt { durable_to, unclean };
    let opened = log::recover(disk, &layout.commit_log(), config, found).await?;
    let (first, end) = (opened.segments.first().map_or(0, |first| first.base), opened.end);
    let vouched = durable_to.max(first);

    let queues = queues::open(disk, layout).await?;
    let whole = queues::cut(disk, &queues, &opened.segments, vouched).await?;
    let queue_entries = queues.all().iter().map(|queue| queue.end()).sum();
    let whole = whole && checkpoint.is_some_and(|vouched| vouched.queue_entries == queue_entries);
    let from = if whole { vouched } else { first };
    tracing::info!(unclean, vouched, from, end, "the log is recovered; dispatching from there");

    let log = Arc::new(CommitLog::new(disk.clone(), clock.clone(), config.clone(), opened));
    let queues = Arc::new(queues);
    let store_timestamp = checkpoint.map_or(0, |vouched| vouched.store_timestamp);
    let at = Snapshot { position: from, queue_entries, store_timestamp };
    let entries = config.queue_segment_entries;
    let mut dispatcher = Dispatcher::new(log.clone(), queues.clone(), disk.clone(), entries, at);
    dispatcher.catch_up().await.map_err(|error| match error {
        DispatchError::Disk(source) => OpenError::disk("dispatch what the log holds", source),
        DispatchError::Damaged { offset, cause } => OpenError::damaged(offset, end, cause),
    })?;
    for queue in queues.all() {
        queue.assign_from(queue.end());
    }

    raise_abort(disk, layout).await.map_err(|error| OpenError::disk(&layout.abort(), error))?;
    Ok(Recovered { log, queues, dispatcher })
}

async fn exists(disk: &Disk, path: &str) -> Result<bool, OpenError> {
    match disk.read(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::disk(path, error)),
    }
}

async fn read_checkpoint(disk: &Disk, layout: &Layout) -> Result<Option<Checkpoint>, OpenError> {
    let path = layout.checkpoint();
    match disk.read(&path).await {
        Ok(page) => Ok(Checkpoint::decode(&page)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::disk(&path, error)),
    }
}

async fn raise_abort(disk: &Disk, layout: &Layout) -> io::Result<()> {
    let path = layout.abort();
    disk.write(&path, &[]).await?;
    disk.sync_file(&path).await?;
    disk.sync_dir(layout.root()).await
}
