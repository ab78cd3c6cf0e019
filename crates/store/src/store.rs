//! The store as the broker holds it.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use message::{PhysicalOffset, QueueOffset};
use runtime::sync::{Closed, Either, Stop, Watermark, race};
use runtime::{Clock, Disk, DiskLock, DiskSpace, Task, Tasks};

use crate::clean::{Cleaner, Wishes};
use crate::commit_log::{
    Appender, CommitLog, keep_committing, keep_flushing, keep_populated, keep_prepared, keep_warm,
};
use crate::config::StoreConfig;
use crate::consume_queue::{Moment, QueueHandle, Queues, encode_ends};
use crate::disk_guard::Partition;
use crate::dispatch::Progress;
use crate::error::{AppendError, OpenError, ReadError, ShutdownError};
use crate::get::{GetRequest, GetResult, RecordFilter, get};
use crate::index::{Index, QueryRequest, QueryResult, query};
use crate::layout::Layout;
use crate::quarantine::Quarantined;
use crate::recovery::{Ground, Recovered, recover};
use crate::search::{Boundary, earliest_time, message_at, search_offset, store_time};
use crate::vouch::{VouchError, Voucher};

/// How long a shutdown waits for dispatch, which may stall on a full disk.
const DISPATCH_WAIT_MAX: Duration = Duration::from_secs(5);

/// The doors a store opens. It has no net.
#[derive(Clone)]
pub struct StoreHandles {
    /// Where the files are.
    pub disk: Disk,
    /// Store timestamps and flush intervals.
    pub clock: Clock,
    /// Flush, dispatch and preparation run as tasks.
    pub tasks: Tasks,
}

/// An open store. Cheap to clone. End it with [`Store::shutdown`]; dropped without, it is recovered
/// at the next start like one whose process was killed.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    disk: Disk,
    clock: Clock,
    layout: Layout,
    log: Arc<CommitLog>,
    queues: Arc<Queues>,
    index: Arc<Index>,
    progress: Arc<Progress>,
    /// The end of what recovery found in the log.
    found_to: u64,
    voucher: Arc<Voucher>,
    cleaner: Arc<Cleaner>,
    running: Running,
    /// Given back by a shutdown.
    lock: Mutex<Option<DiskLock>>,
}

/// The tasks of a store, in the order in which a shutdown ends them.
struct Running {
    /// With a pool only.
    committing: Option<(Stop, Task)>,
    flushing: (Stop, Task),
    preparing: (Stop, Task),
    making_pages: Vec<(Stop, Task)>,
    dispatching: (Stop, Task),
    vouching: (Stop, Task),
    cleaning: (Stop, Task),
}

impl Store {
    /// Opens the store: lock, recovery, tasks. Nothing is read before the lock is held.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(handles: StoreHandles, config: StoreConfig) -> Result<Store, OpenError> {
        config.check()?;
        let StoreHandles { disk, clock, tasks } = handles;
        let (layout, config) = (Layout::new(&config.root), Arc::new(config));
        if !layout.root().is_empty() {
            let made = disk.create_dir(layout.root()).await;
            made.map_err(|error| OpenError::disk(layout.root(), error))?;
        }
        let path = layout.lock();
        let lock = match disk.lock(&path).await {
            Ok(lock) => lock,
            Err(source) => return Err(OpenError::Locked { path, source }),
        };
        let ground = Ground { disk, clock, layout, config };
        let recovered = recover(&ground).await?;
        let Ground { disk, clock, layout, config } = ground;
        let Recovered { log, queues, index, dispatcher, vouched } = recovered;
        let progress = dispatcher.progress().clone();
        let found_to = log.appended().reached();
        let voucher = Arc::new(Voucher {
            disk: disk.clone(),
            clock: clock.clone(),
            layout: layout.clone(),
            log: log.clone(),
            queues: queues.clone(),
            index: index.clone(),
            progress: progress.clone(),
            interval: Duration::from_millis(config.queue_flush_interval_ms),
            vouched: Watermark::new(vouched),
            failed: OnceLock::new(),
        });
        let cleaner = Arc::new(Cleaner {
            disk: disk.clone(),
            clock: clock.clone(),
            log: log.clone(),
            queues: queues.clone(),
            index: index.clone(),
            voucher: voucher.clone(),
            policy: config.retention.clone(),
            wishes: Wishes::default(),
        });
        let running = Running {
            committing: commit(&tasks, &log, &config),
            flushing: start(&tasks, "store.flush", |stop| keep_flushing(log.clone(), stop)),
            preparing: start(&tasks, "store.prepare", |stop| keep_prepared(log.clone(), stop)),
            making_pages: make_pages(&tasks, &log, config.warm),
            dispatching: start(&tasks, "store.dispatch", |stop| {
                dispatcher.keep_dispatching(clock.clone(), stop)
            }),
            vouching: start(&tasks, "store.vouch", |stop| voucher.clone().keep_vouching(stop)),
            cleaning: start(&tasks, "store.clean", |stop| cleaner.clone().keep_cleaning(stop)),
        };
        let lock = Mutex::new(Some(lock));
        Ok(Store(Arc::new(Shared {
            disk,
            clock,
            layout,
            log,
            queues,
            index,
            progress,
            found_to,
            voucher,
            cleaner,
            running,
            lock,
        })))
    }

    /// The queue, made if there was none. Keep it: looking it up costs more than using it.
    pub fn queue(&self, topic: &str, queue_id: u32) -> QueueHandle {
        QueueHandle::new(self.0.queues.get(topic, queue_id))
    }

    /// The queue, if there is one.
    pub fn find_queue(&self, topic: &str, queue_id: u32) -> Option<QueueHandle> {
        self.0.queues.find(topic, queue_id).map(QueueHandle::new)
    }

    /// All queues, by topic and number.
    pub fn queues(&self) -> Vec<QueueHandle> {
        self.0.queues.all().into_iter().map(QueueHandle::new).collect()
    }

    /// How many ConsumeQueue files are open, over all queues; at most
    /// [`StoreConfig::queue_files_open_max`](crate::StoreConfig::queue_files_open_max).
    pub fn queue_files_open(&self) -> usize {
        self.0.queues.files_open()
    }

    /// Takes the append lock, unless its holder stands still: what whoever serves clients calls.
    /// Synchronous; let go of it before any await.
    ///
    /// # Errors
    /// [`AppendError::Busy`], cause [`Busy::PageCache`](crate::Busy::PageCache).
    pub fn admit(&self) -> Result<Appender<'_>, AppendError> {
        self.0.log.admit()
    }

    /// Takes the append lock, however long that takes. Synchronous; let go of it before any await.
    pub fn appender(&self) -> Appender<'_> {
        self.0.log.appender()
    }

    /// Returns when an append that ended with `SegmentNotReady` is worth another try.
    ///
    /// # Errors
    /// [`Closed`] when the store has failed or ended.
    pub async fn segment_ready(&self) -> Result<(), Closed> {
        self.0.log.segment_ready().await
    }

    /// The end of what was appended.
    pub fn appended(&self) -> &Watermark {
        self.0.log.appended()
    }

    /// The end of what survives power loss. Closed for ever by a failed sync.
    pub fn flushed(&self) -> &Watermark {
        self.0.log.flushed()
    }

    /// What an acknowledgement waits for: `flushed` under `SYNC_FLUSH`, `appended` otherwise.
    pub fn promised(&self) -> &Watermark {
        self.0.log.promised()
    }

    /// What nothing visible passes: `flushed` under `SYNC_FLUSH`, otherwise what stands in the
    /// segments, which is less than what is promised only with the pool.
    pub fn visible(&self) -> &Watermark {
        self.0.log.visible()
    }

    /// The end of what was dispatched to the queues.
    pub fn dispatched(&self) -> &Watermark {
        &self.0.progress.position
    }

    /// Returns once everything that recovery found is visible. Appends need not wait for it.
    ///
    /// # Errors
    /// [`Closed`] when the store fails or ends before.
    pub async fn caught_up(&self) -> Result<(), Closed> {
        match race(self.0.progress.position.wait(self.0.found_to), self.failed()).await {
            Either::Left(reached) => reached,
            Either::Right(closed) => Err(closed),
        }
    }

    /// The ranges of the log that are damaged, in its order; `quarantine.json` holds the same.
    pub fn quarantined(&self) -> Vec<Quarantined> {
        self.0.log.quarantine().all()
    }

    /// How many messages readers were told are gone, since the store opened, because nothing can
    /// be read where they stood.
    pub fn skipped_count(&self) -> u64 {
        self.0.log.quarantine().skipped()
    }

    /// The first offset of the log that is still stored.
    pub fn min_offset(&self) -> PhysicalOffset {
        PhysicalOffset(self.0.log.min_offset())
    }

    /// Reads messages of a queue.
    pub async fn get(&self, request: &GetRequest<'_>) -> GetResult {
        get(&self.0.log, request, None).await
    }

    /// Reads messages of a queue of which `wants` wants the records: what a queue's entry cannot
    /// tell. Those it does not want are passed over like those of other tags.
    pub async fn get_where(&self, request: &GetRequest<'_>, wants: RecordFilter<'_>) -> GetResult {
        get(&self.0.log, request, Some(wants)).await
    }

    /// The record at `offset`, if a whole one that is promised starts there.
    ///
    /// # Errors
    /// [`ReadError`] when the disk refuses, or the record is damaged.
    pub async fn message_at(&self, offset: PhysicalOffset) -> Result<Option<Bytes>, ReadError> {
        message_at(&self.0.log, offset).await
    }

    /// Messages by unique key or by a word of KEYS: the newest that match, in the order of the log.
    /// Every one was read and compared. Records before [`Store::dispatched`] are in the index.
    ///
    /// # Errors
    /// [`ReadError`] when the disk refuses, or all that could have matched is damaged.
    pub async fn query(&self, request: &QueryRequest<'_>) -> Result<QueryResult, ReadError> {
        query(&self.0.index, &self.0.log, request).await
    }

    /// The place in the queue of the message stored at `timestamp_ms`, or next to it.
    ///
    /// # Errors
    /// [`ReadError`] when the disk refuses.
    pub async fn search_offset(
        &self,
        queue: &QueueHandle,
        timestamp_ms: u64,
        boundary: Boundary,
    ) -> Result<QueueOffset, ReadError> {
        search_offset(&self.0.log, queue, timestamp_ms, boundary).await
    }

    /// When the first message of the queue that is still there was stored, in ms.
    ///
    /// # Errors
    /// [`ReadError`] when the disk refuses.
    pub async fn earliest_time(&self, queue: &QueueHandle) -> Result<Option<u64>, ReadError> {
        earliest_time(&self.0.log, queue).await
    }

    /// When a message was stored, in ms; `None` when it is not there.
    ///
    /// # Errors
    /// [`ReadError`] when the disk refuses.
    pub async fn store_time(
        &self,
        queue: &QueueHandle,
        at: QueueOffset,
    ) -> Result<Option<u64>, ReadError> {
        store_time(&self.0.log, queue, at).await
    }

    /// Deletes the segments that are expired, whatever the hour, in the next passes of the cleaner:
    /// at once, and for some minutes more. Returns before anything is deleted.
    pub fn delete_expired(&self) {
        self.0.cleaner.delete_expired();
    }

    /// Lets every queue's lowest place and files follow the log's lowest offset.
    ///
    /// # Errors
    /// [`Closed`] when a removal could not be made durable: the store has failed.
    pub async fn clean_queues(&self) -> Result<(), Closed> {
        self.0.cleaner.follow().await
    }

    /// Why nothing is taken because the disk is too full, if so.
    pub fn disk_full(&self) -> Option<&'static str> {
        self.0.log.guard().full().map(Partition::cause)
    }

    /// The space of the store's disk.
    ///
    /// # Errors
    /// What the operating system says; the space is unknown then.
    pub fn disk_space(&self) -> std::io::Result<DiskSpace> {
        self.0.disk.space()
    }

    /// Why the store takes nothing more, if so.
    pub fn poisoned(&self) -> Option<Closed> {
        self.0.log.refusal()
    }

    /// Returns when the store takes nothing more: a sync or a write has failed, or it was shut
    /// down.
    pub async fn failed(&self) -> Closed {
        match self.flushed().wait(u64::MAX).await {
            Err(closed) => closed,
            Ok(()) => Closed { reason: "the log is full".into() },
        }
    }

    /// Ends the store: takes nothing more, flushes and dispatches what was taken, writes the
    /// checkpoint, removes the abort file and gives the lock back. Again is harmless.
    ///
    /// # Errors
    /// [`ShutdownError`]: the next start recovers what a crash would have left.
    pub async fn shutdown(&self) -> Result<(), ShutdownError> {
        let lock = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(_held_to_the_end) = lock else { return Ok(()) };
        let Shared { running, log, .. } = &*self.0;
        let reason = "the store is shutting down";
        let closed = log.refuse(reason);
        end(&running.cleaning).await;
        if let Some(committing) = &running.committing {
            end(committing).await;
        }
        end(&running.flushing).await;
        end(&running.preparing).await;
        for making_pages in &running.making_pages {
            end(making_pages).await;
        }
        let is_sound = &*closed.reason == reason;
        let ended =
            if is_sound { self.finish().await } else { Err(ShutdownError::Poisoned(closed)) };
        end(&running.dispatching).await;
        end(&running.vouching).await;
        log.close(reason);
        ended
    }

    /// The last steps of a sound store, each vouching for the one before.
    async fn finish(&self) -> Result<(), ShutdownError> {
        let Shared { disk, clock, layout, log, index, progress, voucher, running, .. } = &*self.0;
        log.commit().await.map_err(ShutdownError::Poisoned)?;
        log.flush().await.map_err(ShutdownError::Poisoned)?;
        let dispatched = progress.position.wait(log.appended().reached());
        if clock.timeout(DISPATCH_WAIT_MAX, dispatched).await.is_err() {
            tracing::warn!("dispatch stalls; the next start makes up for it");
        }
        end(&running.dispatching).await;
        end(&running.vouching).await;
        index.write_back().map_err(|error| failed(&layout.index(), error))?;
        let vouched = voucher.vouch().await.map_err(|error| match error {
            VouchError::Index(error) => failed(&layout.index(), error),
            VouchError::Closed(closed) => ShutdownError::Poisoned(closed),
            VouchError::Checkpoint(error) => failed(&layout.checkpoint(), error),
        })?;
        if vouched < log.appended().reached() {
            // Without its abort file RocketMQ would take the queues for complete.
            tracing::warn!(vouched, "queues lack what the log holds; the next start recovers");
            return Ok(());
        }
        let moment = Moment {
            durable_to: vouched,
            queue_entries: progress.snapshot().queue_entries,
            log_first: log.min_offset(),
        };
        let ends = encode_ends(&self.0.queues, &moment);
        if let Err(error) = disk.replace(&layout.queue_ends(), &ends).await {
            tracing::warn!(%error, "the next start looks into every ConsumeQueue");
        }
        let abort = layout.abort();
        disk.remove_file(&abort).await.map_err(|error| failed(&abort, error))?;
        disk.sync_dir(layout.root()).await.map_err(|error| failed(layout.root(), error))
    }
}

fn failed(what: &str, source: std::io::Error) -> ShutdownError {
    ShutdownError::Disk { what: what.into(), source }
}

/// Starts a task that ends when its flag is raised, at one of its waits and never amid a sync.
fn start<F>(tasks: &Tasks, name: &'static str, task: impl FnOnce(Stop) -> F) -> (Stop, Task)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stop = Stop::new();
    let task = tasks.spawn(name, task(stop.clone()));
    (stop, task)
}

/// Starts the task that commits, where there is a pool.
fn commit(tasks: &Tasks, log: &Arc<CommitLog>, config: &StoreConfig) -> Option<(Stop, Task)> {
    let pool = config.pool_in_use().cloned()?;
    Some(start(tasks, "store.commit", |stop| keep_committing(log.clone(), pool, stop)))
}

/// Starts the tasks that make pages ahead of the tail, so that no append waits for one.
fn make_pages(tasks: &Tasks, log: &Arc<CommitLog>, warm: bool) -> Vec<(Stop, Task)> {
    let mut making = vec![start(tasks, "store.populate", |stop| keep_populated(log.clone(), stop))];
    if warm {
        making.push(start(tasks, "store.warm", |stop| keep_warm(log.clone(), stop)));
    }
    making
}

/// Ends a task and waits until it has ended.
async fn end((stop, task): &(Stop, Task)) {
    stop.stop();
    task.join().await;
}
