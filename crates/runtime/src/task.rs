//! Tasks: they die with their node.

use std::sync::Arc;

use crate::Boxed;
use crate::sync::{Stop, race};

/// What a twin provides.
pub trait TaskBackend: Send + Sync {
    /// Runs the task until it ends or its node dies. A panic in it is a bug: the simulation fails,
    /// production logs it and goes on.
    fn spawn(&self, name: &'static str, task: Boxed<'static, ()>);
}

/// The door to tasks.
#[derive(Clone)]
pub struct Tasks(Arc<dyn TaskBackend>);

impl Tasks {
    /// Opens the door onto a twin.
    pub fn new(backend: impl TaskBackend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Starts a task that nobody waits for. `name` tells logs and traces what it is.
    pub fn detach(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(name, Box::pin(task));
    }

    /// Starts a task that can be cancelled and waited for.
    pub fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        let (cancel, done) = (Stop::new(), Stop::new());
        let (cancelled, ended) = (cancel.clone(), Ended(done.clone()));
        self.detach(name, async move {
            let _ended = ended;
            race(task, cancelled.stopped()).await;
        });
        Task { cancel, done }
    }
}

/// Says that a task is over, also when it was dropped or panicked.
struct Ended(Stop);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// A running task. Dropping this neither stops it nor waits for it.
#[derive(Clone)]
pub struct Task {
    cancel: Stop,
    done: Stop,
}

impl Task {
    /// Drops the task at its next wait.
    pub fn cancel(&self) {
        self.cancel.stop();
    }

    /// Returns when the task has ended, whichever way.
    pub async fn join(&self) {
        self.done.stopped().await;
    }

    /// Whether the task has ended.
    pub fn is_done(&self) -> bool {
        self.done.is_stopped()
    }
}
