//! A bar on the terminal while a store takes long to open. Where there is no terminal the log says
//! how far it is.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runtime::{Runtime, Task};
use store::RecoveryWatch;

/// A start that is shorter shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(200);
const TEMPLATE: &str = "recovering {elapsed:>4} {wide_bar} {decimal_bytes} of at most \
                        {decimal_total_bytes}  {decimal_bytes_per_sec}";

/// The bar and what moves it; nothing where there is no terminal.
pub(crate) struct Recovering(Option<(ProgressBar, Task)>);

impl Recovering {
    /// Begins to watch; gives what the store is to tell it.
    pub(crate) fn watch(runtime: &Runtime) -> (Self, RecoveryWatch) {
        if !std::io::stderr().is_terminal() {
            return (Self(None), RecoveryWatch::default());
        }
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is well-formed");
        let (bar, watch) = (ProgressBar::hidden().with_style(style), RecoveryWatch::watched());
        let (clock, drawn, seen) = (runtime.clock.clone(), bar.clone(), watch.clone());
        let task = runtime.tasks.spawn("recovery's bar", async move {
            clock.sleep(PATIENCE).await;
            drawn.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            loop {
                if let Some((read, total)) = seen.seen() {
                    drawn.set_length(total);
                    drawn.set_position(read);
                }
                clock.sleep(INTERVAL).await;
            }
        });
        (Self(Some((bar, task))), watch)
    }

    /// Takes the bar away.
    pub(crate) async fn finish(self) {
        if let Some((bar, task)) = self.0 {
            task.cancel();
            task.join().await;
            bar.finish_and_clear();
        }
    }
}
