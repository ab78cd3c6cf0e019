//! One member of a group and the queues it owns at the moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use message::{MessageQueue, QueueOffset};
use runtime::Monotonic;
use runtime::sync::Stop;
use tokio::sync::{Notify, Semaphore};

use super::listener::MessageListener;
use super::observer::{GroupObserver, Unwatched};
use super::progress::{Progress, Taken};
use crate::client::Client;
use crate::config::PushConfig;
use crate::subscription::{Subscription, TagFilter};

/// What the tasks of a push consumer share.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) config: PushConfig,
    pub(crate) subscriptions: Vec<Subscription>,
    /// What is wanted of each topic.
    pub(crate) filters: BTreeMap<String, TagFilter>,
    /// The version of the subscriptions: when they were made, in ms.
    pub(crate) version: i64,
    pub(crate) listener: Arc<dyn MessageListener>,
    /// One for each call of the listener.
    pub(crate) permits: Arc<Semaphore>,
    /// Wakes the dealing of queues.
    pub(crate) rebalance: Arc<Notify>,
    /// Is told what happens.
    pub(crate) observer: Arc<dyn GroupObserver>,
    assigned: Mutex<BTreeMap<MessageQueue, Arc<Assigned>>>,
}

/// One queue that a member owns.
pub(crate) struct Assigned {
    pub(crate) queue: MessageQueue,
    /// Raised when the member gives the queue up: it is neither pulled nor committed from then on,
    /// but for the one last commit.
    pub(crate) dropped: Stop,
    /// Wakes the pull loop when something in flight was finished.
    pub(crate) freed: Notify,
    /// What was committed last, and when. Held while committing: two commits on their way at once
    /// might arrive in either order.
    pub(crate) committed: tokio::sync::Mutex<Option<(QueueOffset, Monotonic)>>,
    /// `None` until it is known where to begin.
    progress: Mutex<Option<Progress>>,
}

impl Member {
    /// A member that owns nothing yet.
    pub(crate) fn new(
        client: Client,
        config: PushConfig,
        subscriptions: Vec<Subscription>,
        listener: Arc<dyn MessageListener>,
    ) -> Self {
        Self {
            filters: subscriptions.iter().map(|at| (at.topic.clone(), at.wanted())).collect(),
            version: client.0.clock.now_ms() as i64,
            permits: Arc::new(Semaphore::new(config.concurrency_max)),
            observer: config.observer.clone().unwrap_or_else(|| Arc::new(Unwatched)),
            client,
            config,
            subscriptions,
            listener,
            rebalance: Arc::default(),
            assigned: Mutex::default(),
        }
    }

    /// The queues that it owns, sorted.
    pub(crate) fn owned(&self) -> Vec<Arc<Assigned>> {
        self.assigned().values().cloned().collect()
    }

    /// Takes a queue over.
    pub(crate) fn own(&self, queue: &MessageQueue) -> Arc<Assigned> {
        let assigned = Arc::new(Assigned {
            queue: queue.clone(),
            dropped: Stop::new(),
            freed: Notify::new(),
            committed: tokio::sync::Mutex::new(None),
            progress: Mutex::new(None),
        });
        self.assigned().insert(queue.clone(), assigned.clone());
        assigned
    }

    /// Gives a queue up.
    pub(crate) fn disown(&self, queue: &MessageQueue) {
        self.assigned().remove(queue);
    }

    fn assigned(&self) -> MutexGuard<'_, BTreeMap<MessageQueue, Arc<Assigned>>> {
        self.assigned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Assigned {
    /// It is known where to begin.
    pub(crate) fn begin(&self, from: QueueOffset) {
        *self.progress() = Some(Progress::new(from));
    }

    /// Looks at or changes the progress, once there is one.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Progress) -> T) -> Option<T> {
        self.progress().as_mut().map(look)
    }

    /// Messages are done with.
    pub(crate) fn finish(&self, all: &[Taken]) {
        self.with(|progress| {
            for taken in all {
                progress.finish(*taken);
            }
        });
        self.freed.notify_one();
    }

    fn progress(&self) -> MutexGuard<'_, Option<Progress>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
