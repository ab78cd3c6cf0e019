//! The promises of [`Tasks`]. What a panic does differs between the twins; each tests its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::{Clock, Tasks};

pub(super) async fn suite(tasks: &Tasks, clock: &Clock) {
    all_run_to_their_end(tasks, clock).await;
    a_cancelled_task_is_dropped(tasks, clock).await;
    letting_go_of_a_task_does_not_stop_it(tasks).await;
}

/// Counts when it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn all_run_to_their_end(tasks: &Tasks, clock: &Clock) {
    let ran = Arc::new(AtomicUsize::new(0));
    let started: Vec<_> = (0..100u64)
        .map(|number| {
            let (clock, ran) = (clock.clone(), ran.clone());
            tasks.spawn("suite-counts", async move {
                clock.sleep(Duration::from_millis(number % 3)).await;
                ran.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    for task in &started {
        task.join().await;
        assert!(task.is_done(), "joined, but not done");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 100, "tasks that were joined had not run");
    // Joining again, and cancelling what is over, is harmless.
    started[0].cancel();
    started[0].join().await;
}

async fn a_cancelled_task_is_dropped(tasks: &Tasks, clock: &Clock) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let guard = Counted(dropped.clone());
    let task = tasks.spawn("suite-waits-for-ever", async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    clock.sleep(Duration::from_millis(2)).await;
    assert!(!task.is_done(), "a task that waits is done");
    assert_eq!(dropped.load(Ordering::SeqCst), 0, "a task was dropped without being cancelled");
    task.cancel();
    task.join().await;
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "a cancelled task still holds what it held");
}

async fn letting_go_of_a_task_does_not_stop_it(tasks: &Tasks) {
    let (say, heard) = tokio::sync::oneshot::channel();
    drop(tasks.spawn("suite-on-its-own", async move {
        let _ = say.send(());
    }));
    heard.await.expect("a task whose handle was dropped must run");
    let (say, heard) = tokio::sync::oneshot::channel();
    tasks.detach("suite-detached", async move {
        let _ = say.send(());
    });
    heard.await.expect("a detached task must run");
}
