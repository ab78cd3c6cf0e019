//! A bar of bytes on the terminal while a store is read; nothing where there is none.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runtime::{Runtime, Task};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(200);
const TEMPLATE: &str =
    "{elapsed:>4} {wide_bar} {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}";

/// The bar and what moves it.
pub(super) struct Progress {
    /// Bytes that were read.
    pub(super) done: Arc<AtomicU64>,
    drawing: Option<(ProgressBar, Task)>,
}

impl Progress {
    /// A bar that ends at `total` bytes.
    pub(super) fn start(runtime: &Runtime, total: u64) -> Self {
        let done = Arc::new(AtomicU64::new(0));
        let drawing = std::io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template(TEMPLATE).expect("the template is well-formed");
            let bar = ProgressBar::new(total).with_style(style);
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

    /// Takes the bar away.
    pub(super) async fn finish(self) {
        if let Some((bar, task)) = self.drawing {
            task.cancel();
            task.join().await;
            bar.finish_and_clear();
        }
    }
}
