//! A bar on the terminal while a measurement runs; nothing where there is none.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runtime::{Runtime, Task};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(200);

/// Counts for the bar, and draws it.
pub(crate) struct Progress {
    done: Arc<AtomicU64>,
    drawing: Option<(ProgressBar, Task)>,
}

impl Progress {
    /// A bar that ends at `count` messages, or one without an end.
    pub(crate) fn start(runtime: &Runtime, count: Option<u64>) -> Self {
        let done = Arc::new(AtomicU64::new(0));
        let drawing = std::io::stderr().is_terminal().then(|| {
            let bar = match count {
                Some(count) => ProgressBar::new(count).with_style(style(
                    "{elapsed:>4} {wide_bar} {human_pos} of {human_len}  {per_sec}",
                )),
                None => ProgressBar::no_length()
                    .with_style(style("{elapsed:>4} {spinner} {human_pos} messages  {per_sec}")),
            };
            let (clock, counted, drawn) = (runtime.clock.clone(), done.clone(), bar.clone());
            let task = runtime.tasks.spawn("progress", async move {
                loop {
                    clock.sleep(INTERVAL).await;
                    drawn.set_position(counted.load(Ordering::Relaxed));
                }
            });
            (bar, task)
        });
        Self { done, drawing }
    }

    /// The count that connections add to.
    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        self.done.clone()
    }

    /// Takes the bar away.
    pub(crate) async fn finish(self) {
        if let Some((bar, task)) = self.drawing {
            task.cancel();
            task.join().await;
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates above are well-formed")
}
