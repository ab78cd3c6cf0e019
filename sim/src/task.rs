//! Tasks of a node: they die with it, and a panic in one fails the world.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use madsim::runtime::{Handle, NodeHandle};
use madsim::task::JoinHandle;
use runtime::{Boxed, TaskBackend};

use crate::census::{Census, Presence};
use crate::ground::Ground;
use crate::node::Node;

/// What ended the world before its time.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) node: String,
    pub(crate) task: &'static str,
    pub(crate) message: String,
}

/// Where the first failure is put down.
pub(crate) type FailureSlot = Arc<Mutex<Option<Failure>>>;

/// The task door of one incarnation of a node.
pub(crate) struct SimTasks {
    pub(crate) node: Node,
    /// The process; another one after each start.
    pub(crate) process: NodeHandle,
    /// Whether that process still lives.
    pub(crate) lives: Box<dyn Fn() -> bool + Send + Sync>,
    pub(crate) spawner: Spawner,
}

/// What it takes to run a task on any node. Clones are the same.
#[derive(Clone)]
pub(crate) struct Spawner {
    pub(crate) ground: Ground,
    pub(crate) madsim: Handle,
    pub(crate) failure: FailureSlot,
    pub(crate) census: Census,
}

/// After so many births the executor is made to forget the dead: it keeps 168 bytes of each task
/// that ended until its tasks are counted or its node is killed.
const BIRTHS_PER_BURIAL: u64 = 8192;

impl Spawner {
    /// Runs a task on a process.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        process: &NodeHandle,
        node: &Node,
        name: &'static str,
        task: Boxed<'static, T>,
    ) -> JoinHandle<T> {
        self.ground.record(node, "spawn", [0, 0], format_args!("{name}"));
        let presence = self.census.enter(node, name);
        if self.census.born().is_multiple_of(BIRTHS_PER_BURIAL) {
            self.madsim.metrics().num_tasks();
        }
        let watched = Watched { node: node.clone(), name, _presence: presence };
        process.spawn(watch(watched, task, self.failure.clone()))
    }
}

/// Whose task it is.
struct Watched {
    node: Node,
    name: &'static str,
    _presence: Presence,
}

impl TaskBackend for SimTasks {
    fn spawn(&self, name: &'static str, task: Boxed<'static, ()>) {
        // A task that a dead process starts, as when its last futures are dropped, never runs.
        if (self.lives)() {
            drop(self.spawner.spawn(&self.process, &self.node, name, task));
        }
    }
}

/// The task, with a note of where it panicked, if it does.
async fn watch<T>(watched: Watched, mut task: Boxed<'static, T>, failure: FailureSlot) -> T {
    std::future::poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(output),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => {
                let message = panic_message(&*payload);
                let (node, name) = (watched.node.name().to_owned(), watched.name);
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Failure {
                    node,
                    task: name,
                    message,
                });
                resume_unwind(payload)
            }
        }
    })
    .await
}

/// The words of a panic.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|message| (*message).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}
