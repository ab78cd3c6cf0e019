//! Several seeds at a time, their outcomes handed over one by one as they come.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

/// Does all jobs, `width` at a time. `on_done` returns false to stop early.
pub(crate) fn work_all<J: Sync, T: Send>(
    jobs: &[J],
    width: usize,
    work: impl Fn(&J) -> T + Sync,
    mut on_done: impl FnMut(T) -> bool,
) {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (sender, done) = mpsc::channel();
        for _ in 0..width.max(1) {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                while !stop.load(Ordering::Relaxed) {
                    let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                    if sender.send(work(job)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for one in done {
            if !on_done(one) {
                stop.store(true, Ordering::Relaxed);
                break;
            }
        }
    });
}

/// How many processes at a time, unless the caller said: one per processor.
pub(crate) fn width(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
