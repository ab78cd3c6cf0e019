//! Tasks on tokio.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use runtime::{Boxed, TaskBackend};
use tokio::runtime::Handle;

/// One tokio runtime; its shutdown is this node's death.
pub(crate) struct MachineTasks(Handle);

impl MachineTasks {
    pub(crate) fn new(handle: Handle) -> Self {
        Self(handle)
    }
}

impl TaskBackend for MachineTasks {
    fn spawn(&self, name: &'static str, mut task: Boxed<'static, ()>) {
        self.0.spawn(std::future::poll_fn(move |context| {
            // The task is never polled again after it unwound, so nobody sees what broke.
            match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))) {
                Ok(progress) => progress,
                Err(panic) => {
                    tracing::error!(task = name, panic = message(&*panic), "a task panicked");
                    Poll::Ready(())
                }
            }
        }));
    }
}

/// What `panic!` was given.
fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("not a text")
}
