//! Recovery: the checklist from a directory to a store that stands. Idempotent: killed at any
//! write, the next run starts over and comes to the same log.
//!
//! *Invariant:* nothing that the checkpoint vouches for is changed. What lies behind it is read
//! record by record, and the first that is not whole ends the log.

mod log;
mod progress;
mod queues;

use std::io;
use std::sync::Arc;

use message::record::View;
use runtime::{Clock, Disk};

use crate::checkpoint::{Checkpoint, IndexMark, Times};
use crate::commit_log::{CommitLog, takes_place};
use crate::config::StoreConfig;
use crate::consume_queue::{Moment, Queues};
use crate::dispatch::{Dispatcher, Snapshot};
use crate::error::OpenError;
use crate::index::{self, Index};
use crate::layout::Layout;
use crate::quarantine::Quarantine;
use crate::segment_set::SegmentSet;

use progress::Progress;

/// What recovery needs.
pub(crate) struct Ground {
    pub(crate) disk: Disk,
    pub(crate) clock: Clock,
    pub(crate) layout: Layout,
    pub(crate) config: Arc<StoreConfig>,
}

/// What recovery gives: a log that ends where its records end, queues that know their next places,
/// and a dispatcher that still has to go from the checkpoint to that end.
pub(crate) struct Recovered {
    pub(crate) log: Arc<CommitLog>,
    pub(crate) queues: Arc<Queues>,
    pub(crate) index: Arc<Index>,
    pub(crate) dispatcher: Dispatcher,
    /// How far log and queues are vouched for: where dispatch goes on.
    pub(crate) vouched: u64,
}

/// Brings the store at the root to a state in which it takes messages. The lock is held already.
///
/// The steps, and what each is for:
/// 1. Was the last end unclean? Only then can pages be in doubt that the kernel calls clean.
/// 2. The checkpoint: what is durable, log and queues alike.
/// 3. The queues: after a clean end their ends stand in one file; else cut them back to the
///    checkpoint.
/// 4. The log: walk from there and find its end. Every record met is the last of its queue so far,
///    so that no place of a queue is ever given twice.
/// 5. Cut off and zero what is behind the end, sync the rest.
/// 6. The index: keep what can be trusted.
/// 7. The abort file, durable before the first append.
///
/// What was walked, and what the index lacks, is dispatched behind, by the task that dispatches
/// everything: until it has caught up, queues know that they hold more than they show.
pub(crate) async fn recover(ground: &Ground) -> Result<Recovered, OpenError> {
    let Ground { disk, clock, layout, config } = ground;
    let unclean = exists(disk, &layout.abort()).await?;
    let (checkpoint, times) = read_checkpoint(disk, layout).await?;
    let durable_to = checkpoint.map_or(0, |checkpoint| checkpoint.durable_to);
    let segments = log::open(disk, &layout.commit_log()).await?;
    let proven_to = match checkpoint {
        Some(checkpoint) => checkpoint.durable_to,
        None => log::proven_without_checkpoint(&segments, unclean)?,
    };
    let doubt = log::Doubt { durable_to, proven_to, unclean };
    let quarantine = Quarantine::open(disk, clock.clone(), layout.quarantine()).await;
    let quarantine = quarantine.map_err(|error| OpenError::disk(&layout.quarantine(), error))?;
    let first = segments.first().map_or(0, |first| first.base);
    let vouched = durable_to.max(first);

    let queues = queues::open(disk, layout, config).await?;
    let moment = checkpoint.filter(|_| !unclean).map(|vouched| Moment {
        durable_to: vouched.durable_to,
        queue_entries: vouched.queue_entries,
        log_first: first,
    });
    let whole = queues::take_over(disk, layout, &queues, moment).await?
        || queues::cut(&queues, &queues::Beneath::new(&segments, &quarantine, vouched)).await?;
    let mut queue_entries = 0;
    for queue in queues.all() {
        queue_entries += queue.end();
        queue.assign_from(queue.end());
    }
    let whole = whole && checkpoint.is_some_and(|vouched| vouched.queue_entries == queue_entries);
    let filled_to = if whole { vouched } else { first };

    let end = walk(ground, &segments, (&doubt, &quarantine), filled_to, &queues).await?;
    let opened = log::settle(disk, config, segments, (&doubt, &end), quarantine).await?;
    let end = end.offset;
    let claim = index::Claim {
        checkpoint: checkpoint.as_ref(),
        index_timestamp: times.index,
        unclean,
        log: &opened.segments,
        end,
    };
    let found = index::open((disk, clock), layout.index(), config, &claim).await;
    let (index, indexed) = found.map_err(|error| OpenError::disk(&layout.index(), error))?;
    let from = filled_to.min(indexed);
    tracing::info!(unclean, vouched, from, end, "the log is recovered; dispatching from there");

    let log = Arc::new(CommitLog::new(disk.clone(), clock.clone(), config.clone(), opened));
    let queues = Arc::new(queues);
    let store_timestamp = times.physic.min(times.logics);
    if checkpoint.is_none() {
        let mark = Checkpoint {
            durable_to: filled_to,
            queue_entries,
            index: IndexMark { timestamp: times.index, ..IndexMark::default() },
            store_timestamp,
        };
        leave_mark(disk, layout, &mark).await?;
    }
    let index = Arc::new(index);
    let at = Snapshot { position: from, queue_entries, index: index.mark(), store_timestamp };
    let dispatcher = Dispatcher::new(log.clone(), queues.clone(), index.clone(), at);

    raise_abort(disk, layout).await.map_err(|error| OpenError::disk(&layout.abort(), error))?;
    Ok(Recovered { log, queues, index, dispatcher, vouched: filled_to })
}

/// Walks the log from `from` to its end and tells each queue what stands there. What is damaged is
/// on record before anything is cut or vouched for.
async fn walk(
    ground: &Ground,
    segments: &SegmentSet,
    (doubt, quarantine): (&log::Doubt, &Quarantine),
    from: u64,
    queues: &Queues,
) -> Result<log::End, OpenError> {
    let files_end = segments.last().map_or(0, |last| last.end());
    let mut progress = Progress::begin(&ground.clock, &ground.config.recovery, from..files_end);
    let place = |record: &View<'_>| {
        progress.at(record.physical_offset.0);
        note_place(queues, record);
    };
    let end = log::find_end(segments, doubt, quarantine, from, place)?;
    let noted = quarantine.write(&ground.disk).await;
    noted.map_err(|error| OpenError::disk(&ground.layout.quarantine(), error))?;
    Ok(end)
}

/// Leaves a mark on a store that has none. From then on one without is one that lost it, and not
/// one that has only just begun.
async fn leave_mark(disk: &Disk, layout: &Layout, mark: &Checkpoint) -> Result<(), OpenError> {
    let path = layout.checkpoint();
    let left = disk.replace(&path, &mark.encode()).await;
    left.map_err(|error| OpenError::disk(&path, error))
}

/// The next message of the record's queue comes behind it.
fn note_place(queues: &Queues, record: &View<'_>) {
    if !takes_place(record.sys_flag) {
        return;
    }
    let queue = queues.get(record.topic, record.queue_id);
    if queue.is_storable() {
        queue.found(record.queue_offset.0);
    }
}

async fn exists(disk: &Disk, path: &str) -> Result<bool, OpenError> {
    match disk.read(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::disk(path, error)),
    }
}

/// Our section of the checkpoint, if it is there, and RocketMQ's times.
async fn read_checkpoint(
    disk: &Disk,
    layout: &Layout,
) -> Result<(Option<Checkpoint>, Times), OpenError> {
    let path = layout.checkpoint();
    match disk.read(&path).await {
        Ok(page) => Ok((Checkpoint::decode(&page), Times::decode(&page))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((None, Times::default())),
        Err(error) => Err(OpenError::disk(&path, error)),
    }
}

async fn raise_abort(disk: &Disk, layout: &Layout) -> io::Result<()> {
    let path = layout.abort();
    disk.write(&path, &[]).await?;
    disk.sync_file(&path).await?;
    disk.sync_dir(layout.root()).await
}
