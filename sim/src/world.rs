//! One run: a seed, its nodes, and the loop that drives them.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::PoisonError;

use madsim::Config;
use madsim::time::TimeHandle;

use crate::control::Control;
use crate::ground::Ground;
use crate::incident::Incidents;
use crate::probe::Probes;
use crate::removal::Removals;
use crate::rng;
use crate::task::{FailureSlot, panic_message};
use crate::timer::Timers;
use crate::trace::Trace;

/// A simulated world. It lives and dies on one thread; several may follow one another there.
///
/// Everything that can be done to its nodes stands in [`Control`], which it derefs to.
pub struct World {
    seed: u64,
    madsim: madsim::runtime::Runtime,
    control: Control,
    probes: Rc<Probes>,
    failure: FailureSlot,
}

impl World {
    /// The world of that seed, with no nodes yet. It becomes the observer of this thread's probes.
    pub fn new(seed: u64) -> Self {
        let madsim = madsim::runtime::Runtime::with_seed_and_config(seed, Config::default());
        let time = madsim.block_on(async { TimeHandle::current() });
        let timers = Timers::new(time);
        let keeper = madsim.create_node().name("world").build();
        drop(keeper.spawn(timers.clone().drive()));
        let root = rng::root(seed);
        let (trace, incidents) = (Trace::default(), Incidents::default());
        let removals = Removals::default();
        let ground = Ground { timers, trace, root: root.clone(), incidents, removals, keeper };
        let probes = Probes::new(root);
        runtime::probe::install(Some(probes.clone()));
        let failure = FailureSlot::default();
        let control = Control::new(ground, madsim.handle().clone(), failure.clone());
        Self { seed, madsim, control, probes, failure }
    }

    /// The seed it grew from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The controls, to be moved into tasks.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The probes of the product.
    pub fn probes(&self) -> &Probes {
        &self.probes
    }

    /// Drives the world until the future ends.
    ///
    /// # Panics
    /// When a task of any node panics, when the future does, or when nothing can ever happen any
    /// more. The message names the seed, the true time, and the node and the task where it was.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        match catch_unwind(AssertUnwindSafe(|| self.madsim.block_on(future))) {
            Ok(output) => output,
            Err(payload) => {
                let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let (seed, at) = (self.seed, self.control.elapsed());
                let words = match failure {
                    Some(failed) => format!(
                        "seed {seed}, at {at:?}: task `{}` on node `{}` panicked: {}",
                        failed.task, failed.node, failed.message
                    ),
                    None => format!("seed {seed}, at {at:?}: {}", panic_message(&*payload)),
                };
                resume_unwind(Box::new(announce(words)))
            }
        }
    }
}

/// Puts the words where a panic's words go, and gives them back.
fn announce(words: String) -> String {
    let shown = catch_unwind(|| panic!("{words}"));
    shown.err().map_or(words, |payload| panic_message(&*payload))
}

impl Deref for World {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Drop for World {
    fn drop(&mut self) {
        runtime::probe::install(None);
        if std::thread::panicking() {
            return;
        }
        // Kills everything and lets the executor drop the tasks, whose wakers would otherwise keep
        // them alive for ever: a process may see thousands of worlds.
        let control = self.control.clone();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            for node in control.nodes() {
                control.power_fail(&node);
            }
            self.madsim.handle().kill(control.ground().keeper.id());
            self.madsim.block_on(async {});
            control.ground().timers.clear();
        }));
    }
}
