//! Tasks of a node: they die with it, and a panic in one fails the world.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use madsim::runtime::NodeHandle;
use runtime::{Boxed, TaskBackend};

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
    pub(crate) ground: Ground,
    pub(crate) node: Node,
    pub(crate) handle: NodeHandle,
    pub(crate) failure: FailureSlot,
}

impl TaskBackend for SimTasks {
    fn spawn(&self, name: &'static str, task: Boxed<'static, ()>) {
        self.ground.record(&self.node, "spawn", [0, 0], format_args!("{name}"));
        let watched = watch(self.node.clone(), name, task, self.failure.clone());
        drop(self.handle.spawn(watched));
    }
}

/// The task, with a note of where it panicked, if it does.
pub(crate) async fn watch<T>(
    node: Node,
    name: &'static str,
    task: Boxed<'static, T>,
    failure: FailureSlot,
) -> T {
    let mut task = task;
    std::future::poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(output)) => Poll::Ready(output),
            Ok(Poll::Pending) => Poll::Pending,
            Err(payload) => {
                let message = panic_message(&*payload);
                let node = node.name().to_owned();
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
